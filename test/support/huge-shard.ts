/**
 * A shard of one segment whose stored fields are as long as they are said to be, without there being so many bytes: any
 * stretch of them is made when it is read. Everything that is small is that of a real shard of Elasticsearch 6.8.
 */
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import type { ByteSource } from '../../src/blob/byte-source.ts'
import { readCommit } from '../../src/lucene/commit.ts'
import { openCompound } from '../../src/lucene/compound.ts'
import { readFieldInfos } from '../../src/lucene/field-infos.ts'
import type { ShardFiles } from '../../src/snapshot/snapshot.ts'
import { asShardFiles, loadShard, repairFooter, type FileBytes } from './memory-shard.ts'

/** The index of chunks: of Lucene 5.0 to 8.4, or since 8.5. */
export type HugeIndexForm = 'v50' | 'v85'

export interface HugeShard {
  readonly files: ShardFiles
  readonly segment: string
  readonly maxDoc: number
  readonly storedBytes: number
  /** What was read so far, in bytes and at once at most. */
  readonly reads: { bytes: number; longest: number }
  /** Id and source of a document. */
  document(doc: number): { id: string; source: string }
}

const chunkBytes = 8192
const chunkDocs = 8
const chunksOfBlock = 1024
/** Digits of a document's number, in its id and its source. */
const digits = 12

/** `chunks` is a multiple of 1,024. */
export async function makeHugeShard(chunks: number, form: HugeIndexForm): Promise<HugeShard> {
  assert.equal(chunks % chunksOfBlock, 0)
  const files = await loadShard({ set: 'elasticsearch-6.8.23/compressed', index: 'ids', shard: 0 })
  const maxDoc = chunks * chunkDocs
  const { id, numbers, segment } = await takeApart(files, maxDoc)
  const head = indexHeader('Lucene50StoredFieldsFastData', form === 'v50' ? 1 : 2, id)
  const start = Buffer.concat([head, vint(16384), vint(2)])
  const chunk = chunkTemplate(numbers)
  const dataEnd = start.length + chunks * chunkBytes
  const reads = { bytes: 0, longest: 0 }
  const fill = (into: Buffer, at: number): void => writeChunk(into, at, chunk)
  const stored = patchwork(`${segment}.fdt`, reads, [
    { count: 1, bytes: start.length, write: (into) => void start.copy(into) },
    { count: chunks, bytes: chunkBytes, write: fill },
    // Nobody can check this one's checksum in a test's time.
    { count: 1, bytes: 16, write: (into) => void footer(0).copy(into) },
  ])
  const shape = { chunks, id, dataStart: start.length, dataEnd, maxDoc }
  const index = form === 'v50' ? indexV50(shape) : indexV85(shape, files, segment)
  const virtual = new Map<string, ByteSource>([
    [stored.name, stored],
    [`${segment}.fdx`, withFooter(`${segment}.fdx`, reads, index)],
  ])
  const rest = asShardFiles(files)
  return {
    segment,
    maxDoc,
    storedBytes: stored.byteLength,
    reads,
    document: (doc) => documentOf(doc),
    files: {
      ...rest,
      names: () => [...files.keys(), ...virtual.keys()],
      has: (name) => virtual.has(name) || files.has(name),
      open: (name) => {
        const source = virtual.get(name)
        return source === undefined ? rest.open(name) : Promise.resolve(source)
      },
    },
  }
}

/** Makes the segment's files plain ones with other numbers, without doc values, and gives what is in their headers. */
async function takeApart(files: FileBytes, maxDoc: number) {
  const commit = (await readCommit(asShardFiles(files))).segments[0]!
  const { name, id } = commit
  const compound = await openCompound(asShardFiles(files), commit)
  for (const member of compound.names()) {
    if (!member.endsWith('.fnm')) continue
    const source = await compound.open(member)
    const bytes = Buffer.from(await source.read(0, source.byteLength))
    for (const field of ['_seq_no', '_version']) {
      bytes.write('x', bytes.indexOf(field) + field.length - 1)
    }
    repairFooter(bytes)
    files.set(member, bytes)
  }
  await compound.close()
  const info = Buffer.from(files.get(`${name}.si`)!)
  // version:int32[3], hasMinVersion:byte, minVersion:int32[3], maxDoc:int32, compound:byte
  const at = info.indexOf(id!) + id!.length + 1 + 12 + 1 + 12
  info.writeInt32BE(maxDoc, at)
  info.writeInt8(-1, at + 4)
  repairFooter(info)
  files.set(`${name}.si`, info)
  files.delete(`${name}.cfs`)
  files.delete(`${name}.cfe`)
  const infos = await readFieldInfos(asShardFiles(files), commit, -1)
  const numbers = { id: infos.get('_id')!.number, source: infos.get('_source')!.number }
  return { id: id!, numbers, segment: name }
}

