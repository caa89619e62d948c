import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readDocValuesMetaEs819 } from './doc-values-es819.ts'

/** Bytes of one part of a `.dvm`, by the grammar. */
const byte = (value: number) => Buffer.from([value])
const int16 = (value: number) => Buffer.from([value & 255, (value >> 8) & 255])
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
const int64 = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}
const allDocs = Buffer.concat([int64(-1), int64(0), int16(-1), byte(255)])
/** One block of rising numbers, whose own numbers do not matter here. */
const monotonic = Buffer.alloc(21)

function numeric(valueCount: number): Buffer {
  const blocks = [int32(16), monotonic, int64(100), int64(8), int64(50), int64(40)]
  return Buffer.concat([int64(valueCount), int32(valueCount), ...blocks, allDocs])
}

const plainBinary = Buffer.concat([int64(0), int64(9), allDocs, int32(3), int32(3), int32(3)])

function compressedBinary(docCount: number): Buffer {
  const blocks = [int64(9), ...[1, 900, 3, 16].map(vint), monotonic, int64(8)]
  const docs = [int64(17), monotonic, int64(8)]
  const head = [int64(0), int64(9), allDocs, int32(docCount), int32(1), int32(7)]
  return Buffer.concat([...head, ...(docCount === 0 ? [] : [...blocks, ...docs])])
}

/** A vint. */
function vint(value: number): Buffer {
  return value < 128 ? byte(value) : Buffer.concat([byte((value & 127) | 128), vint(value >> 7)])
}

function read(version: number, ...parts: Uint8Array[]): ReturnType<typeof readDocValuesMetaEs819> {
  const cursor = new Cursor('f.dvm', Buffer.concat([...parts, int32(-1)]), { littleEndian: true })
  return readDocValuesMetaEs819(cursor, { version, maxDoc: 600, fields: new Map() })
}

const field = (number: number, type: number) => Buffer.concat([int32(number), byte(type)])

test('version 0: numbers in blocks of 128', () => {
  const entries = read(0, field(1, 1), plainBinary, field(2, 0), numeric(100))
  assert.deepEqual([...entries.keys()], [2])
  const { values } = entries.get(2)!
  assert.ok(values.kind === 'tsdb')
  assert.deepEqual([values.shift, values.index.count, values.offset], [7, 1, 50])
})

test('version 1 says of binary values whether they are compressed', () => {
  const binaries = [
    [field(1, 1), byte(0), plainBinary],
    [field(3, 1), byte(1), compressedBinary(5)],
    [field(4, 1), byte(1), compressedBinary(0)],
  ].flat()
  const entries = read(1, ...binaries, field(2, 0), numeric(100))
  assert.deepEqual([...entries.keys()], [2])
})

test('version 2 says how many values a block has', () => {
  const entries = read(2, byte(9), field(2, 0), numeric(512))
  const { values } = entries.get(2)!
  assert.ok(values.kind === 'tsdb')
  assert.deepEqual([values.shift, values.index.count], [9, 1])
  for (const shift of [0, 6, 40]) {
    assert.throws(() => read(2, byte(shift), field(2, 0), numeric(512)), CorruptData)
  }
})
