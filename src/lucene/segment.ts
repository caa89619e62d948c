import { CorruptData } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import type { CommitSegment } from './commit.ts'
import { openCompound } from './compound.ts'
import type { CompoundDirectory } from './compound.ts'
import { readFieldInfos } from './field-infos.ts'
import type { FieldInfo, FieldInfos } from './field-infos.ts'
import { checkNamed, checkWholeFile, holdWholeFile, segmentFileName } from './files.ts'
import type { NumericColumn } from './numeric-column.ts'
import type { Verify } from './files.ts'
import { LiveDocs, liveDocsName, readLiveDocs, readLiveStretch } from './live-docs.ts'
import type { DocStretch } from './live-docs.ts'
import {
  docValuesName,
  findNumeric,
  openNumeric,
  openSorted,
  type DocValuesParts,
  type OpenedSorted,
} from './segment-doc-values.ts'
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
  /**
   * A sorted field of Lucene 5.4 to 7; undefined where the segment has none. The caller closes its source. Its values
   * become part of documents, so that its file is checked whole, once.
   */
  openSorted(field: string): Promise<OpenedSorted | undefined>
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
      sortedChecks: new Map(),
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
      openSorted: (field) => openChecked(parts, field),
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

interface Parts extends DocValuesParts {
  readonly verify: Verify
  /** The data file of the stored fields, checked and in memory. */
  held: ByteSource | undefined
  layout: StoredLayout | undefined
  liveDocsCheck: Promise<void> | undefined
  /** Files of sorted fields that were checked, or are being. */
  readonly sortedChecks: Map<string, Promise<void>>
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
    if (!isRead(field)) continue
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

/** Sorted fields with the ids of parents, by the parents' type: Elasticsearch before 6. */
export const parentFieldPrefix = '_parent#'

function isRead({ name, numericDocValues }: FieldInfo): boolean {
  const names: string[] = [softDeletesField, numericFields.seqNo, numericFields.version]
  return (numericDocValues && names.includes(name)) || name.startsWith(parentFieldPrefix)
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

async function openChecked(parts: Parts, field: string): Promise<OpenedSorted | undefined> {
  const opened = await openSorted(parts, field)
  if (opened === undefined) return undefined
  const { source } = opened
  const check = parts.sortedChecks.get(source.name) ?? checkWholeFile(source)
  parts.sortedChecks.set(source.name, check)
  try {
    await check
    return opened
  } catch (error) {
    await source.close()
    throw error
  }
}

async function isSmall(parts: Parts, source: ByteSource): Promise<boolean> {
  const stored = await storedBytesOf(parts.own, parts.commit.name)
  return source.byteLength <= Math.max(decidingFileBytesMax, stored * decidingFileShareMax)
}
