/** The values of sorted fields: blocks of terms that share beginnings, and where they lie. */
import assert from 'node:assert/strict'
import { memorySource } from '../../src/blob/sources.ts'
import { Cursor } from '../../src/bytes/cursor.ts'
import { DocsWithFieldReader } from '../../src/lucene/docs-with-field.ts'
import { termBytesMax, type TermsEntry } from '../../src/lucene/sorted-entry.ts'
import { SortedTerms } from '../../src/lucene/sorted-terms.ts'
import { readTermBlock } from '../../src/lucene/term-block.ts'
import { randomSource } from '../support/random-json.ts'
import { mutate, pick, pickOf, randomBytes, type Random } from './mutations.ts'
import type { Target } from './target.ts'

const file = 'terms'

/** A block of 16 small terms: nothing shared, one byte each. */
function block(form: 'v54' | 'v70'): Buffer {
  const rest = Array.from({ length: 15 }, (_, i) => [0, 0x61 + i]).flat()
  const lengths = form === 'v54' ? new Array<number>(15).fill(0) : []
  return Buffer.from([3, 0x61, 0x62, 0x63, ...lengths, ...rest])
}

const blocks: Target = {
  name: 'term-block',
  // Each byte may share all that a term can have.
  bytesPerByte: termBytesMax * 2,
  samples: () =>
    Promise.resolve(
      (['v54', 'v70'] as const).map((form) => ({
        name: form,
        bytes: block(form),
        vary: (random: Random) => mutate(random, block(form)),
        decode(hostile: Uint8Array) {
          const terms = readTermBlock(new Cursor(file, hostile), form, 16)
          assert.equal(terms.length, 16)
          for (const { length } of terms) assert.ok(length <= termBytesMax)
          return terms.map((term) => term.toString('latin1'))
        },
      })),
    ),
}

const terms: Target = {
  name: 'sorted-terms',
  bytesPerByte: termBytesMax * 2,
  samples: () =>
    Promise.resolve(
      Array.from({ length: 30 }, (_, i) => {
        const random = randomSource(i)
        const bytes = Buffer.concat([block('v54'), block('v70'), randomBytes(random, 100)])
        const entry = randomEntry(random, bytes.length)
        return {
          name: `${entry.kind} ${i}`,
          bytes,
          wild: true,
          vary: (random: Random) => mutate(random, bytes),
          async decode(hostile: Uint8Array) {
            const found = new SortedTerms(memorySource(file, hostile), entry)
            const texts: string[] = []
            for (const ordinal of [0, 1, 17, 3]) {
              if (ordinal < entry.count) texts.push((await found.read(ordinal)).toString('latin1'))
            }
            return texts
          },
        }
      }),
    ),
}

function randomEntry(random: Random, length: number): TermsEntry {
  const wild = (below: number): number =>
    random() < 0.9 ? pick(random, below) : pickOf(random, [-1, 2 ** 31, 2 ** 53 - 1, below])
  const common = { offset: wild(length / 2), count: wild(60) }
  return pickOf<() => TermsEntry>(random, [
    () => ({ kind: 'fixed', ...common, termBytes: wild(20) }),
    () => ({
      kind: 'addressed',
      ...common,
      addresses: { offset: wild(length), byteLength: wild(length), ...monotonic(random, wild) },
    }),
    () => ({
      kind: 'blocks',
      ...common,
      form: pickOf(random, ['v54', 'v70'] as const),
      byteLength: wild(length),
    }),
  ])()
}

function monotonic(random: Random, wild: (below: number) => number) {
  const blocks = Array.from({ length: 70 }, () => ({
    min: wild(100),
    average: pickOf(random, [0, 1.5, NaN, Infinity, -3e38]),
    offset: wild(20),
    bits: pickOf(random, [0, 1, 8, 64]),
  }))
  return { blocks, blockShift: 4 }
}

const maxDoc = 65536 + 300

/** Without any bits of their own. */
const rising = {
  blocks: Array.from({ length: 63 }, (_, b) => ({
    min: b * 1000,
    average: 50,
    offset: 0,
    bits: 0,
  })),
  blockShift: 4,
}

const listed: Target = {
  name: 'listed-docs',
  samples: () =>
    Promise.resolve(
      Array.from({ length: 20 }, (_, i) => {
        const random = randomSource(i)
        const bytes = randomBytes(random, 200)
        const wild = (below: number): number => pick(random, below)
        const where = { offset: wild(100), byteLength: wild(120), count: wild(1000) }
        const docs =
          i % 4 > 0
            ? ({ kind: 'listed', ...where, ...monotonic(random, wild) } as const)
            : ({ kind: 'listed', ...where, count: 1000, ...rising } as const)
        return {
          name: `${docs.count} documents, ${i}`,
          bytes,
          wild: true,
          vary: (random: Random) => mutate(random, bytes),
          async decode(hostile: Uint8Array) {
            const reader = new DocsWithFieldReader(memorySource(file, hostile), docs, maxDoc)
            const found: number[] = []
            for (const stretch of [0, 1]) {
              const { count, docs } = await reader.read(stretch)
              for (let i = 1; i < count; i++) assert.ok(docs[i]! > docs[i - 1]!, 'out of order')
              found.push(count)
            }
            return found
          },
        }
      }),
    ),
}

export const termTargets: readonly Target[] = [blocks, terms, listed]
