import { matcher } from '../base/select.ts'
import type { Change, StateStore } from '../state/store.ts'
import type { CaptureGap } from '../traffic/exchange.ts'
import { syncGapKind, type SyncGap } from './records.ts'

/** When the audit last began a look at an index that left nothing open, in epoch milliseconds. */
export interface Looked {
  /** Names of all indices that are audited. */
  names(): Iterable<string>
  lookedAt(index: string): number | undefined
}

/** Clocks of proxies are not those of sync. */
const clockSkewMs = 10_000

/** Gaps of the capture log that nobody has explained yet. They are shown until the audit has looked behind them. */
export class Gaps {
  readonly #state: StateStore
  readonly #open = new Map<string, SyncGap>()

  static async load(state: StateStore): Promise<Gaps> {
    const gaps = new Gaps(state)
    for await (const { key, value } of state.each(syncGapKind)) {
      if (value.explainedAt === null) gaps.#open.set(key, value)
    }
    return gaps
  }

  private constructor(state: StateStore) {
    this.#state = state
  }

  get open(): readonly SyncGap[] {
    return [...this.#open.values()]
  }

  /** Remembers a gap, read at a place of the log; one that is read again after a restart is the same. */
  async note(gap: CaptureGap, place: { stream: string; offset: number }): Promise<void> {
    const key = `${place.stream}/${String(place.offset).padStart(16, '0')}`
    if (this.#open.has(key) || (await this.#state.get(syncGapKind, key)) !== undefined) return
    const value: SyncGap = {
      stream: place.stream,
      proxy: gap.proxy,
      from: isoTime(gap.from),
      until: isoTime(gap.until),
      requests: gap.requests,
      cause: gap.cause,
      indices: gap.indices === undefined ? null : [...gap.indices],
      explainedAt: null,
    }
    await this.#state.commit([{ op: 'put', kind: syncGapKind, key, value }])
    this.#open.set(key, value)
  }

  /** Which gaps the audit has looked behind, to be committed. */
  explained(audit: Looked): Change[] {
    const changes: Change[] = []
    for (const [key, gap] of this.#open) {
      if (!isExplained(gap, audit)) continue
      this.#open.delete(key)
      const value: SyncGap = { ...gap, explainedAt: new Date().toISOString() }
      changes.push({ op: 'put', kind: syncGapKind, key, value })
    }
    return changes
  }
}

/** Names in a gap may be aliases and streams: what fits no index by name may be any. */
function isExplained({ indices, until }: SyncGap, audit: Looked): boolean {
  const names = [...audit.names()]
  const fits = indices?.map((pattern) => matcher([pattern])) ?? []
  const isKnown = indices !== null && fits.every((fit) => names.some(fit))
  const meant = isKnown ? names.filter((name) => fits.some((fit) => fit(name))) : names
  const after = Date.parse(until) + clockSkewMs
  return meant.every((name) => (audit.lookedAt(name) ?? 0) > after)
}

function isoTime(micros: number): string {
  return new Date(micros / 1000).toISOString()
}
