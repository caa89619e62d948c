import type { NumericEntry } from './numeric-entry.ts'
import type { MonotonicBlock } from './packed.ts'

/**
 * Where the values of a sorted field lie: its distinct values in order, and for each document the number of its value
 * among them. Offsets are in bytes from the start of the data file.
 */
export interface SortedEntry {
  readonly ordinals: NumericEntry
  readonly terms: TermsEntry
}

export type TermsEntry = { readonly offset: number; readonly count: number } & (
  | { readonly kind: 'fixed'; readonly termBytes: number }
  /** One after the other; where each ends is in a monotonic sequence of `count + 1`. */
  | {
      readonly kind: 'addressed'
      readonly addresses: {
        readonly offset: number
        readonly byteLength: number
        readonly blocks: readonly MonotonicBlock[]
        readonly blockShift: number
      }
    }
  /** Blocks of 16 terms that share beginnings: see term-block.ts. */
  | { readonly kind: 'blocks'; readonly form: TermBlockForm; readonly byteLength: number }
)

export type TermBlockForm = 'v54' | 'v70'

/** Lucene takes no longer one. */
export const termBytesMax = 32766
