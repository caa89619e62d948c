/** Shards of the fixtures in memory, of which one Lucene file, or one member of a compound file, may be another. */
import { footerBytes, readAnyHeader, readIdAndSuffix } from '../../src/bytes/codec.ts'
import { Cursor } from '../../src/bytes/cursor.ts'
import { openShardReader } from '../../src/document/open-shard-reader.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { asShardFiles, repairFooter } from '../support/memory-shard.ts'
import type { FileBytes } from '../support/memory-shard.ts'
import { memoryStore } from '../support/memory-store.ts'
import { fixtureSets, repositoryOf, unlessRefused } from './fixtures.ts'

export interface FuzzShard {
  /** `<fixture set> <index>/<shard>` */
  readonly name: string
  readonly files: FileBytes
  readonly parts: readonly ShardPart[]
}

/** A file of Lucene, by itself or inside a compound file. */
export interface ShardPart {
  /** `_0.fdt`, `_0.cfs!_0.fdt` */
  readonly name: string
  /** `fdt` */
  readonly extension: string
  /** Codec and version of its header: what tells formats apart. */
  readonly format: string
  readonly bytes: Buffer
  /** Bytes of the header. */
  readonly headBytes: number
  /** The files of the shard with these bytes in the place of the part's. */
  replace(bytes: Uint8Array): FileBytes
}

/** Shards beyond this are slow to read a thousand times. */
const shardBytesMax = 300_000

let loaded: Promise<FuzzShard[]> | undefined

/** All shards of the fixtures that hold anything and are short, shortest first. */
export function fuzzShards(): Promise<FuzzShard[]> {
  loaded ??= loadAll()
  return loaded
}

async function loadAll(): Promise<FuzzShard[]> {
  const shards: FuzzShard[] = []
  for (const set of fixtureSets()) {
    const repository = await openRepository(memoryStore(repositoryOf(set)))
    for (const { name } of repository.snapshots.slice(0, 1)) {
      const snapshot = await unlessRefused(() => repository.openSnapshot(name))
      for (const index of snapshot?.indices ?? []) {
        const { numberOfShards } = await snapshot!.readIndexMetadata(index)
        for (let shard = 0; shard < numberOfShards; shard++) {
          const files = await unlessRefused(() => filesOf(snapshot!, index, shard))
          if (files === undefined) continue
          shards.push({ name: `${set} ${index}/${shard}`, files, parts: partsOf(files) })
        }
      }
    }
  }
  const size = ({ files }: FuzzShard): number =>
    [...files.values()].reduce((sum, { length }) => sum + length, 0)
  return shards.sort((a, b) => size(a) - size(b))
}

/** undefined: it is too long, or cannot be read untouched. */
async function filesOf(
  snapshot: Snapshot,
  index: string,
  shard: number,
): Promise<FileBytes | undefined> {
  const listed = await snapshot.openShard(index, shard)
  if (listed.byteLength > shardBytesMax) return undefined
  const files: FileBytes = new Map()
  for (const file of listed.names()) {
    const source = await listed.open(file)
    files.set(file, await source.read(0, source.byteLength))
  }
  const reader = await openShardReader(asShardFiles(files), { verify: 'full' })
  for (const { name } of reader.segments) {
    await Array.fromAsync(reader.readBlocks(name), ({ count }) => count)
  }
  await reader.close()
  return files
}

/** What is never read is no part: postings, points, norms, vectors. */
const extensions = /^(segments|si|cfe|cfs|fnm|liv|del|fdt|fdx|fdm|dvm|dvd)$/

function partsOf(files: FileBytes): ShardPart[] {
  const parts: ShardPart[] = []
  for (const [name, bytes] of files) {
    const replace = (by: Uint8Array): FileBytes => new Map([...files, [name, by]])
    parts.push(...partOf(name, bytes, replace))
    if (!name.endsWith('.cfs')) continue
    const compound = readCompound(files, name.slice(0, -4))
    for (const [member, content] of compound.members) {
      const replaceMember = (by: Uint8Array): FileBytes =>
        new Map([...files, ...writeCompound(compound, member, by)])
      parts.push(...partOf(`${name}!${member}`, content, replaceMember))
    }
  }
  return parts
}