interface Shape {
  readonly chunks: number
  readonly id: Uint8Array
  readonly dataStart: number
  readonly dataEnd: number
  readonly maxDoc: number
}

function indexV50({ chunks, id, dataStart, dataEnd }: Shape): Part[] {
  const head = Buffer.concat([indexHeader('Lucene50StoredFieldsFastIndex', 1, id), vint(2)])
  const zeros = Buffer.alloc((chunksOfBlock * 2) / 8)
  const block = (n: number): Buffer =>
    Buffer.concat([
      vint(chunksOfBlock),
      ...[padded(n * chunksOfBlock * chunkDocs, 5), vint(chunkDocs), vint(2), zeros],
      ...[padded(dataStart + n * chunksOfBlock * chunkBytes, 8), vint(chunkBytes), vint(2), zeros],
    ])
  const end = Buffer.concat([vint(0), padded(dataEnd, 8)])
  return [
    { count: 1, bytes: head.length, write: (into) => void head.copy(into) },
    {
      count: chunks / chunksOfBlock,
      bytes: block(0).length,
      write: (into, n) => void block(n).copy(into),
    },
    { count: 1, bytes: end.length, write: (into) => void end.copy(into) },
  ]
}

function indexV85(shape: Shape, files: FileBytes, segment: string): Part[] {
  const { chunks, id, dataStart, dataEnd, maxDoc } = shape
  const head = indexHeader('Lucene85FieldsIndexIdx', 0, id)
  const blocks = chunks / chunksOfBlock
  const blockBytes = chunksOfBlock / 8
  // The one entry behind the chunks has a block of its own, of a byte.
  const sequence = (first: number, average: number): Buffer => {
    const meta = Buffer.alloc((blocks + 1) * 21)
    for (let n = 0; n <= blocks; n++) {
      meta.writeBigInt64BE(BigInt(first + n * chunksOfBlock * average), n * 21)
      meta.writeFloatBE(average, n * 21 + 8)
      meta.writeBigInt64BE(BigInt(n * blockBytes), n * 21 + 12)
      meta.writeUInt8(1, n * 21 + 20)
    }
    return meta
  }
  const dataBytes = blocks * blockBytes + 1
  const [docsStart, docsEnd, offsetsEnd] = [0, 1, 2].map((n) => head.length + n * dataBytes)
  const meta = Buffer.concat([
    indexHeader('Lucene85FieldsIndexMeta', 0, id),
    ...[int32(maxDoc), int32(10), int32(chunks + 1), int64(docsStart!), sequence(0, chunkDocs)],
    ...[int64(docsEnd!), sequence(dataStart, chunkBytes), int64(offsetsEnd!), int64(dataEnd)],
    footer(0),
  ])
  repairFooter(meta)
  files.set(`${segment}.fdm`, meta)
  return [
    { count: 1, bytes: head.length, write: (into) => void head.copy(into) },
    { count: 2, bytes: dataBytes, write: (into) => void into.fill(0) },
  ]
}

function documentOf(doc: number): { id: string; source: string } {
  const number = String(doc).padStart(digits, '0')
  return { id: `d${number}`, source: `{"n":"${number}","text":"${'x'.repeat(textBytes)}"}` }
}

interface ChunkTemplate {
  readonly bytes: Buffer
  /** Where the digits of each document's id and source stand. */
  readonly numbersAt: readonly number[]
}

const firstDocBytes = 5
const textBytes = 950

