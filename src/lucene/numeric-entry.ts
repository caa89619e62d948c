import type { MonotonicBlock } from './packed.ts'

/**
 * Where the numbers of one field lie in a doc values data file and how they are packed: the common result of all
 * versions. Offsets are in bytes from the start of that file. int64 stay bigint here: there are few.
 */
export interface NumericEntry {
  /** Which documents have a number. */
  readonly docs: DocsWithField
  /** Numbers in all. */
  readonly valueCount: number
  readonly values: PackedValues
}

export type DocsWithField =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  /** Blocks of 65536 documents each (IndexedDISI). */
  | {
      readonly kind: 'blocks'
      readonly offset: number
      readonly byteLength: number
      /** Bytes before the bits of a dense block that help to jump into it. */
      readonly rankBytes: number
    }
  /** The numbers of the documents, rising: fewer than one in a hundred (Lucene 5.4 to 6.x). */
  | {
      readonly kind: 'listed'
      readonly offset: number
      readonly byteLength: number
      readonly blocks: readonly MonotonicBlock[]
      readonly count: number
      readonly blockShift: number
    }
  /** One bit a document, low bit first (Lucene 5.4 to 6.x). */
  | { readonly kind: 'bits'; readonly offset: number }

export type PackedValues =
  | { readonly kind: 'constant'; readonly value: bigint }
  /** value = min + gcd × packed */
  | {
      readonly kind: 'linear'
      readonly offset: number
      readonly byteLength: number
      readonly bitsPerValue: number
      readonly min: bigint
      readonly gcd: bigint
    }
  /** value = table[packed] */
  | {
      readonly kind: 'table'
      readonly offset: number
      readonly byteLength: number
      readonly bitsPerValue: number
      readonly table: readonly bigint[]
    }
  /** Blocks of 2^shift values, each with its own width: value = block's min + gcd × packed */
  | {
      readonly kind: 'varying'
      readonly offset: number
      readonly byteLength: number
      readonly shift: number
      readonly gcd: bigint
    }
  /** Blocks of 2^shift values, see readTsdbBlock(). */
  | {
      readonly kind: 'tsdb'
      readonly shift: number
      readonly offset: number
      readonly byteLength: number
      /** Where the blocks begin, from `offset`. */
      readonly index: {
        readonly offset: number
        readonly byteLength: number
        readonly blocks: readonly MonotonicBlock[]
        readonly count: number
        readonly blockShift: number
      }
    }