function partOf(
  name: string,
  bytes: Uint8Array,
  replace: (bytes: Uint8Array) => FileBytes,
): ShardPart[] {
  const extension = name.includes('segments_') ? 'segments' : name.slice(name.lastIndexOf('.') + 1)
  if (!extensions.test(extension)) return []
  const cursor = new Cursor(name, bytes)
  // `.del` has four bytes in front of its header.
  if (extension === 'del') cursor.skip(4)
  const { codec, version } = readAnyHeader(cursor)
  const format = `${codec} ${version}`
  return [
    { name, extension, format, bytes: Buffer.from(bytes), headBytes: cursor.position, replace },
  ]
}

interface Compound {
  readonly segment: string
  /** Of the `.cfe`, up to the number of members, and of the `.cfs`, up to the first. */
  readonly entriesHead: Buffer
  readonly dataHead: Buffer
  readonly alignment: number
  readonly members: ReadonlyMap<string, Buffer>
  readonly footer: Buffer
}

function readCompound(files: FileBytes, segment: string): Compound {
  const entries = Buffer.from(files.get(`${segment}.cfe`)!)
  const data = Buffer.from(files.get(`${segment}.cfs`)!)
  const cursor = new Cursor(segment, entries)
  const { codec } = readAnyHeader(cursor)
  if (codec.startsWith('Lucene')) readIdAndSuffix(cursor)
  cursor.littleEndian = codec.startsWith('Lucene90')
  const entriesHead = entries.subarray(0, cursor.position)
  const ranges: { name: string; offset: number; length: number }[] = []
  for (let count = cursor.readVInt(); count > 0; count--) {
    const name = segment + cursor.readString()
    ranges.push({ name, offset: cursor.readInt64(), length: cursor.readInt64() })
  }
  ranges.sort((a, b) => a.offset - b.offset)
  const members = new Map(
    ranges.map(({ name, offset, length }) => [name, data.subarray(offset, offset + length)]),
  )
  const dataHead = data.subarray(0, ranges[0]!.offset)
  const footer = data.subarray(-footerBytes)
  return {
    segment,
    entriesHead,
    dataHead,
    alignment: cursor.littleEndian ? 64 : 1,
    members,
    footer,
  }
}

/** `.cfe` and `.cfs` with another member, checksums right. */
function writeCompound(compound: Compound, changed: string, by: Uint8Array): [string, Buffer][] {
  const { segment, alignment, members, footer } = compound
  const isLittle = alignment > 1
  const entries: Buffer[] = [compound.entriesHead, Buffer.from([members.size])]
  const data: Buffer[] = [compound.dataHead]
  let offset = compound.dataHead.length
  for (const [name, content] of members) {
    const bytes = name === changed ? Buffer.from(by) : content
    const padding = Math.ceil(offset / alignment) * alignment - offset
    offset += padding
    const entry = Buffer.alloc(16)
    for (const [at, value] of [offset, bytes.length].entries()) {
      if (isLittle) entry.writeBigInt64LE(BigInt(value), at * 8)
      else entry.writeBigInt64BE(BigInt(value), at * 8)
    }
    const ending = Buffer.from(name.slice(segment.length))
    entries.push(Buffer.from([ending.length]), ending, entry)
    data.push(Buffer.alloc(padding), bytes)
    offset += bytes.length
  }
  return [
    [`${segment}.cfe`, sealed(Buffer.concat(entries), footer)],
    [`${segment}.cfs`, sealed(Buffer.concat(data), footer)],
  ]
}

/** With a footer whose checksum is right. */
export function sealed(content: Uint8Array, footer: Uint8Array): Buffer {
  const bytes = Buffer.concat([content, footer])
  repairFooter(bytes)
  return bytes
}
