import { open, stat, unlink, type FileHandle } from 'node:fs/promises'
import { MigrationError } from '../base/errors.ts'
import type { OpenSegment } from './frame-scanner.ts'
import {
  damageOf,
  findEnd,
  listSegments,
  openSegment,
  readHeader,
  segmentFile,
} from './log-folder.ts'

/**
 * What stands behind the end of a stream may have been read by somebody before it was lost or cut. So after an end that was
 * not a clean one, positions go on behind all that can have been there: what is written by one call, and waits for it.
 */
export const positionsSkipped = 2 ** 30

/** A segment that is written to no more. */
export interface ClosedSegment {
  readonly number: number
  /** Bytes of the file. */
  readonly bytes: number
  /** Position behind it. */
  readonly end: number
}

/** Where a new segment begins. */
export interface NextSegment {
  readonly number: number
  readonly firstOffset: number
  readonly previousEnd: number
}

/** What stands in a folder when its writer begins. */
export interface Recovered {
  readonly segments: ClosedSegment[]
  readonly next: NextSegment
  /** A tail that a crash left half written, and that was cut. */
  readonly cut?: { readonly file: string; readonly bytes: number }
  /** Damage in the last segment, with the index in the file. It is left as it is, for readers to name. */
  readonly damaged: readonly { readonly file: string; readonly offset: number }[]
}

/** Puts the last segment of a folder into order. The lock of the folder must be held. */
export async function recover(folder: string): Promise<Recovered> {
  const numbers = await listSegments(folder)
  while (numbers.length > 0) {
    const number = numbers.at(-1)!
    const path = segmentFile(folder, number)
    const segment = await openSegment(path).catch(damageOf)
    if (segment instanceof MigrationError) return afterLostHeader(folder, numbers, path)
    if (segment !== undefined) return await recoverLast(folder, numbers, segment)
    await unlink(path)
    numbers.pop()
  }
  return { segments: [], next: { number: 1, firstOffset: 0, previousEnd: 0 }, damaged: [] }
}

async function recoverLast(
  folder: string,
  numbers: readonly number[],
  segment: OpenSegment,
): Promise<Recovered> {
  const { file, header, headerBytes } = segment
  const number = numbers.at(-1)!
  const path = segmentFile(folder, number)
  const segments = await closedSegments(folder, numbers)
  try {
    const { position, isClosed, damaged } = await findEnd(segment, headerBytes)
    const torn = await tornBytes(file, position)
    const end = header.firstOffset + position - headerBytes
    const firstOffset = isClosed && torn === 0 ? end : end + positionsSkipped
    if (position === headerBytes) {
      await unlink(path)
      return {
        segments,
        next: { number, firstOffset, previousEnd: header.previousEnd },
        damaged: [],
      }
    }
    await cutTail(path, position)
    return {
      segments: [...segments, { number, bytes: position, end }],
      next: { number: number + 1, firstOffset, previousEnd: end },
      ...(torn > 0 && { cut: { file: path, bytes: torn } }),
      damaged: damaged.map((offset) => ({ file: path, offset })),
    }
  } finally {
    await file.close()
  }
}

/** All but the last. Each one's end stands in the header of the next. */
async function closedSegments(
  folder: string,
  numbers: readonly number[],
): Promise<ClosedSegment[]> {
  const segments: ClosedSegment[] = []
  for (const [i, number] of numbers.slice(0, -1).entries()) {
    const { size: bytes } = await stat(segmentFile(folder, number))
    const next = await readHeader(segmentFile(folder, numbers[i + 1]!)).catch(damageOf)
    const known = next instanceof MigrationError ? undefined : next?.previousEnd
    segments.push({ number, bytes, end: known ?? (segments.at(-1)?.end ?? 0) + bytes })
  }
  return segments
}

/** The last segment cannot be read; it is kept, and positions go on behind all that can be in it. */
async function afterLostHeader(
  folder: string,
  numbers: readonly number[],
  path: string,
): Promise<Recovered> {
  const number = numbers.at(-1)!
  const { size: bytes } = await stat(path)
  const before =
    numbers.length > 1 ? await readHeader(segmentFile(folder, numbers.at(-2)!)) : undefined
  const segments = await closedSegments(folder, numbers)
  const end = (before?.firstOffset ?? 0) + (segments.at(-1)?.bytes ?? 0) + bytes + positionsSkipped
  return {
    segments: [...segments, { number, bytes, end }],
    next: { number: number + 1, firstOffset: end + positionsSkipped, previousEnd: end },
    damaged: [{ file: path, offset: 0 }],
  }
}

/** Bytes from `position` to the last one that is not zero: a segment is made longer before it is written. */
async function tornBytes(file: FileHandle, position: number): Promise<number> {
  const window = Buffer.allocUnsafeSlow(1 << 20)
  let torn = 0
  for (let start = position; ;) {
    const { bytesRead } = await file.read(window, 0, window.length, start)
    if (bytesRead === 0) return torn
    let last = bytesRead - 1
    while (last >= 0 && window[last] === 0) last--
    if (last >= 0) torn = start + last + 1 - position
    start += bytesRead
  }
}

/** That the tail does not count stands in the header of the next segment, so a disk that refuses this does no harm. */
async function cutTail(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(position)
    await file.sync()
  } finally {
    await file.close()
  }
}
