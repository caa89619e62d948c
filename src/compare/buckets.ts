import type { Side } from '../cluster/cluster.ts'
import type { ScannedDocument } from './scanned-document.ts'

/** 2^20 buckets of 16 bytes: what a comparison holds, however many documents there are. */
const bucketsMax = 2 ** 20
const documentsPerBucket = 32

/**
 * The documents of both sides, summed by a hash of their id. A bucket holds the number of documents of either side and
 * the difference of their digests' sums (modulo 2^32 in each half): sums and not exclusive-or, so that one document
 * standing twice does not vanish.
 */
export class Buckets {
  readonly count: number
  readonly source: Int32Array
  readonly target: Int32Array
  readonly #difference1: Int32Array
  readonly #difference2: Int32Array

  constructor(documentsExpected: number) {
    let count = 256
    while (count < bucketsMax && count * documentsPerBucket < documentsExpected) count *= 2
    this.count = count
    this.source = new Int32Array(count)
    this.target = new Int32Array(count)
    this.#difference1 = new Int32Array(count)
    this.#difference2 = new Int32Array(count)
  }

  bucketOf(document: Pick<ScannedDocument, 'id1'>): number {
    return document.id1 & (this.count - 1)
  }

  add(side: Side, document: Pick<ScannedDocument, 'id1' | 'whole1' | 'whole2'>): void {
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
}
