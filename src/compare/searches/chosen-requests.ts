import type { SearchRequest } from './search-request.ts'

/** A body above it takes no part: engines refuse most of them, too. */
export const bodyBytesMax = 1024 * 1024
/** Bodies that are held together; what would go above it is left out. */
const bodiesBytesMax = 256 * 1024 * 1024

/** What a set of requests is, and what was left out of it. */
export interface ChosenRequests {
  readonly requests: readonly SearchRequest[]
  /** By why; in words that go behind a number: `change something`. */
  readonly leftOut: Readonly<Record<string, number>>
}

/**
 * Chooses so many requests by chance out of a sequence whose length nobody knows, each with the same chance (Vitter's
 * reservoir), in one pass and with memory for those that are chosen.
 */
export class RequestReservoir {
  readonly #most: number
  readonly #random: () => number
  readonly #chosen: SearchRequest[] = []
  readonly #leftOut = new Map<string, number>()
  #seen = 0
  #bytes = 0

  constructor(most: number, random: () => number) {
    this.#most = most
    this.#random = random
  }

  add(request: SearchRequest): void {
    const bytes = request.body?.length ?? 0
    if (bytes > bodyBytesMax) return this.leaveOut('are longer than 1 MiB')
    this.#seen++
    const at =
      this.#seen <= this.#most ? this.#chosen.length : Math.floor(this.#random() * this.#seen)
    if (at >= this.#most) return
    const before = this.#chosen[at]?.body?.length ?? 0
    if (this.#bytes - before + bytes > bodiesBytesMax)
      return this.leaveOut('did not fit into memory')
    this.#bytes += bytes - before
    this.#chosen[at] = request
  }

  leaveOut(why: string): void {
    this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1)
  }

  chosen(): ChosenRequests {
    const more = this.#seen - this.#chosen.length
    if (more > 0) this.#leftOut.set('were not chosen (requestsMax)', more)
    return { requests: this.#chosen, leftOut: Object.fromEntries(this.#leftOut) }
  }
}
