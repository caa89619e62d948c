import type { CaptureGap } from '../traffic/exchange.ts'

/** A request that may have written and that is in no record. */
export interface Unrecorded {
  /** Epoch microseconds of its first byte. */
  readonly from: number
  /** Those that it named; undefined where they stand in its body. */
  readonly indices: readonly string[] | undefined
  /** It is one request, in however many ways it fails. */
  isCounted: boolean
}

const indicesMax = 1000
const causesMax = 3

/** The gap that is open: it grows until the log takes it. */
export class GapCollector {
  #from = Infinity
  #until = 0
  #requests = 0
  readonly #causes = new Set<string>()
  #indices: Set<string> | undefined = new Set()

  /** `until`: when it was given up. Says whether it was not counted before. */
  add(request: Unrecorded, { until, cause }: { until: number; cause: string }): boolean {
    if (request.isCounted) return false
    request.isCounted = true
    const { from, indices } = request
    this.#from = Math.min(this.#from, from)
    this.#until = Math.max(this.#until, until)
    this.#requests++
    if (this.#causes.size < causesMax) this.#causes.add(cause)
    this.#addIndices(indices)
    return true
  }

  #addIndices(indices: readonly string[] | undefined): void {
    if (this.#indices === undefined) return
    for (const index of indices ?? []) this.#indices.add(index)
    if (indices === undefined || this.#indices.size > indicesMax) this.#indices = undefined
  }

  get requests(): number {
    return this.#requests
  }

  /** The gap so far, which is empty from then on; undefined where there is none. */
  take(proxy: string): CaptureGap | undefined {
    if (this.#requests === 0) return undefined
    const gap: CaptureGap = {
      kind: 'gap',
      proxy,
      from: this.#from,
      until: this.#until,
      requests: this.#requests,
      cause: [...this.#causes].join('; '),
      ...(this.#indices && { indices: [...this.#indices].sort() }),
    }
    this.#clear()
    return gap
  }

  /** Takes a gap back that the log has not taken. */
  putBack(gap: CaptureGap): void {
    this.#from = Math.min(this.#from, gap.from)
    this.#until = Math.max(this.#until, gap.until)
    this.#requests += gap.requests
    const later = [...this.#causes]
    this.#causes.clear()
    for (const cause of [...gap.cause.split('; '), ...later].slice(0, causesMax)) {
      this.#causes.add(cause)
    }
    this.#addIndices(gap.indices)
  }

  #clear(): void {
    this.#from = Infinity
    this.#until = 0
    this.#requests = 0
    this.#causes.clear()
    this.#indices = new Set()
  }
}
