import { MigrationError } from '../base/errors.ts'

/** Both ends belong to it. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** 1.6 MB at most, in memory. */
const intervalsMaxDefault = 100_000

/**
 * A set of whole numbers from 0 to 2^53 - 1 as the intervals that they form: numbers that come nearly in order cost next
 * to nothing, however many they are.
 *
 * It holds `intervalsMax` intervals at most. When there would be more it forgets the shortest ones, down to half: what is
 * forgotten is looked for once more, and nothing is ever held for a number that was not added.
 */
export class IntervalSet {
  readonly #intervalsMax: number
  /** from, to, from, to … ascending, with at least one number between two intervals. */
  #bounds = new Float64Array(16)
  #count = 0
  #size = 0

  constructor({ intervalsMax = intervalsMaxDefault }: { intervalsMax?: number } = {}) {
    this.#intervalsMax = intervalsMax
  }

  /** How many numbers are in it. */
  get size(): number {
    return this.#size
  }

  get intervals(): number {
    return this.#count
  }

  /** True when it is new. */
  add(number: number): boolean {
    return this.addRange(number, number) > 0
  }

  /** Adds `from` to `to`, both included; nothing where `to` is below. Gives how many were new. */
  addRange(from: number, to: number): number {
    if (to < from) return 0
    const first = this.#firstEndingAt(from - 1)
    let after = first
    let held = 0
    let low = from
    let high = to
    for (; after < this.#count && this.#from(after) <= to + 1; after++) {
      const [oneFrom, oneTo] = [this.#from(after), this.#to(after)]
      held += Math.max(0, Math.min(oneTo, to) - Math.max(oneFrom, from) + 1)
      low = Math.min(low, oneFrom)
      high = Math.max(high, oneTo)
    }
    const added = to - from + 1 - held
    if (added === 0) return 0
    this.#replace(first, after, low, high)
    this.#size += added
    if (this.#count > this.#intervalsMax) this.#forgetShortest()
    return added
  }

  has(number: number): boolean {
    const at = this.#firstEndingAt(number)
    return at < this.#count && this.#from(at) <= number
  }

  /** The stretches between `from` and `to`, both included, that are not in it; ascending. */
  *missing(from: number, to: number): Generator<Interval> {
    let next = from
    for (let at = this.#firstEndingAt(from); at < this.#count && next <= to; at++) {
      const oneFrom = this.#from(at)
      if (oneFrom > to) break
      if (oneFrom > next) yield { from: next, to: oneFrom - 1 }
      next = this.#to(at) + 1
    }
    if (next <= to) yield { from: next, to }
  }

  /** The highest number up to which, from 0 on, every one is in it; -1: not even 0. */
  get completeTo(): number {
    return this.#count > 0 && this.#from(0) === 0 ? this.#to(0) : -1
  }

  /** Takes out all numbers above. Gives how many. */
  removeAbove(number: number): number {
    const before = this.#size
    while (this.#count > 0 && this.#to(this.#count - 1) > number) {
      const last = this.#count - 1
      const from = this.#from(last)
      this.#size -= this.#to(last) - Math.max(from - 1, number)
      if (from > number) this.#count--
      else this.#bounds[last * 2 + 1] = number
    }
    return before - this.#size
  }

  merge(other: IntervalSet): number {
    let added = 0
    for (const { from, to } of other) added += this.addRange(from, to)
    return added
  }

  *[Symbol.iterator](): Generator<Interval> {
    for (let at = 0; at < this.#count; at++) yield { from: this.#from(at), to: this.#to(at) }
  }

  /** For each interval, how far it lies behind the end of the one before (the first: behind 0), and its length less 1. */
  toJSON(): number[] {
    const numbers: number[] = []
    let end = 0
    for (const { from, to } of this) {
      numbers.push(from - end, to - from)
      end = to
    }
    return numbers
  }

  /** Throws MA_STATE for what toJSON() cannot have given. */
  static fromJSON(numbers: readonly number[], options?: { intervalsMax?: number }): IntervalSet {
    const set = new IntervalSet(options)
    let end = 0
    if (numbers.length % 2 !== 0) throw notIntervals(numbers.length)
    for (let at = 0; at < numbers.length; at += 2) {
      const from = end + numbers[at]!
      const to = from + numbers[at + 1]!
      const ascends = numbers[at]! >= (at === 0 ? 0 : 2) && numbers[at + 1]! >= 0
      if (!ascends || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
        throw notIntervals(at)
      }
      set.addRange(from, to)
      end = to
    }
    return set
  }

  #from(at: number): number {
    return this.#bounds[at * 2]!
  }

  #to(at: number): number {
    return this.#bounds[at * 2 + 1]!
  }

  /** Position of the first interval that ends at this number or above. */
  #firstEndingAt(number: number): number {
    // Mostly it is the last one, or behind it.
    if (this.#count === 0 || this.#to(this.#count - 1) < number) return this.#count
    let low = 0
    let high = this.#count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#to(middle) >= number) high = middle
      else low = middle + 1
    }
    return low
  }

  /** One interval in the place of those from `first` up to, not including, `after`. */
  #replace(first: number, after: number, from: number, to: number): void {
    const count = this.#count + 1 - (after - first)
    if (count * 2 > this.#bounds.length) {
      const grown = new Float64Array(this.#bounds.length * 2)
      grown.set(this.#bounds)
      this.#bounds = grown
    }
    if (after - first !== 1) {
      this.#bounds.copyWithin((first + 1) * 2, after * 2, this.#count * 2)
    }
    this.#bounds[first * 2] = from
    this.#bounds[first * 2 + 1] = to
    this.#count = count
  }

  #forgetShortest(): void {
    const lengths = Float64Array.from(
      { length: this.#count },
      (_, at) => this.#to(at) - this.#from(at),
    )
    const keep = this.#intervalsMax >>> 1
    const longest = lengths.toSorted()[this.#count - 1 - keep]!
    let drop = this.#count - keep
    let kept = 0
    for (let at = 0; at < this.#count; at++) {
      if (drop > 0 && lengths[at]! <= longest) {
        drop--
        this.#size -= lengths[at]! + 1
        continue
      }
      this.#bounds[kept * 2] = this.#from(at)
      this.#bounds[kept * 2 + 1] = this.#to(at)
      kept++
    }
    this.#count = kept
  }
}

function notIntervals(at: number): MigrationError {
  return new MigrationError(
    'MA_STATE',
    `the state holds numbers of a shard that are no intervals (position ${at}): it was damaged, or changed by hand`,
    { details: { position: at } },
  )
}
