import type { SourceIndex } from './source-index.ts'

/** Why an index takes no changes for now. */
export interface Hold {
  readonly reason: string
  /** performance.now() when it began. */
  readonly since: number
  readonly attempt: number
  /** performance.now() from when on it is tried again. */
  readonly until: number
}

/** What the applier knows of one index of the source, in one life of it (its UUID). */
export class IndexFlow {
  /** As the view of the source has it; the UUID stays. */
  source: SourceIndex
  /** Clients give the versions of its documents: they are the versions on the target (design §3.5). */
  hasClientVersions = false
  hold: Hold | undefined
  /** Why nothing more is written to it. */
  stopped: string | undefined
  /** Bytes of its changes that are held. */
  heldBytes = 0
  /** The greatest number that the source is known to have given: what explains a version on the target. */
  numberMost = -1
  /** Mean bytes of its documents as they were read. */
  documentBytes = 4096

  constructor(source: SourceIndex) {
    this.source = source
  }

  get name(): string {
    return this.source.name
  }
}

const holdBaseMs = 250
const holdMaxMs = 30_000

/** The hold that an index is put on by one more failure. Several lanes fail at once: that counts as one. */
export function holdOn(
  { hold }: IndexFlow,
  reason: string,
  now = performance.now(),
): { hold: Hold; waitedMs: number } {
  const since = hold?.since ?? now
  const waitedMs = now - since
  if (hold !== undefined && hold.until > now) return { hold: { ...hold, reason }, waitedMs }
  const attempt = (hold?.attempt ?? 0) + 1
  const until = now + Math.min(holdMaxMs, holdBaseMs * 2 ** Math.min(attempt - 1, 10))
  return { hold: { reason, since, attempt, until }, waitedMs }
}
