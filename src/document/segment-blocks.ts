import { lz4SlackBytes } from '../bytes/lz4.ts'
import { Memory } from '../bytes/memory.ts'
import { ChunkDecoder } from '../lucene/chunk.ts'
import { stretchDocs } from '../lucene/docs-with-field.ts'
import type { LiveDocs } from '../lucene/live-docs.ts'
import type { NumericColumn } from '../lucene/numeric-column.ts'
import { numericFields } from '../lucene/segment.ts'
import type { Segment } from '../lucene/segment.ts'
import { chunkOf, type ChunkWindow } from '../lucene/chunk-index.ts'
import { chunkEdge } from '../lucene/stored-fields.ts'
import type { StoredFields } from '../lucene/stored-fields.ts'
import { BlockWriter, fieldRole } from './block-writer.ts'
import type { Numbers } from './block-writer.ts'
import { ParentColumns } from './parent-columns.ts'
import type { DocumentBlock } from './document-block.ts'
import { checkParts, RunningChecksum } from './stored-checksum.ts'

/** Compressed chunks are read in runs of up to this many bytes; a longer chunk is a run of its own. */
const windowBytes = 1024 * 1024
/** Chunks are put together into one block until it has this many bytes. */
const blockBytesMin = 512 * 1024
/** Small segments are many: the memory grows with what it meets. */
const memoryBytesAtFirst = 16 * 1024

/** A memory for readSegmentBlocks(), to be used again for the next segment. It grows to the largest chunk it meets. */
export function createReadMemory(): Memory {
  return new Memory(memoryBytesAtFirst)
}

export interface BlockRange {
  readonly fromDoc?: number
  readonly toDoc?: number
  /** The checksum of what an earlier reading, which ended at `fromDoc`, has read: this one goes on with it. */
  readonly crc?: number
}

/**
 * The blocks of one segment: live root documents [fromDoc, toDoc), whose `_seq_no` are `seqNoMax` at most. Chunks in
 * which nothing lives are not read; a run of them yields one empty block, so that a checkpoint can pass it.
 *
 * With `sum` the stored fields were not checked before: all chunks are read, and blocks have a checksum. Where the range is
 * the whole segment it is compared at the end: CorruptData then, when all blocks were yielded.
 *
 *   memory = compressed run | slack | decoded chunks of the block, ids and sources written anew | slack
 */
export async function* readSegmentBlocks(
  segment: Segment,
  { seqNoMax, sum, ...range }: BlockRange & { seqNoMax: number; sum: boolean },
  memory: Memory,
): AsyncIterable<DocumentBlock> {
  const fromDoc = Math.max(0, range.fromDoc ?? 0)
  const toDoc = Math.min(segment.maxDoc, range.toDoc ?? segment.maxDoc)
  if (fromDoc >= toDoc) return
  const chunk = new ChunkDecoder(memory)
  const roles = rolesOf(segment)
  if (segment.liveCount === 0) {
    const writer = new BlockWriter(memory, chunk, { roles, fixedNumbers: false, seqNoMax })
    writer.begin(fromDoc)
    writer.block.toDoc = toDoc
    yield writer.block
    return
  }
  const open: { close(): Promise<void> }[] = []
  try {
    // Before anything is allocated by the number of documents: it has been checked against the chunks then.
    const stored = await segment.openStoredFields()
    open.push(stored.source)
    const seqNo = await segment.openNumeric(numericFields.seqNo)
    if (seqNo !== undefined) open.push(seqNo.source)
    const version = await segment.openNumeric(numericFields.version)
    if (version !== undefined) open.push(version.source)
    const parents = await ParentColumns.open(segment)
    if (parents !== undefined) open.push(parents)
    const { fixedNumbers } = stored
    const writer = new BlockWriter(memory, chunk, { roles, fixedNumbers, seqNoMax })
    const columns = { seqNo: seqNo?.column, version: version?.column, parents }
    const checksum = sum ? new RunningChecksum(range.crc ?? 0) : undefined
    writer.block.checksum = checksum
    yield* readWindows(segment, {
      memory,
      chunk,
      writer,
      stored,
      columns,
      fromDoc,
      toDoc,
      checksum,
    })
    if (checksum === undefined || fromDoc > 0 || toDoc < segment.maxDoc) return
    await checkParts(stored, [{ fromDoc, toDoc, crc: checksum.at(toDoc) }])
  } finally {
    for (const source of open) await source.close()
  }
}

interface Reading {
  readonly memory: Memory
  readonly chunk: ChunkDecoder
  readonly writer: BlockWriter
  readonly live: LiveDocs
  readonly stored: StoredFields
  readonly window: ChunkWindow
  readonly columns: {
    seqNo: NumericColumn | undefined
    version: NumericColumn | undefined
    parents: ParentColumns | undefined
  }
  readonly fromDoc: number
  readonly toDoc: number
  readonly checksum: RunningChecksum | undefined
}

async function* readWindows(
  segment: Segment,
  reading: Omit<Reading, 'window' | 'live'>,
): AsyncIterable<DocumentBlock> {
  const { stored, fromDoc, toDoc } = reading
  const first = await stored.chunks.window(fromDoc)
  const last = toDoc <= first.firstDoc[first.count]! ? first : await stored.chunks.window(toDoc - 1)
  const announce = (): void =>
    stored.source.expectReads?.(
      chunkEdge(stored, first, chunkOf(first, fromDoc)),
      chunkEdge(stored, last, chunkOf(last, toDoc - 1) + 1),
    )
  let window = first
  for (let from = fromDoc; from < toDoc; from = window.firstDoc[window.count]!) {
    if (from > fromDoc) window = await stored.chunks.window(from)
    const end = Math.min(toDoc, window.firstDoc[window.count]!)
    const live = await segment.readLiveDocs({ fromDoc: from, toDoc: end })
    // After the live docs: in a compound file they announce what they read, in the place of what was announced before.
    if (from === fromDoc) announce()
    yield* readRuns({ ...reading, window, live }, from)
  }
}

