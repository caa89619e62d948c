import { readFileSync } from 'node:fs'
import { chmod, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { FrameScanner, findMark, type OpenSegment } from './frame-scanner.ts'
import { frameHeadBytes } from './record-layout.ts'
import { closes, headerBytesMax, parseHeader, type SegmentHeader } from './segment-layout.ts'

/** The files of one stream of a local capture log: `<folder>/00000001.log`, …, `released.json`, `lock.db`, `lock.json`. */

const namePattern = /^(\d{8,15})\.log$/

export function segmentFile(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, '0')}.log`)
}

const streamPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** A stream's name is that of its folder. */
export function checkStreamName(stream: string): void {
  if (streamPattern.test(stream)) return
  throw new MigrationError(
    'MA_CONFIG',
    `"${stream}" cannot be the name of a stream of the capture log: expected up to 100 letters, digits, dots, dashes and ` +
      'underscores, a letter or digit first',
  )
}

/** Makes the folder of a stream, for its owner alone, and its name safe on the disk. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await makeFolders(resolve(folder))
  await chmod(folder, 0o700)
  if (first === undefined) return
  for (let made = resolve(folder); made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made))
  }
}

/** Makes it and what is missing above it. Returns the topmost that was made; undefined where it was there. */
async function makeFolders(folder: string, isAboveThere = false): Promise<string | undefined> {
  // mkdir() with `recursive` says of a disk that may only be read that the folder does not exist.
  try {
    await mkdir(folder, { mode: 0o700 })
    return folder
  } catch (error) {
    if (isMissing(error) && !isAboveThere) {
      const first = await makeFolders(dirname(folder))
      const own = await makeFolders(folder, true)
      return first ?? own
    }
    const isThere = await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (isThere) return undefined
    throw error
  }
}

/** The numbers of the segments that are there, in order. */
export async function listSegments(folder: string): Promise<number[]> {
  const numbers: number[] = []
  for (const name of await readdir(folder)) {
    const number = namePattern.exec(name)?.[1]
    if (number !== undefined) numbers.push(Number(number))
  }
  return numbers.sort((a, b) => a - b)
}

/**
 * Opens a segment; undefined where it is gone, or where its writer ended before its header was made. The caller closes the
 * file. Throws as parseHeader() does.
 */
export async function openSegment(
  path: string,
  flags: 'r' | 'r+' = 'r',
): Promise<OpenSegment | undefined> {
  const file = await open(path, flags).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const bytes = Buffer.alloc(headerBytesMax)
    const { bytesRead } = await file.read(bytes, 0, headerBytesMax, 0)
    const parsed = parseHeader(bytes.subarray(0, bytesRead), path)
    if (parsed !== undefined) return { file, ...parsed }
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

/** The header alone; undefined as in openSegment(). */
export async function readHeader(path: string): Promise<SegmentHeader | undefined> {
  const segment = await openSegment(path)
  await segment?.file.close()
  return segment?.header
}

/** Where the frames of a segment end, and what is damaged before that. */
export interface SegmentEnd {
  /** Index in the file behind the last frame. */
  readonly position: number
  /** Whether its writer closed it in good order. */
  readonly isClosed: boolean
  /** Indices in the file of damage: a mark follows each. */
  readonly damaged: readonly number[]
}

/** Reads a segment from `start` on, an index in the file where a frame begins, up to the last whole frame. */
export async function findEnd(segment: OpenSegment, start: number): Promise<SegmentEnd> {
  const scanner = new FrameScanner(segment.file, start)
  const damaged: number[] = []
  let isClosed = false
  for (;;) {
    const frame = scanner.take()
    if (frame !== undefined) isClosed = closes(frame.subarray(frameHeadBytes))
    if (frame !== undefined || (await scanner.load()) === undefined) continue
    const { position } = scanner
    const mark = await findMark(segment, position + 1)
    if (mark === undefined) return { position, isClosed, damaged }
    // Its writer may have ended it since.
    if ((await scanner.load()) === undefined) continue
    damaged.push(position)
    scanner.seek(mark)
  }
}

/** Hands back what says that bytes are damaged, for those who go on beside it; throws anything else. */
export function damageOf(error: unknown): MigrationError {
  if (error instanceof MigrationError && error.code === 'MA_CAPTURE_LOG') return error
  throw error
}

/** What consumers let go of; 0 when they have not yet. */
export function readReleased(folder: string): number {
  let text: string
  try {
    text = readFileSync(join(folder, releasedName), 'utf8')
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
  const offset = offsetOf(text)
  if (offset !== undefined) return offset
  throw new MigrationError(
    'MA_CAPTURE_LOG',
    `${join(folder, releasedName)} is not what osmigrate wrote. Remove it: then all that is still there is kept until ` +
      'it is released anew.',
    { details: { file: join(folder, releasedName) } },
  )
}

const releasedName = 'released.json'

function offsetOf(text: string): number | undefined {
  try {
    const { offset } = JSON.parse(text) as { offset?: unknown }
    return Number.isSafeInteger(offset) && Number(offset) >= 0 ? Number(offset) : undefined
  } catch {
    return undefined
  }
}

/** Keeps a release position, safely on the disk when it resolves. One that is behind the present one changes nothing. */
export async function writeReleased(folder: string, offset: number): Promise<void> {
  if (offset <= readReleased(folder)) return
  const path = join(folder, releasedName)
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify({ offset }) + '\n')
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncFolder(folder)
}

/** Makes the names in a folder safe on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
