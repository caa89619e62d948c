import { CanonicalDigest } from '../src/compare/canonical.ts'

/**
 * A hash of a set of documents, whatever their order: the sum over all documents of a 64-bit digest of id and bytes of
 * `_source`, as they are. A lost, doubled, mixed up or altered document changes it.
 */
export class OutputHash {
  documents = 0
  sourceBytes = 0
  readonly #digest = new CanonicalDigest({ half1: 0x0b5e55ed, half2: 0x0ddba11 })
  #sum1 = 0
  #sum2 = 0

  /** Both ranges lie in `bytes`. */
  add(
    bytes: Uint8Array,
    id: { start: number; end: number },
    source: { start: number; end: number },
  ): void {
    const digest = this.#digest
    digest.use(bytes, 'document')
    digest.raw(id.start, id.end)
    const { half1, half2 } = digest
    digest.raw(source.start, source.end)
    digest.pair(half1, half2, digest.half1, digest.half2)
    this.#sum1 = (this.#sum1 + digest.half1) | 0
    this.#sum2 = (this.#sum2 + digest.half2) | 0
    this.documents++
    this.sourceBytes += source.end - source.start
  }

  /** 16 hex digits. */
  text(): string {
    const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')
    return hex(this.#sum1) + hex(this.#sum2)
  }
}
