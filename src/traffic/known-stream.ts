import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { CorruptData, MigrationError } from '../base/errors.ts'
import type { CaptureRecord } from './exchange.ts'
import { KnownConnection } from './known-stream-connection.ts'
import { parseTrafficStream } from './known-stream-layout.ts'

/** The known tool gives a connection up that says nothing for so long: what is not answered by then has no answer. */
const silentMaxMicros = 360 * 1_000_000
const sweepEvery = 1000
/** Held of messages that are not whole yet, of all connections. */
const bytesMax = 1024 ** 3

/**
 * Makes records of the known tool's chunks, given in the order of a topic's partition or of an exported file. One chunk is
 * one TrafficStream (known-stream-layout.ts).
 */
export class KnownStreams {
  readonly #file: string
  readonly #connections = new Map<string, KnownConnection>()
  readonly #open = new Set<KnownConnection>()
  #count = 0
  #bytes = 0

  /** `file` is what errors name. */
  constructor(file: string) {
    this.#file = file
  }

  /** The records that end with this chunk. Throws CorruptData for what is none, MA_CAPTURE_LOG above 1 GB of open messages. */
  accept(bytes: Buffer, offset: number): CaptureRecord[] {
    const stream = parseTrafficStream(bytes, { file: this.#file, offset })
    const key = `${stream.nodeId}.${stream.connectionId}`
    const connection = this.#connections.get(key) ?? new KnownConnection(stream)
    const before = connection.bytes
    const records = connection.accept(stream, offset)
    this.#bytes += connection.bytes - before
    if (stream.isLast) this.#connections.delete(key)
    else this.#connections.set(key, connection)
    if (connection.openSince === undefined) this.#open.delete(connection)
    else this.#open.add(connection)
    if (++this.#count % sweepEvery === 0) records.push(...this.#endSilent(connection.lastAt))
    if (this.#bytes > bytesMax) throw this.#tooMuch(offset)
    return records
  }

  /** From where one must read on after the message at `offset`: no later than what is not whole yet begins. */
  nextOffset(offset: number): number {
    let next = offset + 1
    for (const { openSince } of this.#open) next = Math.min(next, openSince ?? next)
    return next
  }

  /** The records of what is open, as nothing more comes. */
  end(): CaptureRecord[] {
    const records = [...this.#connections.values()].flatMap((connection) => connection.end())
    this.#connections.clear()
    this.#open.clear()
    this.#bytes = 0
    return records
  }

  #endSilent(now: number): CaptureRecord[] {
    const records: CaptureRecord[] = []
    for (const [key, connection] of this.#connections) {
      if (now - connection.lastAt <= silentMaxMicros) continue
      this.#bytes -= connection.bytes
      records.push(...connection.end())
      this.#connections.delete(key)
      this.#open.delete(connection)
    }
    return records
  }

  #tooMuch(offset: number): MigrationError {
    const text = `${this.#file} at ${offset}: messages that have begun and not ended hold more than 1 GB`
    return new MigrationError('MA_CAPTURE_LOG', text)
  }
}

/**
 * The records of a file that the known tool has exported, or that holds what it has written:
 *
 *   file = line*                            ; packed with gzip, or plain
 *   line = [key "|"] base64 LF              ; base64 of one TrafficStream
 *
 * Throws MA_CAPTURE_LOG for what is damaged, with the line.
 */
export async function* readKnownExport(path: string): AsyncGenerator<CaptureRecord> {
  const streams = new KnownStreams(path)
  let line = 0
  try {
    for await (const text of linesOf(path)) {
      line++
      if (text === '') continue
      const encoded = text.slice(text.lastIndexOf('|') + 1)
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
        const found = encoded.slice(0, 40)
        throw new CorruptData({ file: path, offset: line, expected: 'Base64', found })
      }
      yield* streams.accept(Buffer.from(encoded, 'base64'), line)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (error instanceof MigrationError && error.code !== 'MA_CORRUPT_DATA') throw error
    const text =
      code === 'ENOENT' ? 'there is no such file' : `line ${line} cannot be read: ${message}`
    throw new MigrationError('MA_CAPTURE_LOG', `${path}: ${text}`, { cause: error })
  }
  yield* streams.end()
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const packed = await isPacked(path)
  const file = createReadStream(path)
  try {
    const input = packed ? file.pipe(createGunzip()) : file
    file.on('error', (error) => input.destroy(error))
    yield* createInterface({ input, crlfDelay: Infinity })
  } finally {
    file.destroy()
  }
}

async function isPacked(path: string): Promise<boolean> {
  for await (const chunk of createReadStream(path, { end: 1 })) {
    return (chunk as Buffer).equals(Buffer.of(0x1f, 0x8b))
  }
  return false
}
