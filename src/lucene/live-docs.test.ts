import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'
import type { Directory } from '../blob/byte-source.ts'
import { memorySource } from '../blob/sources.ts'
import { readLiveDocs, readLiveStretch } from './live-docs.ts'

const id = Buffer.alloc(16, 7)

/** A `.liv` of generation 1 with these words, in the byte order of the format. */
function file(codec: string, words: readonly bigint[], littleEndian: boolean): Directory {
  const bits = Buffer.alloc(words.length * 8)
  words.forEach((word, i) => {
    if (littleEndian) bits.writeBigUInt64LE(word, i * 8)
    else bits.writeBigUInt64BE(word, i * 8)
  })
  const magic = Buffer.from('3fd76c17', 'hex')
  const name = Buffer.concat([Buffer.from([codec.length]), Buffer.from(codec), Buffer.alloc(4)])
  const body = Buffer.concat([magic, name, id, Buffer.from('\x011'), bits])
  const footer = Buffer.alloc(16)
  footer.writeInt32BE(~0x3fd76c17, 0)
  footer.writeUInt32BE(crc32(Buffer.concat([body, footer.subarray(0, 8)])), 12)
  const bytes = Buffer.concat([body, footer])
  return {
    name: 'shard',
    names: () => ['_0_1.liv'],
    has: (wanted) => wanted === '_0_1.liv',
    open: (wanted) => Promise.resolve(memorySource(wanted, bytes)),
  }
}

for (const { codec, littleEndian } of [
  { codec: 'Lucene50LiveDocs', littleEndian: false },
  { codec: 'Lucene90LiveDocs', littleEndian: true },
]) {
  test(`${codec}: the bits of each word stand where its byte order puts them`, async () => {
    const words = [0b101n, 1n << 63n, 0b11n]
    const segment = { name: '_0', id, delGen: 1, delCount: 130 - 5 }
    const live = await readLiveDocs(file(codec, words, littleEndian), segment, 130)
    const alive = Array.from({ length: 130 }, (_, doc) => doc).filter((doc) => live.isLive(doc))
    assert.deepEqual(alive, [0, 2, 127, 128, 129])
  })

  test(`${codec}: a stretch says the same as the whole`, async () => {
    const words = [0b101n, 1n << 63n, 0n, 0b11n]
    const directory = file(codec, words, littleEndian)
    const segment = { name: '_0', id, delGen: 1, delCount: 194 - 5 }
    const whole = await readLiveDocs(directory, segment, 194)
    for (const [fromDoc, toDoc] of [
      [0, 194],
      [64, 130],
      [128, 194],
      [192, 194],
    ] as const) {
      const live = await readLiveStretch(directory, segment, { maxDoc: 194, fromDoc, toDoc })
      for (let doc = fromDoc; doc < toDoc; doc++) {
        assert.equal(live.isLive(doc), whole.isLive(doc), `${fromDoc}-${toDoc}: ${doc}`)
        assert.equal(live.anyLive(doc, toDoc), whole.anyLive(doc, toDoc), `${doc} to ${toDoc}`)
      }
    }
  })

  test(`${codec}: another number of deleted documents than the commit says is refused`, async () => {
    const segment = { name: '_0', id, delGen: 1, delCount: 3 }
    const wrong = readLiveDocs(file(codec, [1n], littleEndian), segment, 3)
    await assert.rejects(wrong, CorruptData)
  })
}
