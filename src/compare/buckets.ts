import type { Side } from '../cluster/cluster.ts'
import type { ScannedDocument } from './scanned-document.ts'

/** 2^20 buckets of 16 bytes: what a comparison holds, however many documents there are. */
export const bucketsMax = 2 ** 20
const documentsPerBucket = 32

type Summed = Pick<ScannedDocument, 'id1' | 'whole1' | 'whole2'>

/**
 * The documents of both sides, summed by a hash of their id. A bucket holds the number of documents of either side and
 * the difference of their digests' sums (modulo 2^32 in each half): sums and not exclusive-or, so that one document
 * standing twice does not vanish. Buckets of parts of the documents are added up to those of all.
 */
export class Buckets {
  readonly count: number
  readonly source: Int32Array
  readonly target: Int32Array
  /** All four columns, one behind the other. */
  readonly #columns: Int32Array
  readonly #difference1: Int32Array
  readonly #difference2: Int32Array

  constructor(documentsExpected: number, countMax = bucketsMax) {
    let count = 256
    while (count * 2 <= countMax && count * documentsPerBucket < documentsExpected) count *= 2
    this.count = count
    this.#columns = new Int32Array(count * 4)
    const column = (n: number): Int32Array => this.#columns.subarray(n * count, (n + 1) * count)
    this.source = column(0)
    this.target = column(1)
    this.#difference1 = column(2)
    this.#difference2 = column(3)
  }

  /** Empty ones that can be added to these. */
  alike(): Buckets {
    return new Buckets(this.count * documentsPerBucket)
  }

  bucketOf(document: Pick<ScannedDocument, 'id1'>): number {
    return document.id1 & (this.count - 1)
  }

  add(side: Side, document: Summed): void {
    const bucket = this.bucketOf(document)
    if (side === 'source') {
      this.source[bucket]! += 1
      this.#difference1[bucket]! += document.whole1
      this.#difference2[bucket]! += document.whole2
    } else {
      this.target[bucket]! += 1
      this.#difference1[bucket]! -= document.whole1
      this.#difference2[bucket]! -= document.whole2
    }
  }

  /** Adds the documents of others, of as many buckets. */
  addAll(others: Buckets): void {
    const from = others.#columns
    const into = this.#columns
    for (let i = 0; i < into.length; i++) into[i]! += from[i]!
  }

  /** The buckets whose documents are not the same on both sides, in order. */
  differing(): number[] {
    const found: number[] = []
    for (let bucket = 0; bucket < this.count; bucket++) {
      if (
        this.source[bucket] !== this.target[bucket] ||
        this.#difference1[bucket] !== 0 ||
        this.#difference2[bucket] !== 0
      )
        found.push(bucket)
    }
    return found
  }

  total(side: Side): number {
    return this[side].reduce((sum, count) => sum + count, 0)
  }

  /** All that they hold, for fromBytes(). */
  bytes(): Buffer {
    const { buffer, byteOffset, byteLength } = this.#columns
    return Buffer.from(buffer, byteOffset, byteLength)
  }

  /** undefined where these bytes are not those of buckets. */
  static fromBytes(bytes: Buffer): Buckets | undefined {
    const count = bytes.length / 16
    const isCount = count >= 256 && count <= bucketsMax && Number.isInteger(Math.log2(count))
    if (!isCount) return undefined
    const buckets = new Buckets(count * documentsPerBucket)
    buckets.bytes().set(bytes)
    return buckets
  }
}
