/** The files of Lucene, each as part of a shard that is read from its commit to its last document. */
import assert from 'node:assert/strict'
import { footerBytes } from '../../src/bytes/codec.ts'
import type { DocumentBlock } from '../../src/document/document-block.ts'
import { documentAt } from '../../src/document/document-block.ts'
import { openShardReader } from '../../src/document/open-shard-reader.ts'
import { asShardFiles } from '../support/memory-shard.ts'
import type { FileBytes } from '../support/memory-shard.ts'
import { mutate } from './mutations.ts'
import { fuzzShards, sealed } from './shards.ts'
import type { FuzzShard, ShardPart } from './shards.ts'
import type { Sample, Target } from './target.ts'

/** Samples of each format of a kind of file: the shortest shards that have it. */
const samplesOfFormat = 2

/** DEFLATE and LZ4 give at most 1032 bytes for one, and Zstandard 2^15; it is copied, and memory grows in steps. */
const bytesPerByte = 1032 * 4
const bytesPerByteOfZstd = 2 ** 15 * 4
const workPerByte = 1200

function ofFiles(extension: string): Target {
  return {
    name: extension,
    workPerByte,
    bytesPerByte,
    async samples() {
      const shards = await fuzzShards()
      const taken = new Map<string, number>()
      const samples: Sample[] = []
      for (const shard of shards) {
        const parts = shard.parts.filter((part) => part.extension === extension)
        for (const part of parts) {
          // A member of a compound file and a file by itself are found in two ways.
          const kind = `${part.format} ${part.name.includes('!')}`
          const count = taken.get(kind) ?? 0
          if (count >= samplesOfFormat) continue
          taken.set(kind, count + 1)
          const donors = parts.map(({ bytes }) => bytes)
          samples.push(partSample(shard, part, donors))
        }
      }
      return samples
    },
  }
}

function partSample(shard: FuzzShard, part: ShardPart, donors: Uint8Array[]): Sample {
  const { bytes, headBytes } = part
  const footer = bytes.subarray(-footerBytes)
  const content = bytes.subarray(0, -footerBytes)
  const isZstd = shard.parts.some(({ format }) => /zstd/i.test(format))
  let inputBytes = 0
  for (const file of shard.files.values()) inputBytes += file.length
  return {
    name: `${shard.name} ${part.name}, ${part.format}`,
    bytes,
    inputBytes,
    ...(isZstd && { bytesPerByte: bytesPerByteOfZstd }),
    // A member is put into a compound file whose own checksum is right.
    guarded: !part.name.includes('!'),
    vary: (random) => sealed(mutate(random, content, { from: headBytes, donors }), footer),
    decode: (hostile) => readShard(part.replace(hostile)),
  }
}

/** All documents of a shard, each block checked for what later stages rely on. */
async function readShard(files: FileBytes): Promise<unknown> {
  const reader = await openShardReader(asShardFiles(files), { verify: 'full' })
  const documents: unknown[] = []
  try {
    for (const { name, maxDoc } of reader.segments) {
      let next = 0
      for await (const block of reader.readBlocks(name)) {
        assert.equal(block.fromDoc, next, 'a stretch left out')
        assert.ok(
          block.toDoc > block.fromDoc && block.toDoc <= maxDoc,
          'a stretch beyond the segment',
        )
        next = block.toDoc
        checkBlock(block)
        for (let i = 0; i < block.count; i++) documents.push(documentAt(block, i))
      }
      assert.equal(next, maxDoc, 'the end of the segment left out')
    }
  } finally {
    await reader.close()
  }
  return documents
}

function checkBlock(block: DocumentBlock): void {
  const { count, bytes } = block
  let last = block.fromDoc - 1
  for (let i = 0; i < count; i++) {
    const doc = block.doc[i]!
    assert.ok(doc > last && doc < block.toDoc, 'documents out of order')
    last = doc
    const columns = [
      ['id', block.idStart[i]!, block.idEnd[i]!],
      ['routing', block.routingStart[i]!, block.routingEnd[i]!],
      ['type', block.typeStart[i]!, block.typeEnd[i]!],
      ['source', block.sourceStart[i]!, block.sourceEnd[i]!],
    ] as const
    for (const [name, start, end] of columns) {
      if (start === -1 && name !== 'id') continue
      assert.ok(start >= 0 && start <= end && end <= bytes.length, `${name} outside of the block`)
    }
    const source = bytes.subarray(
      Math.max(0, block.sourceStart[i]!),
      Math.max(0, block.sourceEnd[i]!),
    )
    if (block.sourceStart[i] !== -1) {
      assert.ok(!source.includes(0x0a) && !source.includes(0x0d), 'a line break in a source')
    }
    assert.ok(block.idEnd[i]! > block.idStart[i]!, 'an empty id')
    const seqNo = block.seqNo[i]!
    assert.ok(Number.isSafeInteger(seqNo) && seqNo >= -1, `_seq_no ${seqNo}`)
    assert.ok(!Number.isNaN(block.version[i]), '_version NaN')
  }
}

const extensions = [
  'segments',
  'si',
  'cfe',
  'cfs',
  'fnm',
  'liv',
  'del',
  'fdt',
  'fdx',
  'fdm',
  'dvm',
  'dvd',
]

export const luceneTargets: readonly Target[] = extensions.map(ofFiles)
