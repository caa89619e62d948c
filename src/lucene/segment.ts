import { CorruptData, Unsupported } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import { readIdAndSuffix, readIndexHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import type { CommitSegment } from './commit.ts'
import { openCompound } from './compound.ts'
import type { CompoundDirectory } from './compound.ts'
import { readFieldInfos } from './field-infos.ts'
import type { FieldInfos } from './field-infos.ts'
import {
  checkNamed,
  checkWholeFile,
  generationText,
  holdWholeFile,
  readWholeFile,
  segmentFileName,
} from './files.ts'
import type { Verify } from './files.ts'
import { docValuesFormats, readFormat } from './formats.ts'
import { LiveDocs, liveDocsName, readLiveDocs, readLiveStretch } from './live-docs.ts'
import type { DocStretch } from './live-docs.ts'
import { NumericColumn } from './numeric-column.ts'
import type { NumericEntry } from './numeric-entry.ts'
import { readSegmentInfo } from './segment-info.ts'
import { openStoredFields } from './stored-fields.ts'
import type { StoredFields, StoredLayout } from './stored-fields.ts'

/** The field by which the engine marks a document as deleted while keeping it for a while. */
export const softDeletesField = '__soft_deletes'

/**
 * A doc values file is checked whole, even with `touched`, when its bits decide which documents live and it is small
 * itself or against the stored fields: at most this many bytes, or this share.
 */
const decidingFileBytesMax = 64 * 1024
const decidingFileShareMax = 0.02

/** Longest header of a doc values data file. */
const docValuesHeadBytesMax = 128

/** One segment of a commit, opened as far as its small files. */
export interface Segment {
  readonly name: string
  readonly luceneVersion: string
  readonly maxDoc: number
  /** By the commit's own counts. */
  readonly liveCount: number
  readonly storedBytes: number
  readonly fieldInfos: FieldInfos
  /**
   * Checks what the documents will be read from: see Verify. Reads the stored fields from end to end; with `hold` they
   * stay in memory until release(), and are not read again.
   */
  check(options: { hold: boolean }): Promise<void>
  release(): void
  /**
   * Opens the stored fields for the next openStoredFields(), and reads what openNumeric() will need, since far away each
   * small file is a round trip. Never fails: who opens them meets the error.
   */
  prepare(): void
  /** Lets go of where the chunks of the stored fields lie, which is kept from one openStoredFields() to the next. */
  forgetChunks(): Promise<void>
  /** Which documents live: of a long segment those of the stretch alone. */
  readLiveDocs(stretch: DocStretch): Promise<LiveDocs>
  /** The caller closes its source. */
  openStoredFields(): Promise<StoredFields>
  /** The numbers of a field, updates applied; undefined where the segment has none. The caller closes `source`. */
  openNumeric(field: string): Promise<{ column: NumericColumn; source: ByteSource } | undefined>
  close(): Promise<void>
}

/** Opens a segment: reads `.si`, `.cfe` and the newest `.fnm`. */
export async function openSegment(
  directory: Directory,
  commit: CommitSegment,
  { verify }: { verify: Verify },
): Promise<Segment> {
  const { name, id } = commit
  const { luceneVersion, maxDoc, compound } = await readSegmentInfo(directory, commit)
  const liveCount = maxDoc - commit.delCount - (commit.softDelCount ?? 0)
  if (commit.delCount < 0 || liveCount < 0) {
    throw new CorruptData({
      file: directory.name,
      offset: 0,
      expected: `at most ${maxDoc} deleted documents in ${name}`,
      found: `${maxDoc - liveCount}`,
    })
  }
  const cfs = compound ? await openCompound(directory, commit) : undefined
  const shape = { name, id, maxDoc }
  try {
    const own = cfs ?? directory
    const fieldInfosHome = commit.fieldInfosGen < 0 ? own : directory
    const fieldInfos = await readFieldInfos(fieldInfosHome, commit, commit.fieldInfosGen)
    const parts: Parts = {
      directory,
      own,
      commit,
      maxDoc,
      fieldInfos,
      verify,
      held: undefined,
      layout: undefined,
      liveDocsCheck: undefined,
      metas: new Map(),
    }
    const openStored = (): Promise<StoredFields> => openStoredFields(withHeld(parts), shape, parts)
    let prepared: Promise<StoredFields> | undefined
    const closePrepared = async (): Promise<void> => {
      const [opened] = await Promise.allSettled([prepared])
      prepared = undefined
      if (opened.status === 'fulfilled') await opened.value?.source.close()
    }
    return {
      name,
      luceneVersion,
      maxDoc,
      liveCount,
      storedBytes: await storedBytesOf(own, name),
      fieldInfos,
      check: ({ hold }) => checkSegment(parts, cfs, hold),
      release: () => {
        parts.held = undefined
      },
      readLiveDocs: (stretch) =>
        maxDoc > wholeDocsMax ? readLiveDocsOf(parts, stretch) : readAllLiveDocs(parts),
      async forgetChunks() {
        await closePrepared()
        parts.layout = undefined
      },
      prepare() {
        if (prepared !== undefined) return
        prepared = openStored()
        const fields = [softDeletesField, numericFields.seqNo, numericFields.version]
        void Promise.allSettled([prepared, ...fields.map((field) => findNumeric(parts, field))])
      },
      openStoredFields() {
        const opened = prepared ?? openStored()
        prepared = undefined
        return opened
      },
      openNumeric: (field) => openNumeric(parts, field),
      async close() {
        await cfs?.close()
        await closePrepared()
      },
    }
  } catch (error) {
    await cfs?.close()
    throw error
  }
}

interface Parts {
  /** All files of the shard. */
  readonly directory: Directory
  /** The files written with the segment: the same, or the members of its compound file. */
  readonly own: Directory
  readonly commit: CommitSegment
  readonly maxDoc: number
  readonly fieldInfos: FieldInfos
  readonly verify: Verify
  /** The data file of the stored fields, checked and in memory. */
  held: ByteSource | undefined
  layout: StoredLayout | undefined
  liveDocsCheck: Promise<void> | undefined
  /** What the `.dvm` files say, by suffix. */
  readonly metas: Map<string, Promise<DocValuesMeta>>
}

async function storedBytesOf(own: Directory, segment: string): Promise<number> {
  let byteLength = 0
  for (const extension of ['fdt', 'fdx', 'fdm']) {
    const name = segmentFileName(segment, '', extension)
    if (!own.has(name)) continue
    const source = await own.open(name)
    byteLength += source.byteLength
    await source.close()
  }
  return byteLength
}

/**
 * Stored fields are read whole, so they are checked whole, and before the first document leaves: a flipped bit in LZ4
 * data is otherwise just another document. Small files are checked whenever they are read.
 */
async function checkSegment(
  parts: Parts,
  cfs: CompoundDirectory | undefined,
  hold: boolean,
): Promise<void> {
  const { verify, fieldInfos, directory } = parts
  if (verify === 'full' && cfs !== undefined) await checkWholeFile(cfs.source)
  else await checkStoredFields(parts, hold)
  if (verify !== 'full') return
  const names = new Set<string>()
  for (const field of fieldInfos.values()) {
    if (!field.numericDocValues || !isRead(field.name)) continue
    if (field.docValuesGen >= 0 || cfs === undefined) names.add(docValuesName(parts, field, 'dvd'))
  }
  for (const name of names) await checkNamed(directory, name)
}

async function checkStoredFields(parts: Parts, hold: boolean): Promise<void> {
  const source = await parts.own.open(storedFieldsName(parts))
  try {
    if (hold) parts.held = await holdWholeFile(source)
    else await checkWholeFile(source)
  } finally {
    await source.close()
  }
}

function storedFieldsName({ commit }: Parts): string {
  return segmentFileName(commit.name, '', 'fdt')
}

/** The segment's own files, with the held one in the place of its file. */
function withHeld(parts: Parts): Directory {
  const { own, held } = parts
  if (held === undefined) return own
  const heldName = storedFieldsName(parts)
  return {
    name: own.name,
    names: () => own.names(),
    has: (name) => own.has(name),
    open: (name) => (name === heldName ? Promise.resolve(held) : own.open(name)),
  }
}

/** Numeric fields that documents are made of. */
export const numericFields = { seqNo: '_seq_no', version: '_version' } as const

function isRead(field: string): boolean {
  return (
    field === softDeletesField || field === numericFields.seqNo || field === numericFields.version
  )
}

/** Live documents of larger segments are read by stretches: 1 MB of bits. */
const wholeDocsMax = 8 * 1024 * 1024

/** A stretch of a long segment. Counts are not compared with the commit's; the checksum of the `.liv` is, once. */
async function readLiveDocsOf(parts: Parts, stretch: DocStretch): Promise<LiveDocs> {
  const { directory, commit, maxDoc } = parts
  const fromDoc = stretch.fromDoc - (stretch.fromDoc % 64)
  const { toDoc } = stretch
  if (commit.delGen >= 0)
    await (parts.liveDocsCheck ??= checkNamed(directory, liveDocsName(commit)))
  const live =
    commit.delGen < 0
      ? new LiveDocs(toDoc, undefined, fromDoc)
      : await readLiveStretch(directory, commit, { maxDoc, fromDoc, toDoc })
  const opened = await openNumeric(parts, softDeletesField)
  if (opened === undefined) return live
  const { column, source } = opened
  try {
    await column.eachDoc({ fromDoc, toDoc }, (doc) => {
      if (doc >= fromDoc && doc < toDoc) live.kill(doc)
    })
  } finally {
    await source.close()
  }
  return live
}

async function readAllLiveDocs(parts: Parts): Promise<LiveDocs> {
  const { directory, commit, maxDoc } = parts
  const live =
    commit.delGen < 0 ? new LiveDocs(maxDoc) : await readLiveDocs(directory, commit, maxDoc)
  const opened = await openNumeric(parts, softDeletesField)
  if (opened === undefined) return live
  const { column, source } = opened
  try {
    if (await isSmall(parts, source)) await checkWholeFile(source)
    let killed = 0
    await column.eachDoc({ fromDoc: 0, toDoc: maxDoc }, (doc) => {
      if (!live.isLive(doc)) return
      live.kill(doc)
      killed++
    })
    if (commit.softDelCount !== undefined && commit.softDelCount !== killed) {
      throw new CorruptData({
        file: source.name,
        offset: 0,
        expected: `${commit.softDelCount} soft-deleted documents, as the commit says`,
        found: `${killed}`,
      })
    }
  } finally {
    await source.close()
  }
  return live
}

async function isSmall(parts: Parts, source: ByteSource): Promise<boolean> {
  const stored = await storedBytesOf(parts.own, parts.commit.name)
  return source.byteLength <= Math.max(decidingFileBytesMax, stored * decidingFileShareMax)
}

function docValuesName(
  { commit }: Parts,
  field: { docValuesGen: number; docValuesSuffix?: string },
  extension: string,
): string {
  return segmentFileName(commit.name, docValuesSuffix(field), extension)
}

/** Suffix of the doc values files of a field, as of the newest generation. */
export function docValuesSuffix(field: { docValuesGen: number; docValuesSuffix?: string }): string {
  const { docValuesGen: generation, docValuesSuffix: suffix = '' } = field
  return generation < 0 ? suffix : `${generationText(generation)}_${suffix}`
}

/**
 * Opens the doc values of one field: those written with the segment, or the newest generation, which holds the numbers
 * of all documents again and lies beside the segment's own files.
 */
async function openNumeric(
  parts: Parts,
  fieldName: string,
): Promise<{ column: NumericColumn; source: ByteSource } | undefined> {
  const found = await findNumeric(parts, fieldName)
  if (found === undefined) return undefined
  const { home, field, suffix, entry, row, version } = found
  const source = await home.open(docValuesName(parts, field, 'dvd'))
  try {
    checkEntry(entry, source, parts.maxDoc)
    const head = await source.read(0, Math.min(docValuesHeadBytesMax, source.byteLength))
    readIndexHeader(new Cursor(source.name, head), {
      codec: row.dataCodec,
      minVersion: version,
      maxVersion: version,
      ...{ id: parts.commit.id, suffix },
    })
    return { column: new NumericColumn(source, entry, parts.maxDoc, row), source }
  } catch (error) {
    await source.close()
    throw error
  }
}

/** Where the numbers of a field lie; undefined where the segment has none. */
async function findNumeric(parts: Parts, fieldName: string) {
  const field = parts.fieldInfos.get(fieldName)
  if (field === undefined || !field.numericDocValues) return undefined
  const home = field.docValuesGen < 0 ? parts.own : parts.directory
  const suffix = docValuesSuffix(field)
  const { row, version, entries, file } = await readMeta(parts, home, { suffix, fieldName })
  const entry = entries.get(field.number)
  if (entry === undefined) {
    throw new Unsupported({
      file,
      offset: 0,
      expected: `dense numbers of field ${field.number} (${fieldName})`,
      found: 'none',
    })
  }
  return { home, field, suffix, entry, row, version }
}

type DocValuesMeta = Awaited<ReturnType<typeof readMetaOf>>

/** Fields share their `.dvm`: each is read once. */
function readMeta(parts: Parts, home: Directory, of: DocValuesFile): Promise<DocValuesMeta> {
  const known = parts.metas.get(of.suffix) ?? readMetaOf(parts, home, of)
  parts.metas.set(of.suffix, known)
  return known
}

interface DocValuesFile {
  readonly suffix: string
  /** The field that it is read for. */
  readonly fieldName: string
}

async function readMetaOf(parts: Parts, home: Directory, { suffix, fieldName }: DocValuesFile) {
  const { name, id } = parts.commit
  const meta = await readWholeFile(home, segmentFileName(name, suffix, 'dvm'))
  const readFor = `the field ${fieldName} of segment ${name}`
  const { row, version } = readFormat(docValuesFormats, meta, { readFor })
  readIdAndSuffix(meta, { id, suffix })
  const fields = new Map([...parts.fieldInfos.values()].map((field) => [field.number, field]))
  const entries = row.read(meta, { version, maxDoc: parts.maxDoc, fields })
  return { row, version, file: meta.file, entries }
}

function checkEntry(entry: NumericEntry, source: ByteSource, maxDoc: number): void {
  const { valueCount, docs } = entry
  const max = docs.kind === 'none' ? 0 : maxDoc
  if (valueCount < 0 || valueCount > max || (docs.kind === 'all' && valueCount !== maxDoc)) {
    throw new CorruptData({
      file: source.name,
      offset: 0,
      expected: `numbers of at most ${max} documents`,
      found: `${valueCount}`,
    })
  }
}
