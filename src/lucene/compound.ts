import { CorruptData, MigrationError } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import { footerBytes, readFooter, readIndexHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWholeFile, segmentFileName, sliceOf } from './files.ts'

interface Entry {
  readonly offset: number
  readonly byteLength: number
}

/** Longest index header of a `.cfs`: magic, codec name, version, id, empty suffix. */
const headerBytes = 4 + 1 + 20 + 4 + 16 + 1

/** The members of a segment's compound file under their full names; closing it closes the `.cfs`. */
export interface CompoundDirectory extends Directory {
  readonly source: ByteSource
  close(): Promise<void>
}

/**
 * Opens `<segment>.cfe` and `<segment>.cfs`.
 *
 *   cfe   = indexHeader("Lucene50CompoundEntries"), count:vint, entry*, footer
 *   entry = name without the segment's own:string, offset:int64, length:int64
 *   cfs   = indexHeader("Lucene50CompoundData"), members, each with header and footer of its own, footer
 *
 * Written by Lucene 5.0 to 8.x; specified in org.apache.lucene.codecs.lucene50.Lucene50CompoundFormat.
 */
export async function openCompound(
  directory: Directory,
  segment: { name: string; id: Uint8Array },
): Promise<CompoundDirectory> {
  const entries = await readEntries(directory, segment)
  const source = await directory.open(segmentFileName(segment.name, '', 'cfs'))
  try {
    await checkFrame(source, entries, segment.id)
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
  segment: { name: string; id: Uint8Array },
): Promise<Map<string, Entry>> {
  const cursor = await readWholeFile(directory, segmentFileName(segment.name, '', 'cfe'))
  readIndexHeader(cursor, {
    codec: 'Lucene50CompoundEntries',
    minVersion: 0,
    maxVersion: 0,
    id: segment.id,
    suffix: '',
  })
  const count = cursor.readCount('members', 17)
  const entries = new Map<string, Entry>()
  for (let i = 0; i < count; i++) {
    const name = segment.name + cursor.readString()
    entries.set(name, { offset: cursor.readInt64(), byteLength: cursor.readInt64() })
  }
  cursor.expectEnd()
  return entries
}

/** Header and footer of the `.cfs`, and that the members fill it exactly: a cut file is noticed here. */
async function checkFrame(
  source: ByteSource,
  entries: Map<string, Entry>,
  id: Uint8Array,
): Promise<void> {
  const { name, byteLength } = source
  let expected = headerBytes + footerBytes
  for (const entry of entries.values()) expected += entry.byteLength
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
    codec: 'Lucene50CompoundData',
    minVersion: 0,
    maxVersion: 0,
    id,
    suffix: '',
  })
  const footerAt = byteLength - footerBytes
  const footer = await source.read(footerAt, footerBytes)
  readFooter(new Cursor(name, footer, { baseOffset: footerAt }))
}
