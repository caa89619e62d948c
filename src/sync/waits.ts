/**
 * Something waits, or retries. `key` is a stable name of what waits ("lane 3", "index shop"); `what` says on what, as a
 * sentence; undefined: it moves again.
 */
export type OnWait = (key: string, what: string | undefined) => void

export type WaitRecord = {
  key: string
  what: string
  /** ISO 8601. */
  since: string
}

/** What waits on what, since when. */
export class Waits {
  readonly #open = new Map<string, { what: string; since: number }>()

  readonly onWait: OnWait = (key, what) => {
    if (what === undefined) this.#open.delete(key)
    else this.#open.set(key, { what, since: this.#open.get(key)?.since ?? Date.now() })
  }

  list(): WaitRecord[] {
    return [...this.#open]
      .map(([key, { what, since }]) => ({ key, what, since: new Date(since).toISOString() }))
      .sort((a, b) => (a.since < b.since ? -1 : 1))
  }
}
