import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { memorySource } from '../blob/sources.ts'
import { NumericColumn } from './numeric-column.ts'
import type { DocsWithField, PackedValues } from './numeric-entry.ts'
import { packedBytes } from './packed.ts'

/** Packs values as Lucene does: big-endian, without gaps. */
function pack(values: readonly number[], bits: number): Buffer {
  const text = values.map((value) => value.toString(2).padStart(bits, '0')).join('')
  const bytes = Buffer.alloc(packedBytes(values.length, bits))
  for (let i = 0; i < text.length; i++) if (text[i] === '1') bytes[i >> 3]! |= 128 >> (i & 7)
  return bytes
}

function column(
  bytes: Uint8Array,
  { docs, values, maxDoc }: { docs: DocsWithField; values: PackedValues; maxDoc: number },
): NumericColumn {
  return new NumericColumn(
    memorySource('f.dvd', bytes),
    { docs, valueCount: maxDoc, values },
    maxDoc,
  )
}

const all = { kind: 'all' } as const

test('a constant, for all documents and for none', async () => {
  const values = { kind: 'constant', value: 7n } as const
  const some = column(new Uint8Array(0), { docs: all, values, maxDoc: 3 })
  await some.load(0)
  assert.deepEqual([...some.values], [7, 7, 7])
  const none = column(new Uint8Array(0), { docs: { kind: 'none' }, values, maxDoc: 3 })
  await none.load(0)
  assert.deepEqual([...none.values], [-1, -1, -1])
})

test('min and common divisor, in every stretch of a long segment', async () => {
  const maxDoc = 65536 * 2 + 5
  const packed = Array.from({ length: maxDoc }, (_, i) => i % 4000)
  const bytes = Buffer.concat([Buffer.alloc(3), pack(packed, 12)])
  const values = {
    kind: 'linear',
    offset: 3,
    byteLength: bytes.length - 3,
    bitsPerValue: 12,
    min: 5n,
    gcd: 10n,
  } as const
  const long = column(bytes, { docs: all, values, maxDoc })
  await long.load(2)
  assert.deepEqual(
    [...long.values.subarray(0, 6)],
    [...packed.slice(65536 * 2).map((value) => 5 + 10 * value), -1],
  )
  await long.load(0)
  assert.equal(long.values[4001], 5 + 10)
  const cut = column(bytes.subarray(0, 1000), { docs: all, values, maxDoc })
  await assert.rejects(cut.load(0), CorruptData)
})

test('a table, and an index outside it', async () => {
  const bytes = pack([0, 2, 1, 3], 2)
  const table = [10n, 20n, 30n]
  const values = { kind: 'table', offset: 0, byteLength: 1, bitsPerValue: 2, table } as const
  const good = column(bytes, { docs: all, values, maxDoc: 3 })
  await good.load(0)
  assert.deepEqual([...good.values], [10, 30, 20])
  await assert.rejects(column(bytes, { docs: all, values, maxDoc: 4 }).load(0), /table of 3/)
})

test('blocks of varying width', async () => {
  const head = (bits: number, min: bigint, length?: number): Buffer => {
    const bytes = Buffer.alloc(length === undefined ? 9 : 13)
    bytes[0] = bits
    bytes.writeBigInt64BE(min, 1)
    if (length !== undefined) bytes.writeInt32BE(length, 9)
    return bytes
  }
  const bytes = Buffer.concat([
    head(8, 100n, 4),
    pack([1, 2, 3, 4], 8),
    head(0, 55n),
    head(64, 2n ** 40n, 16),
    Buffer.alloc(16).fill(0),
  ])
  const values = {
    kind: 'varying',
    offset: 0,
    byteLength: bytes.length,
    shift: 2,
    gcd: 1n,
  } as const
  const good = column(bytes, { docs: all, values, maxDoc: 10 })
  await good.load(0)
  assert.deepEqual([...good.values], [101, 102, 103, 104, 55, 55, 55, 55, 2 ** 40, 2 ** 40])
  bytes[0] = 7
  await assert.rejects(column(bytes, { docs: all, values, maxDoc: 10 }).load(0), CorruptData)
})

test('documents without the field have -1: sparse blocks, dense blocks, blocks in full', async () => {
  const maxDoc = 65536 * 4
  const int16 = (...numbers: number[]): Buffer => {
    const bytes = Buffer.alloc(numbers.length * 2)
    numbers.forEach((number, i) => bytes.writeUInt16BE(number, i * 2))
    return bytes
  }
  const bits = Buffer.alloc(8192)
  for (let doc = 0; doc < 65536; doc += 2) bits[(doc >> 3) ^ 7]! |= 1 << (doc & 7)
  const docsBytes = Buffer.concat([
    int16(0, 1, 3, 40000),
    int16(2, 32767),
    Buffer.alloc(256),
    bits,
    int16(3, 65535),
    int16(0x7fff, 0, 0xffff),
  ])
  const count = 2 + 32768 + 65536
  const packed = Array.from({ length: count }, (_, i) => i % 251)
  const bytes = Buffer.concat([docsBytes, pack(packed, 8)])
  const docs = { kind: 'blocks', offset: 0, byteLength: docsBytes.length, rankBytes: 256 } as const
  const values = {
    kind: 'linear',
    offset: docsBytes.length,
    byteLength: count,
    bitsPerValue: 8,
    min: 0n,
    gcd: 1n,
  } as const
  const some = column(bytes, { docs, values, maxDoc })
  await some.load(3)
  assert.equal(some.values[9], packed[2 + 32768 + 9])
  await some.load(0)
  assert.deepEqual([some.values[2], some.values[3], some.values[40000]], [-1, 0, 1])
  await some.load(1)
  assert.ok(some.values.every((value) => value === -1))
  await some.load(2)
  assert.deepEqual([some.values[0], some.values[1], some.values[10]], [2, -1, 7])
  let seen = 0
  await some.eachDoc({ fromDoc: 0, toDoc: maxDoc }, () => seen++)
  assert.equal(seen, count)
})

test('one bit a document, as Lucene 6 has it', async () => {
  const values = {
    kind: 'linear',
    offset: 1,
    byteLength: 4,
    bitsPerValue: 8,
    min: 0n,
    gcd: 1n,
  } as const
  const bytes = Buffer.from([0b1010, 11, 22, 33, 44])
  const some = column(bytes, { docs: { kind: 'bits', offset: 0 }, values, maxDoc: 4 })
  await some.load(0)
  assert.deepEqual([...some.values], [-1, 22, -1, 44])
})
