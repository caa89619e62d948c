import { CorruptData, MigrationError } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import {
  footerBytes,
  readFooter,
  readIdAndSuffix,
  readIndexHeader,
  type SegmentId,
} from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName, sliceOf } from './files.ts'
import { compoundFormats, readFormat } from './formats.ts'
import type { CompoundFormat } from './formats.ts'

interface Entry {
  readonly offset: number
  readonly byteLength: number
}

/** The members of a segment's compound file under their full names; closing it closes the `.cfs`. */
export interface CompoundDirectory extends Directory {
  readonly source: ByteSource
  close(): Promise<void>
}

/**
 * Opens `<segment>.cfe` and `<segment>.cfs`.
 *
 *   cfe   = indexHeader, count:vint, entry*, footer
 *   entry = name without the segment's own:string, offset:int64, length:int64
 *   cfs   = indexHeader, (padding, member)*, footer
 *
 * Members have header and footer of their own. Since Lucene 9.0 they begin at whole multiples of 8 bytes, since
 * 10 of 64; before there is no padding. Specified in org.apache.lucene.codecs.lucene50.Lucene50CompoundFormat and
 * lucene90.Lucene90CompoundFormat; before 5.0 in lucene40.Lucene40CompoundReader.
 */
export async function openCompound(
  directory: Directory,
  segment: { name: string; id: SegmentId },
): Promise<CompoundDirectory> {
  const { format, entries } = await readEntries(directory, segment)
  const source = await directory.open(segmentFileName(segment.name, '', 'cfs'))
  try {
    await checkFrame(source, { format, entries, id: segment.id })
  } catch (error) {
    await source.close()
    throw error
  }
  return {
    name: source.name,
    source,
    names: () => entries.keys(),
    has: (name) => entries.has(name),
    open(name) {
      const entry = entries.get(name)
      if (entry === undefined) {
        const message = `${source.name} has no member ${name}`
        return Promise.reject(new MigrationError('MA_BLOB_MISSING', message))
      }
      return Promise.resolve(sliceOf(source, { name: `${source.name}!${name}`, ...entry }))
    },
    close: () => source.close(),
  }
}

async function readEntries(
  directory: Directory,
  segment: { name: string; id: SegmentId },
): Promise<{ format: CompoundFormat; entries: Map<string, Entry> }> {
  const cursor = await readWholeFile(directory, segmentFileName(segment.name, '', 'cfe'))
  const { row: format } = readFormat(compoundFormats, cursor)
  readIdAndSuffix(cursor, { id: segment.id, suffix: '' })
  const count = cursor.readCount('members', 17)
  const entries = new Map<string, Entry>()
  for (let i = 0; i < count; i++) {
    const name = segment.name + cursor.readString()
    entries.set(name, { offset: cursor.readInt64(), byteLength: cursor.readInt64() })
  }
  cursor.expectEnd()
  return { format, entries }
}

/** Header and footer of the `.cfs`, and that the members fill it exactly: a cut file is noticed here. */
async function checkFrame(
  source: ByteSource,
  { format, entries, id }: { format: CompoundFormat; entries: Map<string, Entry>; id: SegmentId },
): Promise<void> {
  const { name, byteLength } = source
  const headerBytes = headerBytesOf(format, id)
  const expected = endOfMembers(name, { format, entries, headerBytes }) + footerBytes
  if (byteLength !== expected) {
    throw new CorruptData({
      file: name,
      offset: byteLength,
      expected: `${expected} bytes, as the members sum up to`,
      found: `${byteLength}`,
    })
  }
  const header = new Cursor(name, await source.read(0, headerBytes))
  readIndexHeader(header, {
    codec: format.dataCodec,
    minVersion: format.minVersion,
    maxVersion: format.maxVersion,
    id,
    suffix: '',
  })
  const footerAt = byteLength - footerBytes
  const footer = await source.read(footerAt, footerBytes)
  readFooter(new Cursor(name, footer, { baseOffset: footerAt }))
}

/** Magic, codec name, version, id and empty suffix. */
function headerBytesOf({ dataCodec }: CompoundFormat, id: SegmentId): number {
  return 4 + 1 + dataCodec.length + 4 + (id === null ? 0 : id.length + 1)
}

/** Where the last member ends, if each begins where the one before leaves off. */
function endOfMembers(
  file: string,
  {
    format: { alignments },
    entries,
    headerBytes,
  }: { format: CompoundFormat; entries: Map<string, Entry>; headerBytes: number },
): number {
  let end = headerBytes
  for (const entry of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    const starts = alignments.map((alignment) => Math.ceil(end / alignment) * alignment)
    if (!starts.includes(entry.offset) || entry.byteLength < 0) {
      throw new CorruptData({
        file,
        offset: end,
        expected: `the next member at ${starts.join(' or ')}`,
        found: `${entry.byteLength} bytes at ${entry.offset}`,
      })
    }
    end = entry.offset + entry.byteLength
  }
  return end
}
