import { MigrationError } from '../base/errors.ts'
import type { CaptureLogWriter } from './capture-log.ts'
import type { CaptureRecord } from './exchange.ts'
import type { ExportEnd } from './export-layout.ts'
import type { ExportEntry } from './export-read.ts'

/** A stream that is imported to. */
export interface ImportTarget {
  /** The frames of the records that are there already, in order. */
  existing(): AsyncIterable<Uint8Array>
  /** Called once, after `existing` was read. */
  open(): Promise<CaptureLogWriter>
}

export interface ImportOptions {
  /** What is imported: readExport(), or what gives the like of it. */
  readonly entries: AsyncIterable<ExportEntry>
  readonly target: (stream: string) => ImportTarget
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { records: number; skipped: number }) => void
}

export interface Imported extends ExportEnd {
  /** Records that were there from an import that was broken off. */
  readonly skipped: number
}

/** Bytes of records that are on their way. */
const pendingBytesMax = 8 << 20

/**
 * Appends an export to the streams that it names. A stream may hold the beginning of what is imported, from an import that
 * was broken off; one that holds anything else is refused.
 */
export async function importLog(options: ImportOptions): Promise<Imported> {
  const { entries, signal, onProgress } = options
  let stream: StreamImport | undefined
  let [records, skipped] = [0, 0]
  try {
    for await (const entry of entries) {
      signal?.throwIfAborted()
      if (entry.kind === 'stream') {
        await stream?.close()
        stream = undefined
        stream = new StreamImport(entry.stream, options.target(entry.stream))
      } else if (entry.kind === 'record') {
        if (await stream!.take(entry.record, entry.frame)) skipped++
        if (++records % 10_000 === 0) onProgress?.({ records, skipped })
      } else if (entry.kind === 'end') {
        await stream?.close()
        stream = undefined
        const { bytes, checksum } = entry
        return { records, bytes, checksum, skipped }
      }
    }
    throw new Error('an export ends with its end')
  } finally {
    await stream?.abandon()
  }
}

class StreamImport {
  readonly #name: string
  readonly #target: ImportTarget
  /** Undefined when all that was there has been passed. */
  #existing: AsyncIterator<Uint8Array> | undefined
  #writer: CaptureLogWriter | undefined
  #pendingBytes = 0
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(name: string, target: ImportTarget) {
    this.#name = name
    this.#target = target
    this.#existing = target.existing()[Symbol.asyncIterator]()
  }

  /** Appends a record, or finds that it is there; true: it was. */
  async take(record: CaptureRecord, frame: Buffer): Promise<boolean> {
    const there = await this.#existing?.next()
    if (there?.done === false) {
      if (frame.equals(there.value)) return true
      throw otherRecordsError(this.#name)
    }
    this.#existing = undefined
    this.#writer ??= await this.#target.open()
    this.#append(this.#writer, record, frame.length)
    while (this.#pendingBytes > pendingBytesMax) await this.#settled()
    this.#throwFailure()
    return false
  }

  async close(): Promise<void> {
    if ((await this.#existing?.next())?.done === false) throw otherRecordsError(this.#name)
    while (this.#pendingBytes > 0) await this.#settled()
    this.#throwFailure()
    await this.abandon()
  }

  async abandon(): Promise<void> {
    const writer = this.#writer
    this.#writer = undefined
    await this.#existing?.return?.()
    await writer?.close()
  }

  #append(writer: CaptureLogWriter, record: CaptureRecord, bytes: number): void {
    this.#pendingBytes += bytes
    writer.append(record, (error) => {
      this.#pendingBytes -= bytes
      this.#failure ??= error
      this.#wake?.()
    })
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}

function otherRecordsError(stream: string): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the stream ${stream} holds other records than those of the export. Import into an empty log; an import that was ` +
      'broken off goes on by itself with the same file.',
    { details: { stream } },
  )
}
