/** Things in the order of a time, those of one time as they came. A binary heap. */
export class TimeQueue<T extends { readonly at: number }> {
  readonly #heap: { readonly item: T; readonly order: number }[] = []
  #order = 0

  get length(): number {
    return this.#heap.length
  }

  get first(): T | undefined {
    return this.#heap[0]?.item
  }

  push(item: T): void {
    const heap = this.#heap
    heap.push({ item, order: this.#order++ })
    let at = heap.length - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(at, above)) return
      this.#swap(at, above)
      at = above
    }
  }

  pop(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) {
      heap[0] = last
      this.#sink()
    }
    return first.item
  }

  #sink(): void {
    const heap = this.#heap
    for (let at = 0; ;) {
      const left = 2 * at + 1
      if (left >= heap.length) return
      const right = left + 1
      const least = right < heap.length && this.#isBefore(right, left) ? right : left
      if (!this.#isBefore(least, at)) return
      this.#swap(least, at)
      at = least
    }
  }

  #isBefore(one: number, other: number): boolean {
    const a = this.#heap[one]!
    const b = this.#heap[other]!
    return a.item.at < b.item.at || (a.item.at === b.item.at && a.order < b.order)
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap
    const kept = heap[one]!
    heap[one] = heap[other]!
    heap[other] = kept
  }
}
