import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LogBehind, LoggedRecord, LogPosition } from './capture-log.ts'
import type { CaptureGap, CaptureRecord } from './exchange.ts'
import type { OpenSegment } from './frame-scanner.ts'
import {
  checkStreamName,
  damageOf,
  findEnd,
  isMissing,
  listSegments,
  openSegment,
  readHeader,
} from './log-folder.ts'
import { segmentFile, writeReleased } from './log-folder.ts'
import { decodeContent } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'
import { recordTime } from './record-time.ts'
import type { SegmentHeader } from './segment-layout.ts'
import { readFrames, type Found, type FramesOptions } from './stream-frames.ts'

export type ReadOptions = Omit<FramesOptions, 'folder' | 'offset'>

export interface LocalLogReaderOptions {
  /** Name of the one stream that is wanted. */
  readonly only?: string
  /** With it, damage is told here and passed over, a gap record in its place; without it, it is thrown. */
  readonly onDamage?: ((damage: MigrationError) => void) | undefined
}

/** Opens the local capture log in a folder, in which each stream has a folder of its own. Writers are not disturbed. */
export function openLocalLogReader(
  folder: string,
  options: LocalLogReaderOptions = {},
): LocalLogReader {
  return new LocalLogReader(folder, options)
}

interface StreamEnds {
  readonly oldest: LogPosition
  readonly end: LogPosition
}

export class LocalLogReader implements CaptureLogReader {
  readonly #folder: string
  readonly #options: LocalLogReaderOptions
  /** How far the last segment of a stream was read, so that it need not be read again. */
  readonly #known = new Map<string, { salt: Buffer; position: number }>()
  /** Headers of segments that are followed by others. */
  readonly #segments = new Map<string, ReadonlyMap<number, SegmentHeader>>()

  constructor(folder: string, options: LocalLogReaderOptions) {
    this.#folder = folder
    this.#options = options
  }

  async streams(): Promise<StreamEnds[]> {
    const names = await this.#streamNames()
    const found: StreamEnds[] = []
    for (const stream of names) {
      const ends = await this.#ends(stream)
      if (ends !== undefined) found.push(ends)
    }
    return found
  }

  async *read(from: LogPosition, options: ReadOptions): AsyncGenerator<LoggedRecord> {
    const { stream } = from
    let last: CaptureRecord | undefined
    let skipped: Skipped | undefined
    for await (const found of this.frames(from, options)) {
      if ('damage' in found) {
        this.#options.onDamage?.(found.damage)
        skipped = { damage: found.damage, next: { stream, offset: found.next } }
        continue
      }
      const record = decodeContent(found.frame.subarray(frameHeadBytes), found.place)
      if (skipped !== undefined) yield gapOf(skipped, { last, until: recordTime(record) })
      skipped = undefined
      last = record
      yield { record, next: { stream, offset: found.next } }
    }
    if (skipped !== undefined) yield gapOf(skipped, { last, until: Date.now() * 1000 })
  }

  /** As read(), without decoding: frames as they are in the log, for those who pass them on. */
  frames({ stream, offset }: LogPosition, options: ReadOptions): AsyncGenerator<Found> {
    checkStreamName(stream)
    const skipDamage = this.#options.onDamage !== undefined
    return readFrames({ skipDamage, ...options, folder: join(this.#folder, stream), offset })
  }

  /** Of each segment what it holds behind the position: what lies between two segments was never written. */
  async behind({ stream, offset }: LogPosition): Promise<LogBehind> {
    checkStreamName(stream)
    const ends = await this.#ends(stream)
    const headers = ends === undefined ? [] : await this.#headers(stream)
    const bytes = headers.map(({ firstOffset }, at) => {
      const end = headers[at + 1]?.previousEnd ?? ends!.end.offset
      return Math.max(0, end - Math.max(firstOffset, offset))
    })
    return { bytes: bytes.reduce((sum, one) => sum + one, 0) }
  }

  async release({ stream, offset }: LogPosition): Promise<void> {
    checkStreamName(stream)
    await writeReleased(join(this.#folder, stream), offset)
  }

  async close(): Promise<void> {
    this.#known.clear()
    this.#segments.clear()
  }

  async #streamNames(): Promise<string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => this.#options.only === undefined || name === this.#options.only)
      .sort()
  }

  /** Of the segments that are there, in order: a header is read once. */
  async #headers(stream: string): Promise<SegmentHeader[]> {
    const folder = join(this.#folder, stream)
    const known = this.#segments.get(stream) ?? new Map<number, SegmentHeader>()
    const present = new Map<number, SegmentHeader>()
    for (const number of await listSegments(folder)) {
      // The number of one without records is used again.
      const header =
        known.get(number) ?? (await readHeader(segmentFile(folder, number)).catch(damageOf))
      if (header === undefined || header instanceof MigrationError) continue
      present.set(number, header)
    }
    const last = Math.max(...present.keys())
    this.#segments.set(stream, new Map([...present].filter(([number]) => number !== last)))
    return [...present.values()]
  }

  /** Where the oldest segment begins and the last one ends; undefined where the folder holds no segment. */
  async #ends(stream: string): Promise<StreamEnds | undefined> {
    const folder = join(this.#folder, stream)
    const paths = (await listSegments(folder)).map((number) => segmentFile(folder, number))
    const oldest = await firstReadable(paths)
    const last = await firstReadable(paths.reverse())
    await oldest?.file.close()
    if (oldest === undefined || last === undefined) return undefined
    try {
      const { header, headerBytes } = last
      const known = this.#known.get(stream)
      const start = known?.salt.equals(header.salt) === true ? known.position : headerBytes
      const { position } = await findEnd(last, start)
      this.#known.set(stream, { salt: header.salt, position })
      return {
        oldest: { stream, offset: oldest.header.firstOffset },
        end: { stream, offset: header.firstOffset + position - headerBytes },
      }
    } finally {
      await last.file.close()
    }
  }
}

/** The first of these segments that has a header. What is damaged is told to those who read it. */
async function firstReadable(paths: readonly string[]): Promise<OpenSegment | undefined> {
  for (const path of paths) {
    const segment = await openSegment(path).catch(damageOf)
    if (segment !== undefined && !(segment instanceof MigrationError)) return segment
  }
  return undefined
}

interface Skipped {
  readonly damage: MigrationError
  readonly next: LogPosition
}

/** What stands in the place of bytes that cannot be read: nobody knows how many requests they held. */
function gapOf(
  { damage, next }: Skipped,
  { last, until }: { last: CaptureRecord | undefined; until: number },
): LoggedRecord {
  const proxy = last === undefined ? next.stream : proxyOf(last)
  const from = last === undefined ? 0 : recordTime(last)
  const record: CaptureGap = {
    kind: 'gap',
    ...{ proxy, from: Math.min(from, until), until, requests: 1, cause: damage.message },
  }
  return { record, next }
}

function proxyOf(record: CaptureRecord): string {
  return 'exchange' in record ? record.exchange.proxy : record.proxy
}
