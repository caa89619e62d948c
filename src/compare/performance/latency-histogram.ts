/**
 * Latencies in microseconds, counted in buckets whose width grows with the value (the layout of HDR histograms):
 *
 *   bucket i < 128    holds i µs
 *   bucket i          holds [ m << e, (m + 1) << e ),  e = (i >> 7) - 1,  m = 128 + (i & 127)
 *
 * So a value is known to 0.8 % over six decades, in 13 KB, and two of them add up. That of node:perf_hooks shows no
 * buckets: it can neither be resampled nor be put into a record.
 */
const mantissaBits = 7
const mantissas = 1 << mantissaBits
const microsecondsMost = 2 ** 31 - 1
const bucketCount = bucketOf(microsecondsMost) + 1

function bucketOf(microseconds: number): number {
  if (microseconds < mantissas) return microseconds
  const exponent = 31 - Math.clz32(microseconds) - mantissaBits
  return ((exponent + 1) << mantissaBits) + ((microseconds >> exponent) - mantissas)
}

/** The middle of a bucket, in milliseconds. */
export function bucketMs(bucket: number): number {
  if (bucket < mantissas) return bucket / 1000
  const exponent = (bucket >> mantissaBits) - 1
  const low = (mantissas + (bucket & (mantissas - 1))) * 2 ** exponent
  return (low + 2 ** exponent / 2) / 1000
}

/** The buckets of a histogram that are not empty, in order. */
export interface BucketCounts {
  readonly buckets: Uint16Array
  readonly counts: Uint32Array
  readonly total: number
}

export const noCounts: BucketCounts = {
  buckets: new Uint16Array(0),
  counts: new Uint32Array(0),
  total: 0,
}

/** A histogram that is being filled. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(bucketCount)
  #total = 0
  #lowest = bucketCount
  #highest = 0

  get total(): number {
    return this.#total
  }

  /** From 0 to 35 minutes; what is above counts as that. */
  record(ms: number): void {
    const microseconds = Math.min(microsecondsMost, Math.max(0, Math.round(ms * 1000)))
    const bucket = bucketOf(microseconds)
    this.#counts[bucket]!++
    this.#total++
    this.#lowest = Math.min(this.#lowest, bucket)
    this.#highest = Math.max(this.#highest, bucket)
  }

  /** What was recorded since the last time; it is empty afterwards. */
  take(): BucketCounts {
    if (this.#total === 0) return noCounts
    const buckets: number[] = []
    for (let bucket = this.#lowest; bucket <= this.#highest; bucket++) {
      if (this.#counts[bucket]! > 0) buckets.push(bucket)
    }
    const taken = {
      buckets: Uint16Array.from(buckets),
      counts: Uint32Array.from(buckets, (bucket) => this.#counts[bucket]!),
      total: this.#total,
    }
    this.#counts.fill(0, this.#lowest, this.#highest + 1)
    this.#total = 0
    this.#lowest = bucketCount
    this.#highest = 0
    return taken
  }
}

/** Adds up; in order of buckets again. */
export function addCounts(all: readonly BucketCounts[]): BucketCounts {
  const sums = new Map<number, number>()
  for (const { buckets, counts } of all) {
    buckets.forEach((bucket, i) => sums.set(bucket, (sums.get(bucket) ?? 0) + counts[i]!))
  }
  const buckets = [...sums.keys()].sort((a, b) => a - b)
  return {
    buckets: Uint16Array.from(buckets),
    counts: Uint32Array.from(buckets, (bucket) => sums.get(bucket)!),
    total: all.reduce((sum, { total }) => sum + total, 0),
  }
}

/** The bucket in which the share `q` of all values is reached, in milliseconds; 0 where there are none. */
export function quantileOf({ buckets, counts, total }: BucketCounts, q: number): number {
  let left = Math.ceil(q * total)
  for (let i = 0; i < buckets.length; i++) {
    left -= counts[i]!
    if (left <= 0) return bucketMs(buckets[i]!)
  }
  return 0
}
