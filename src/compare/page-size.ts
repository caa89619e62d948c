/** Documents of a page at most: `index.max_result_window`, unless an index sets a lower one. */
const pageDocumentsMax = 10_000
/** What an answer says of a hit besides `_source`: names of index, id and routing, sort value. */
const hitOverheadBytes = 512

/** How large the documents of an index are: counts by power of two. */
export class DocumentSizes {
  readonly #counts = new Float64Array(40)
  #documents = 0
  #bytes = 0

  add(bytes: number): void {
    this.#counts[Math.min(39, 32 - Math.clz32(bytes))]! += 1
    this.#documents++
    this.#bytes += bytes
  }

  /**
   * The number of documents to ask for so that a page has about `pageBytesMax` on average, and no page, even of the
   * largest documents alone, has more than four times that (save for a single document that is larger).
   */
  pageDocuments(pageBytesMax: number): number {
    if (this.#documents === 0) return 100
    const average = this.#bytes / this.#documents + hitOverheadBytes
    const wanted = Math.min(pageDocumentsMax, Math.floor(pageBytesMax / average))
    let fit = 0
    let left = pageBytesMax * 4
    for (let power = 39; power >= 0 && fit < wanted; power--) {
      const each = 2 ** power + hitOverheadBytes
      const count = Math.min(this.#counts[power]!, Math.floor(left / each))
      fit += count
      left -= count * each
      if (count < this.#counts[power]!) break
    }
    return Math.max(1, Math.min(wanted, fit))
  }
}
