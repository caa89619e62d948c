import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData, MigrationError } from '../base/errors.ts'
import {
  asShardFiles,
  loadShard,
  repairFooter,
  type FileBytes,
} from '../../test/support/memory-shard.ts'
import { readAnyHeader, readIdAndSuffix } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { openShardReader } from './open-shard-reader.ts'

/** Damage that is found beside the format's own checks: documents that no engine writes, and when a shard is checked. */

// Lucene 7.7, no compound file.
const shard = { set: 'elasticsearch-6.8.23/compressed', index: 'routed', shard: 1 }

test('a _seq_no above the highest of the commit is refused', async () => {
  const files = await loadShard(shard)
  assert.ok((await readAll(files)) > 1)
  const commit = [...files.keys()].find((name) => name.startsWith('segments_'))!
  const bytes = change(files, commit)
  // key:string, value:string, each after its length
  const value = bytes.indexOf('max_seq_no') + 'max_seq_no'.length + 1
  bytes.fill('0', value, value + bytes[value - 1]!)
  repairFooter(bytes)
  await assert.rejects(readAll(files), refused(/expected a _seq_no of 0 to 0, found \d+/))
})

test('a negative _seq_no is refused, save the -2 that stands for none', async () => {
  const files = await loadShard(shard)
  const name = [...files.keys()].find((one) => one.endsWith('.dvm'))!
  const good = Buffer.from(files.get(name)!)
  // Some place is what all numbers of the field are counted from.
  const least = BigInt(Math.min(...(await seqNosOf(files))))
  let taken = 0
  let found = 0
  for (let at = 60; at < good.length - 24; at++) {
    for (const becomes of [-2n, -3n]) {
      const bytes = change(files, name)
      good.copy(bytes)
      bytes.writeBigInt64BE(becomes - least, at)
      repairFooter(bytes)
      try {
        const seqNos = await seqNosOf(files)
        assert.ok(seqNos.every((one) => one >= -1))
        if (becomes === -2n && seqNos.includes(-1)) taken++
      } catch (error) {
        assert.ok(error instanceof MigrationError, String(error))
        if (/a _seq_no of 0 to \d+, found -3/.test(error.message)) found++
      }
    }
  }
  assert.ok(taken > 0 && found > 0, `${taken} taken, ${found} refused`)
})

test('a segment of more documents than its chunks can hold is refused before memory is taken for them', async () => {
  const files = await loadShard(shard)
  const name = [...files.keys()].find((one) => one.endsWith('.si'))!
  const bytes = change(files, name)
  const cursor = new Cursor(name, bytes)
  readAnyHeader(cursor)
  readIdAndSuffix(cursor)
  cursor.skip(12)
  if (cursor.readByte() === 1) cursor.skip(12)
  bytes.writeInt32BE(0x7fff_ffff, cursor.position)
  repairFooter(bytes)
  await assert.rejects(
    readAll(files),
    refused(/expected at most 65536 documents in each of \d+ chunks/),
  )
})

test('a document with a _source and without an id is refused, not passed over', async () => {
  const files = await loadShard(shard)
  for (const name of [...files.keys()].filter((one) => one.endsWith('.fnm'))) {
    const bytes = change(files, name)
    const at = bytes.indexOf('\x03_id')
    assert.ok(at > 0)
    bytes.write('\x03_ix', at)
    repairFooter(bytes)
  }
  await assert.rejects(readAll(files), refused(/expected an _id beside the _source, found none/))
})

test('an id of no bytes is refused', async () => {
  // Lucene 6.6: `type#id` as it stands, of which the last byte becomes the #, wherever that may be.
  const files = await loadShard({
    set: 'elasticsearch-5.6.16/compressed',
    index: 'children',
    shard: 0,
  })
  const name = [...files.keys()].find((one) => /\.(fdt|cfs)$/.test(one))!
  const bytes = change(files, name)
  const errors: unknown[] = []
  for (let at = bytes.indexOf('#', 1000); at > 0; at = bytes.indexOf('#', at + 1)) {
    for (let last = at + 1; last < at + 8; last++) {
      const was = bytes[last]!
      bytes.write('_', at)
      bytes.write('#', last)
      repairFooter(bytes)
      errors.push(await readAll(files).catch((error: unknown) => error))
      bytes[last] = was
      bytes.write('#', at)
    }
  }
  assert.ok(errors.some((error) => /expected an id, found no bytes/.test(String(error))))
})

test('check() finds damage before a block is read, and is left out of what was checked', async () => {
  const files = await loadShard(shard)
  const stored = [...files.keys()].find((name) => name.endsWith('.fdt'))!
  const bytes = change(files, stored)
  bytes[bytes.length >> 1]! ^= 1
  for (const checked of [false, true]) {
    const reader = await openShardReader(asShardFiles(files), { verify: 'full', checked })
    if (checked) await reader.check()
    else await assert.rejects(reader.check(), refused(/checksum/))
    await reader.close()
  }
})

const refused =
  (expected: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CorruptData, String(error))
    assert.match(error.message, expected)
    return true
  }

function change(files: FileBytes, name: string): Buffer {
  const bytes = Buffer.from(files.get(name)!)
  files.set(name, bytes)
  return bytes
}

async function readAll(files: FileBytes): Promise<number> {
  return (await seqNosOf(files)).length
}

async function seqNosOf(files: FileBytes): Promise<number[]> {
  const reader = await openShardReader(asShardFiles(files), { verify: 'full' })
  try {
    const seqNos: number[] = []
    for (const { name } of reader.segments) {
      for await (const block of reader.readBlocks(name)) {
        seqNos.push(...block.seqNo.subarray(0, block.count))
      }
    }
    return seqNos
  } finally {
    await reader.close()
  }
}