function chunkTemplate(numbers: { id: number; source: number }): ChunkTemplate {
  const { id, source } = documentOf(0)
  const idBytes = Buffer.concat([Buffer.from([0xff]), Buffer.from(id)])
  const document = (text: string): Buffer =>
    Buffer.concat([
      ...[vint(numbers.id * 8 + 1), vint(idBytes.length), idBytes],
      ...[vint(numbers.source * 8 + 1), vint(text.length), Buffer.from(text)],
    ])
  const plain = document(source)
  const build = (one: Buffer): Buffer => {
    const data = Buffer.concat(Array.from({ length: chunkDocs }, () => one))
    const more = data.length - 15
    const literals = [0xf0, ...Array<number>(Math.floor(more / 255)).fill(255), more % 255]
    const counts = [vint(0), vint(2), vint(0), vint(one.length)]
    const token = vint(chunkDocs * 2)
    return Buffer.concat([
      Buffer.alloc(firstDocBytes),
      token,
      ...counts,
      Buffer.from(literals),
      data,
    ])
  }
  const bytes = build(plain)
  assert.ok(bytes.length <= chunkBytes, `${bytes.length}`)
  const numbersAt: number[] = []
  for (
    let at = bytes.indexOf('000000000000');
    at >= 0;
    at = bytes.indexOf('000000000000', at + 12)
  ) {
    numbersAt.push(at)
  }
  assert.equal(numbersAt.length, chunkDocs * 2)
  return { bytes, numbersAt }
}

function writeChunk(into: Buffer, chunk: number, { bytes, numbersAt }: ChunkTemplate): void {
  // What is left of the chunk's length nobody looks at.
  bytes.copy(into)
  padded(chunk * chunkDocs, firstDocBytes).copy(into)
  for (const [i, at] of numbersAt.entries()) {
    into.write(String(chunk * chunkDocs + (i >> 1)).padStart(digits, '0'), at)
  }
}

/** `count` pieces of equal length, one after the other; `write` gets a buffer of that length. */
interface Part {
  readonly count: number
  readonly bytes: number
  readonly write: (into: Buffer, n: number) => void
}

function patchwork(name: string, reads: HugeShard['reads'], parts: readonly Part[]): ByteSource {
  const byteLength = parts.reduce((sum, { count, bytes }) => sum + count * bytes, 0)
  return {
    name,
    byteLength,
    read(offset, length, into = new Uint8Array(length)) {
      assert.ok(offset >= 0 && offset + length <= byteLength, `${offset} and ${length}`)
      reads.bytes += length
      reads.longest = Math.max(reads.longest, length)
      const target = Buffer.from(into.buffer, into.byteOffset, length)
      let start = 0
      for (const part of parts) {
        fillFrom(part, target, offset - start)
        start += part.count * part.bytes
      }
      return Promise.resolve(target)
    },
    close: () => Promise.resolve(),
  }
}

/** Writes what the part has of [offset, offset + target.length), counted from its start. */
function fillFrom({ count, bytes, write }: Part, target: Buffer, offset: number): void {
  const piece = Buffer.alloc(bytes)
  const first = Math.max(0, Math.floor(offset / bytes))
  for (let n = first; n < count && n * bytes < offset + target.length; n++) {
    write(piece, n)
    piece.copy(target, Math.max(0, n * bytes - offset), Math.max(0, offset - n * bytes))
  }
}

/** The same with a footer whose checksum is right. */
function withFooter(name: string, reads: HugeShard['reads'], parts: readonly Part[]): ByteSource {
  const start = Buffer.from(footer(0).subarray(0, 8))
  let crc = 0
  for (const { count, bytes, write } of parts) {
    const piece = Buffer.alloc(bytes)
    for (let n = 0; n < count; n++) {
      write(piece, n)
      crc = crc32(piece, crc)
    }
  }
  const end = footer(crc32(start, crc))
  return patchwork(name, reads, [
    ...parts,
    { count: 1, bytes: end.length, write: (into) => void end.copy(into) },
  ])
}

function indexHeader(codec: string, version: number, id: Uint8Array): Buffer {
  const name = Buffer.from(codec)
  return Buffer.concat([
    int32(0x3fd76c17),
    vint(name.length),
    name,
    int32(version),
    id,
    Buffer.of(0),
  ])
}

function footer(crc: number): Buffer {
  return Buffer.concat([int32(~0x3fd76c17), int32(0), int64(crc)])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

function vint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest >= 128 ? (rest % 128) + 128 : rest)
    if (rest < 128) return Buffer.from(bytes)
  }
}

/** A vint or vlong of so many bytes, whatever its value. */
function padded(value: number, byteCount: number): Buffer {
  const bytes = Buffer.alloc(byteCount, 0x80)
  vint(value).copy(bytes)
  for (let i = 0; i < byteCount - 1; i++) bytes[i]! |= 0x80
  bytes[byteCount - 1]! &= 0x7f
  return bytes
}
