import { mkdir, open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { crc32, gzip } from 'node:zlib'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LogPosition } from './capture-log.ts'
import { beginContent, endContent, memberBytesMin, streamContent } from './export-layout.ts'
import type { ExportEnd, TimeWindow } from './export-layout.ts'
import { isMissing, syncFolder } from './log-folder.ts'
import { FrameBatch } from './record-encode.ts'
import { WindowSelection } from './select-window.ts'

export interface ExportOptions {
  readonly reader: CaptureLogReader
  /** What is there already is not replaced. Until all is written it is `<file>.part`. */
  readonly file: string
  readonly window: TimeWindow
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ExportEnd) => void
}

/** How far an export is: kept beside the part that is written, for the one that goes on. */
interface Progress extends ExportEnd {
  readonly window: TimeWindow
  readonly streams: readonly { readonly oldest: LogPosition; readonly end: LogPosition }[]
  /** The stream that is being read, by its place in the list, and the position in it. */
  readonly at: number
  readonly offset: number
  /** Whether the name of that stream is written: one without records is not in the export. */
  readonly isNamed: boolean
  readonly open: readonly string[]
  /** Of the part that is written. */
  readonly fileBytes: number
}

/** Bytes of the export between two notes of how far it is. */
const noteEveryBytes = 16 << 20
const compress = promisify<Uint8Array, Buffer>(gzip)

/**
 * Writes what the log holds now, stream by stream, to a file (export-layout.ts). One that was broken off goes on where it
 * was when it is called again with the same file and window.
 */
export async function exportLog(options: ExportOptions): Promise<ExportEnd> {
  const { file, window, reader } = options
  await refuseExisting(file)
  await mkdir(dirname(resolve(file)), { recursive: true })
  const found = await readProgress(file, window)
  const part = await open(`${file}.part`, found === undefined ? 'w' : 'r+', 0o600)
  try {
    const begun = found ?? newProgress(window, await reader.streams())
    await part.truncate(begun.fileBytes)
    const writer = new ExportWriter(part, begun, options)
    await writer.run()
    await part.sync()
    await rename(`${file}.part`, file)
    await rm(noteOf(file), { force: true })
    await syncFolder(dirname(resolve(file)))
    return writer.end
  } finally {
    await part.close()
  }
}

class ExportWriter {
  readonly #part: FileHandle
  readonly #options: ExportOptions
  readonly #streams: Progress['streams']
  readonly #batch = new FrameBatch()
  readonly #begun: Progress
  #at: number
  #offset: number
  #isNamed: boolean
  #fileBytes: number
  #records: number
  #bytes: number
  #checksum: number
  #notedBytes: number

  constructor(part: FileHandle, begun: Progress, options: ExportOptions) {
    this.#part = part
    this.#options = options
    this.#begun = begun
    this.#streams = begun.streams
    this.#at = begun.at
    this.#offset = begun.offset
    this.#isNamed = begun.isNamed
    this.#fileBytes = begun.fileBytes
    this.#records = begun.records
    this.#bytes = begun.bytes
    this.#checksum = begun.checksum
    this.#notedBytes = begun.bytes
  }

  get end(): ExportEnd {
    return { records: this.#records, bytes: this.#bytes, checksum: this.#checksum }
  }

  async run(): Promise<void> {
    if (this.#begun.bytes === 0) this.#batch.addContent(beginContent(this.#options.window))
    let open = this.#begun.open
    for (; this.#at < this.#streams.length; this.#at++) {
      await this.#writeStream(this.#streams[this.#at]!, open)
      open = []
      this.#offset = -1
      this.#isNamed = false
    }
    // The end tells of all before it, and is none of it.
    await this.#writeMember(this.#takeBatch())
    this.#batch.addContent(endContent(this.end))
    await this.#writeMember(Buffer.concat(this.#batch.pieces()))
  }

  async #writeStream(
    { oldest, end }: Progress['streams'][number],
    open: readonly string[],
  ): Promise<void> {
    const { reader, window, signal } = this.#options
    const { stream } = oldest
    const offset = this.#offset < 0 ? oldest.offset : this.#offset
    const selection = new WindowSelection(window, open)
    const read = reader.read({ stream, offset }, { follow: false, ...(signal && { signal }) })
    for await (const { record, next } of read) {
      signal?.throwIfAborted()
      if (next.offset > end.offset) break
      this.#offset = next.offset
      if (!selection.selects(record)) continue
      if (!this.#isNamed) this.#batch.addContent(streamContent(stream))
      this.#isNamed = true
      this.#batch.add(record)
      this.#records++
      if (this.#batch.bytes < memberBytesMin) continue
      await this.#writeMember(this.#takeBatch())
      if (this.#bytes - this.#notedBytes >= noteEveryBytes) await this.#note(selection)
    }
  }

  /** The frames of the next member, counted and checksummed. */
  #takeBatch(): Buffer {
    const frames = Buffer.concat(this.#batch.pieces())
    this.#batch.clear()
    this.#bytes += frames.length
    this.#checksum = crc32(frames, this.#checksum)
    return frames
  }

  async #writeMember(frames: Buffer): Promise<void> {
    if (frames.length === 0) return
    const member = await compress(frames)
    await this.#part.write(member, 0, member.length, this.#fileBytes)
    this.#fileBytes += member.length
    this.#options.onProgress?.(this.end)
  }

  async #note(selection: WindowSelection): Promise<void> {
    await this.#part.datasync()
    const progress: Progress = {
      ...this.end,
      window: this.#options.window,
      streams: this.#streams,
      at: this.#at,
      offset: this.#offset,
      isNamed: this.#isNamed,
      open: selection.openExchanges(),
      fileBytes: this.#fileBytes,
    }
    const note = noteOf(this.#options.file)
    await writeFile(`${note}.new`, JSON.stringify(progress), { mode: 0o600, flush: true })
    await rename(`${note}.new`, note)
    this.#notedBytes = this.#bytes
  }
}

const noteOf = (file: string): string => `${file}.part.json`

function newProgress(window: TimeWindow, streams: Progress['streams']): Progress {
  const nothing = { records: 0, bytes: 0, checksum: 0, fileBytes: 0 }
  return { ...nothing, window, streams, at: 0, offset: -1, isNamed: false, open: [] }
}

/** How far an export to this file is that was broken off; undefined: there is none. */
async function readProgress(file: string, window: TimeWindow): Promise<Progress | undefined> {
  const text = await readFile(noteOf(file), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const progress = JSON.parse(text) as Progress
  if (progress.window.since === window.since && progress.window.until === window.until) {
    return progress
  }
  throw new MigrationError(
    'MA_CONFIG',
    `${file}.part is an export of another time window that was broken off. Go on with the same --since and --until, or ` +
      `remove ${file}.part and ${noteOf(file)}.`,
    { details: { file } },
  )
}

async function refuseExisting(file: string): Promise<void> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (handle === undefined) return
  await handle.close()
  throw new MigrationError(
    'MA_CONFIG',
    `${file} is there already. Choose another name, or remove it.`,
    {
      details: { file },
    },
  )
}
