import type { TargetIndex } from '../state/records.ts'
import type { SourceIndex } from './source-index.ts'

/** Why an index takes no changes for now. */
export interface Hold {
  readonly reason: string
  readonly attempt: number
  /** performance.now() from when on it is tried again. */
  readonly until: number
}

/** Why nothing more is written to an index. */
export interface Stop {
  readonly why: string
  /** ISO 8601. */
  readonly since: string
  /** It had to wait for too long: it is tried again when the audit next looks at it. Else somebody has to act. */
  readonly isWait: boolean
}

/** What the applier knows of one index of the source, in one life of it (its UUID). */
export class IndexFlow {
  /** As the view of the source has it; the UUID stays. */
  source: SourceIndex
  /** Clients give the versions of its documents: they are the versions on the target (design §3.5). */
  hasClientVersions = false
  /** Some of its documents are known to have a routing. */
  isRouted: boolean
  hold: Hold | undefined
  /** How often its target indices were made anew under this UUID: numbers told of before mean nothing any more then. */
  life = 0
  /** UUIDs of its target indices. */
  #targets: string | undefined
  /** Its documents that were held at least once, and are not settled. */
  waiting = 0
  stopped: Stop | undefined
  /** Bytes of its changes that are held. */
  heldBytes = 0
  /** The greatest number that the source is known to have given: what explains a version on the target. */
  numberMost = -1
  /** Mean bytes of its documents as they were read. */
  documentBytes = 4096

  constructor(source: SourceIndex) {
    this.source = source
    const { mayRoute, routingPartitionSize, aliases } = source
    const routes = [...aliases.values()].some(({ indexRouting }) => indexRouting !== null)
    this.isRouted = mayRoute || routingPartitionSize > 1 || routes
  }

  get name(): string {
    return this.source.name
  }

  noteTargets(targets: readonly { readonly target: Pick<TargetIndex, 'targetUuid'> }[]): void {
    const now = targets.map(({ target }) => target.targetUuid).join()
    if (this.#targets !== undefined && this.#targets !== now) this.life++
    this.#targets = now
  }
}

const holdBaseMs = 250
const holdMaxMs = 5000

/** The hold that one more failure puts an index on. Several lanes fail at once: that counts as one. */
export function holdOn({ hold }: IndexFlow, reason: string, now: number): Hold {
  if (hold !== undefined && hold.until > now) return { ...hold, reason }
  const attempt = (hold?.attempt ?? 0) + 1
  return { reason, attempt, until: now + Math.min(holdMaxMs, holdBaseMs * 2 ** (attempt - 1)) }
}
