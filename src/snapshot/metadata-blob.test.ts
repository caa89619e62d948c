import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import {
  loadBlobs,
  memoryStore,
  metadataBlob,
  repairChecksum,
} from '../../test/support/memory-store.ts'
import { CorruptData, FormatTooNew, FormatTooOld, MigrationError } from '../base/errors.ts'
import { parseGlobalMetadata } from './global-metadata.ts'
import { parseIndexMetadata } from './index-metadata.ts'
import {
  metadataBytesMax,
  parseJson,
  parseMetadataBlob,
  readMetadataBlob,
} from './metadata-blob.ts'
import type { MetadataCodec } from './metadata-blob.ts'
import { parseSnapshotInfo } from './snapshot-info.ts'

const fixtures = join(import.meta.dirname, '../../test/fixtures')

/** One blob of each kind, compressed and plain, and what its reader makes of it. */
const samples = ['elasticsearch-7.10.2/reduced', 'elasticsearch-7.10.2/uncompressed'].flatMap(
  (set) => {
    const blobs = loadBlobs(join(fixtures, set, 'repository'))
    const find = (pattern: RegExp): Buffer => {
      const [, bytes] = [...blobs].find(([path]) => pattern.test(path))!
      return Buffer.from(bytes)
    }
    const indexMetadata = find(/^indices\/[^/]+\/meta-/)
    const json = parseMetadataBlob(indexMetadata, 'f', 'index-metadata') as object
    const index = Object.keys(json)[0]!
    return [
      { set, codec: 'snapshot', bytes: find(/^snap-/), read: parseSnapshotInfo },
      { set, codec: 'metadata', bytes: find(/^meta-/), read: parseGlobalMetadata },
      {
        set,
        codec: 'index-metadata',
        bytes: indexMetadata,
        read: (value: Parameters<typeof parseIndexMetadata>[0], file: string) =>
          parseIndexMetadata(value, file, index),
      },
    ] as const
  },
)

for (const { set, codec, bytes: good, read } of samples) {
  const parse = (bytes: Buffer): unknown => read(parseMetadataBlob(bytes, 'f', codec), 'f')

  test(`${set} ${codec}: every truncation and every flipped bit is a typed error`, () => {
    assert.doesNotThrow(() => parse(good))
    for (let length = 0; length < good.length; length++) {
      assert.throws(() => parse(good.subarray(0, length)), MigrationError)
    }
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bytes = Buffer.from(good)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      assert.throws(() => parse(bytes), MigrationError)
    }
  })

  test(`${set} ${codec}: damage under a right checksum gives a value or a typed error`, (t) => {
    const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31))
    t.diagnostic(`FUZZ_SEED=${seed}`)
    let state = seed
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(good)
      for (let i = 0; i <= round % 3; i++) bytes[random(bytes.length - 8)] = random(256)
      const cut = round % 5 === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
      try {
        if (cut.length > 8) parse(repairChecksum(cut))
      } catch (error) {
        assert(error instanceof MigrationError, `round ${round}: ${String(error)}`)
      }
    }
  })
}

test('wrong versions, codecs and contents have their types', async () => {
  const parse = (bytes: Buffer, codec: MetadataCodec = 'snapshot'): unknown =>
    parseMetadataBlob(bytes, 'f', codec)
  assert.deepEqual(parse(metadataBlob('snapshot', { a: 1 })), { a: 1 })
  assert.throws(() => parse(metadataBlob('snapshot', {}, 2)), FormatTooNew)
  assert.throws(() => parse(metadataBlob('snapshot', {}, 0)), FormatTooOld)
  assert.throws(() => parse(metadataBlob('metadata', {})), CorruptData)
  assert.throws(() => parse(metadataBlob('snapshot', Buffer.from('ZV\x01'))), CorruptData)
  assert.throws(() => parse(metadataBlob('snapshot', Buffer.alloc(0))), CorruptData)
  assert.throws(
    () => parse(metadataBlob('snapshot', Buffer.from('{"a":"\xff"}', 'latin1'))),
    CorruptData,
  )
  await assert.rejects(
    readMetadataBlob(memoryStore(new Map()), 'snap-x.dat', 'snapshot'),
    (error: MigrationError) => error.code === 'MA_BLOB_MISSING',
  )
})

test('a DEFLATE stream that would fill the memory is refused', () => {
  const zeros = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_FULL_FLUSH })
  const stream = new Array<Buffer>(metadataBytesMax / 2 ** 20 + 1).fill(zeros)
  const bomb = metadataBlob('snapshot', Buffer.concat([Buffer.from('DFL\0'), ...stream]))
  assert(bomb.length < 1_000_000)
  assert.throws(() => parseMetadataBlob(bomb, 'f', 'snapshot'), /bytes inflated/)
})

test('JSON of more levels than SMILE may have is CorruptData, and no walk runs out of stack', () => {
  const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  assert.ok(Array.isArray(parseJson(nested(1000), 'a file')))
  assert.throws(() => parseJson(nested(1001), 'a file'), CorruptData)
  assert.throws(() => parseJson(nested(100_000), 'a file'), CorruptData)
})
