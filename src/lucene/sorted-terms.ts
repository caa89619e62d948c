import { CorruptData } from '../base/errors.ts'
import type { ByteSource } from '../blob/byte-source.ts'
import { Cursor } from '../bytes/cursor.ts'
import { unpackMonotonic } from './packed.ts'
import { termBytesMax, type TermsEntry } from './sorted-entry.ts'
import { blockBytesMax, blockTerms, readTermBlock } from './term-block.ts'

/** Values whose addresses are written are fewer. */
const addressedMax = 1024
/** What is read at once to find where blocks begin. */
const scanBytes = 1024 * 1024
/** Terms that are kept decoded: what documents near each other refer to is near each other. */
const keptBytesMax = 16 * 1024 * 1024

/**
 * The distinct values of a sorted field by number. Where blocks begin is found by reading them once, when the first value
 * is asked for: memory is 8 bytes for 16 values, and the blocks that were decoded last.
 */
export class SortedTerms {
  readonly #source: ByteSource
  readonly #entry: TermsEntry
  readonly #blocks = new Map<number, Buffer[]>()
  #keptBytes = 0
  /** Where each block begins, or each value; the end is the last. */
  #starts: Float64Array | undefined

  constructor(source: ByteSource, entry: TermsEntry) {
    this.#source = source
    this.#entry = entry
    const most = entry.kind === 'addressed' ? addressedMax : source.byteLength
    if (!(entry.count >= 0 && entry.count <= most)) {
      throw this.#corrupt(entry.offset, `at most ${most} values`, `${entry.count}`)
    }
  }

  async read(ordinal: number): Promise<Buffer> {
    const { count, kind, offset } = this.#entry
    if (!(ordinal >= 0 && ordinal < count)) {
      throw this.#corrupt(offset, `a value below ${count}`, `${ordinal}`)
    }
    if (kind === 'blocks') {
      const terms = await this.#block(this.#entry, Math.floor(ordinal / blockTerms))
      return terms[ordinal % blockTerms]!
    }
    const known = this.#blocks.get(ordinal)
    if (known !== undefined) return known[0]!
    const [start, end] =
      kind === 'fixed'
        ? [ordinal * this.#entry.termBytes, (ordinal + 1) * this.#entry.termBytes]
        : await this.#ends(this.#entry, ordinal)
    if (!(start >= 0 && end >= start && end - start <= termBytesMax)) {
      throw this.#corrupt(offset, `a term of ${termBytesMax} bytes at most`, `${start} to ${end}`)
    }
    const term = Buffer.from(await this.#source.read(offset + start, end - start))
    this.#keep(ordinal, [term])
    return term
  }

  async #ends(
    entry: TermsEntry & { kind: 'addressed' },
    ordinal: number,
  ): Promise<[number, number]> {
    const { addresses, count } = entry
    const { offset, byteLength, blocks, blockShift } = addresses
    if (this.#starts === undefined) {
      const bytes = await this.#source.read(offset, byteLength)
      const cursor = new Cursor(this.#source.name, bytes, { baseOffset: offset })
      this.#starts = unpackMonotonic(cursor, blocks, { count: count + 1, blockShift })
    }
    return [this.#starts[ordinal]!, this.#starts[ordinal + 1]!]
  }

  async #block(entry: TermsEntry & { kind: 'blocks' }, block: number): Promise<Buffer[]> {
    const known = this.#blocks.get(block)
    if (known !== undefined) return known
    this.#starts ??= await this.#findBlocks(entry)
    const [start, end] = [this.#starts[block]!, this.#starts[block + 1]!]
    const bytes = await this.#source.read(start, end - start)
    const cursor = new Cursor(this.#source.name, bytes, { baseOffset: start })
    const terms = readTermBlock(cursor, entry.form, termsIn(entry, block))
    this.#keep(block, terms)
    return terms
  }

  #keep(key: number, terms: Buffer[]): void {
    this.#blocks.set(key, terms)
    this.#keptBytes += byteLengthOf(terms)
    for (const [oldest, left] of this.#blocks) {
      if (this.#keptBytes <= keptBytesMax || oldest === key) return
      this.#blocks.delete(oldest)
      this.#keptBytes -= byteLengthOf(left)
    }
  }

  async #findBlocks(entry: TermsEntry & { kind: 'blocks' }): Promise<Float64Array> {
    const { offset, byteLength, form, count } = entry
    const { name } = this.#source
    const end = offset + byteLength
    const starts = new Float64Array(Math.ceil(count / blockTerms) + 1)
    let cursor = new Cursor(name, Buffer.alloc(0), { baseOffset: offset })
    for (let block = 0; block + 1 < starts.length; block++) {
      const at = cursor.baseOffset + cursor.position
      if (
        cursor.bytes.length - cursor.position < blockBytesMax &&
        cursor.baseOffset + cursor.bytes.length < end
      ) {
        const bytes = await this.#source.read(at, Math.min(scanBytes + blockBytesMax, end - at))
        cursor = new Cursor(name, bytes, { baseOffset: at })
      }
      starts[block] = at
      readTermBlock(cursor, form, termsIn(entry, block))
    }
    starts[starts.length - 1] = cursor.baseOffset + cursor.position
    return starts
  }

  #corrupt(offset: number, expected: string, found: string): CorruptData {
    return new CorruptData({ file: this.#source.name, offset, expected, found })
  }
}

/** With what an object takes beside its bytes. */
function byteLengthOf(terms: readonly Buffer[]): number {
  return terms.reduce((sum, term) => sum + term.length + 100, 0)
}

function termsIn({ count }: TermsEntry, block: number): number {
  return Math.min(blockTerms, count - block * blockTerms)
}
