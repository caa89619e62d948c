import { crc32 } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'
import type { ByteSource, Directory } from '../blob/byte-source.ts'
import { checkFooter, checkFooterOf, footerBytes } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'

/** Files that are read into memory whole: names, lists, live docs, indexes. Live docs of 2^31 documents are 256 MB. */
const wholeFileBytesMax = 512 * 1024 * 1024
/** Reads of a checksum pass. */
const passBytes = 1024 * 1024

/** How much of what is read is checked: what was touched (as the engines do), or every file that is used, whole. */
export type Verify = 'touched' | 'full'

/** `generation` as Lucene puts it into names: base 36. */
export function generationText(generation: number): string {
  return generation.toString(36)
}

/** `_0` + `Lucene80_0` + `dvm` → `_0_Lucene80_0.dvm`; an empty suffix leaves no underscore. */
export function segmentFileName(segment: string, suffix: string, extension: string): string {
  return suffix === '' ? `${segment}.${extension}` : `${segment}_${suffix}.${extension}`
}

/** A stretch of a file, cut at its end. The cursor counts from `offset`; nothing is checked. */
export async function readRange(
  directory: Directory,
  name: string,
  { offset, length }: { offset: number; length: number },
): Promise<Cursor> {
  const source = await directory.open(name)
  try {
    const end = Math.min(source.byteLength, offset + length)
    if (offset < 0 || offset > end) throw outside(source.name, source.byteLength, offset, length)
    const bytes = await source.read(offset, end - offset, new Uint8Array(end - offset))
    return new Cursor(source.name, bytes, { baseOffset: offset })
  } finally {
    await source.close()
  }
}

/** checkWholeFile() of a file by its name. */
export async function checkNamed(directory: Directory, name: string): Promise<void> {
  const source = await directory.open(name)
  try {
    await checkWholeFile(source)
  } finally {
    await source.close()
  }
}

/** Reads a small file whole, checks its footer, and gives a cursor over what stands before the footer. */
export async function readWholeFile(directory: Directory, name: string): Promise<Cursor> {
  const source = await directory.open(name)
  try {
    const { byteLength } = source
    if (byteLength > wholeFileBytesMax) {
      throw new CorruptData({
        file: source.name,
        offset: 0,
        expected: `at most ${wholeFileBytesMax} bytes in a file of this kind`,
        found: `${byteLength}`,
      })
    }
    const bytes = await source.read(0, byteLength)
    return new Cursor(source.name, checkFooter(source.name, bytes))
  } finally {
    await source.close()
  }
}

/**
 * Reads a file whole and checks it, like checkWholeFile(), and gives a source over the bytes in memory. For those who
 * know that it is short enough.
 */
export async function holdWholeFile(source: ByteSource): Promise<ByteSource> {
  const { name, byteLength } = source
  const bytes = await source.read(0, byteLength, new Uint8Array(byteLength))
  checkFooter(name, bytes)
  return {
    name,
    byteLength,
    read(offset, length, into) {
      if (offset < 0 || length < 0 || offset + length > byteLength) {
        return Promise.reject(outside(name, byteLength, offset, length))
      }
      const range = bytes.subarray(offset, offset + length)
      if (into === undefined) return Promise.resolve(range)
      into.set(range)
      return Promise.resolve(into.subarray(0, length))
    },
    close: () => Promise.resolve(),
  }
}

/** Reads a file from end to end in bounded pieces and checks the checksum that its footer names. */
export async function checkWholeFile(source: ByteSource): Promise<void> {
  const { name, byteLength } = source
  if (byteLength < footerBytes) throw tooShort(name, byteLength)
  const piece = new Uint8Array(Math.min(passBytes, byteLength))
  let crc = 0
  const checkedEnd = byteLength - 8
  source.expectReads?.(0, byteLength)
  for (let offset = 0; offset < checkedEnd;) {
    const length = Math.min(piece.length, checkedEnd - offset)
    crc = crc32(await source.read(offset, length, piece), crc)
    offset += length
  }
  const footer = await source.read(byteLength - footerBytes, footerBytes)
  checkFooterOf(name, footer, crc, byteLength)
}

/** The stretch [offset, offset + length) of a source as a source of its own; closing it leaves the whole one open. */
export function sliceOf(
  source: ByteSource,
  slice: { name: string; offset: number; byteLength: number },
): ByteSource {
  return {
    name: slice.name,
    byteLength: slice.byteLength,
    read(offset, length, into) {
      if (offset < 0 || length < 0 || offset + length > slice.byteLength) {
        return Promise.reject(outside(slice.name, slice.byteLength, offset, length))
      }
      return source.read(slice.offset + offset, length, into)
    },
    expectReads: (offset, end) => source.expectReads?.(slice.offset + offset, slice.offset + end),
    close: () => Promise.resolve(),
  }
}

function outside(file: string, byteLength: number, offset: number, length: number): CorruptData {
  return new CorruptData({
    file,
    offset,
    expected: `a range within ${byteLength} bytes`,
    found: `${length} bytes from ${offset}`,
  })
}

function tooShort(file: string, byteLength: number): CorruptData {
  return new CorruptData({
    file,
    offset: byteLength,
    expected: `at least the ${footerBytes} bytes of a footer`,
    found: `${byteLength} bytes`,
  })
}