/** The blocks of one window's documents from `fromDoc` on. */
async function* readRuns(reading: Reading, fromDoc: number): AsyncIterable<DocumentBlock> {
  const { writer, stored, window, toDoc, memory } = reading
  const { firstDoc } = window
  const begin = (doc: number): void => {
    writer.begin(doc)
    reading.checksum?.begin()
  }
  let next = chunkOf(window, fromDoc)
  begin(fromDoc)
  while (next < window.count && firstDoc[next]! < toDoc) {
    const dead = deadChunks(reading, next)
    if (dead > next) {
      writer.block.toDoc = Math.min(toDoc, firstDoc[dead]!)
      yield writer.block
      begin(writer.block.toDoc)
      next = dead
      continue
    }
    const end = runEnd(reading, next)
    const base = chunkEdge(stored, window, next)
    const length = chunkEdge(stored, window, end) - base
    memory.grow(length + lz4SlackBytes * 2, 0)
    await stored.source.read(base, length, memory.bytes)
    const dest = length + lz4SlackBytes
    let free = dest
    for (; next < end; next++) {
      free = await addChunk(reading, next, base, free)
      if (free - dest < blockBytesMin && next + 1 < end) continue
      yield writer.block
      begin(writer.block.toDoc)
      free = dest
    }
  }
}

/** Decodes one chunk to `free` and adds its documents; returns where free memory begins then. */
async function addChunk(
  reading: Reading,
  index: number,
  base: number,
  free: number,
): Promise<number> {
  const { chunk, writer, live, stored, window, columns, checksum } = reading
  const { firstDoc, offset } = window
  const first = firstDoc[index]!
  // What begins before the range was summed up with the documents before.
  if (first >= reading.fromDoc) {
    const edge = (chunk: number): number => chunkEdge(stored, window, chunk) - base
    checksum?.add(first, reading.memory.bytes.subarray(edge(index), edge(index + 1)))
  }
  const input = {
    file: stored.source.name,
    fileOffset: offset[index]!,
    start: offset[index]! - base,
    end: offset[index + 1]! - base,
    firstDoc: first,
    docCount: firstDoc[index + 1]! - first,
  }
  const fromDoc = Math.max(first, reading.fromDoc)
  const toDoc = Math.min(firstDoc[index + 1]!, reading.toDoc)
  if (checksum !== undefined && !live.anyLive(fromDoc, toDoc)) {
    writer.block.toDoc = toDoc
    return free
  }
  let at = chunk.decode(input, stored, free, { live, fromDoc, toDoc })
  for (let doc = fromDoc; doc < toDoc;) {
    const stretch = Math.floor(doc / stretchDocs)
    const stretchEnd = Math.min(toDoc, (stretch + 1) * stretchDocs)
    const numbers = await loadNumbers(columns, stretch)
    await columns.parents?.load(doc, stretchEnd)
    const file = stored.source.name
    at = writer.add(
      { file, firstDoc: first, fromDoc: doc, toDoc: stretchEnd, free: at },
      live,
      numbers,
    )
    doc = stretchEnd
  }
  return at
}

async function loadNumbers(columns: Reading['columns'], stretch: number): Promise<Numbers> {
  await columns.seqNo?.load(stretch)
  await columns.version?.load(stretch)
  return {
    firstDoc: stretch * stretchDocs,
    seqNo: columns.seqNo?.values,
    version: columns.version?.values,
    parents: columns.parents,
  }
}

/** The first chunk from `chunk` on that is wanted: something in it lives, or it counts for the checksum. */
function deadChunks({ live, window, fromDoc, toDoc, checksum }: Reading, chunk: number): number {
  if (checksum !== undefined) return chunk
  const { count, firstDoc } = window
  let at = chunk
  while (at < count && firstDoc[at]! < toDoc) {
    if (live.anyLive(Math.max(fromDoc, firstDoc[at]!), Math.min(toDoc, firstDoc[at + 1]!))) break
    at++
  }
  return at
}

/** The end of the run of chunks that is read at once from `chunk` on: wanted ones that fit the window. */
function runEnd(reading: Reading, chunk: number): number {
  const { stored, window, toDoc } = reading
  const { count, firstDoc } = window
  let end = chunk + 1
  while (
    end < count &&
    firstDoc[end]! < toDoc &&
    chunkEdge(stored, window, end + 1) - chunkEdge(stored, window, chunk) <= windowBytes &&
    deadChunks(reading, end) === end
  ) {
    end++
  }
  return end
}

function rolesOf(segment: Segment): Uint8Array {
  let numberMax = 0
  for (const { number } of segment.fieldInfos.values()) numberMax = Math.max(numberMax, number)
  const roles = new Uint8Array(numberMax + 1)
  const names = {
    _id: 'id',
    _source: 'source',
    _routing: 'routing',
    _uid: 'uid',
    _parent: 'parent',
  } as const
  for (const [name, role] of Object.entries(names)) {
    const field = segment.fieldInfos.get(name)
    if (field !== undefined) roles[field.number] = fieldRole[role]
  }
  // Later engines let users name fields so.
  if (!segment.fieldInfos.has('_uid')) return roles
  for (const name of ['_timestamp', '_ttl']) {
    const field = segment.fieldInfos.get(name)
    if (field !== undefined) roles[field.number] = fieldRole.time
  }
  return roles
}
