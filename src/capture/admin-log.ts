import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LogPosition } from '../traffic/capture-log.ts'
import {
  aliveEntry,
  endEntry,
  errorEntry,
  logStreamType,
  recordHead,
} from '../traffic/log-stream.ts'
import { encodeRecord } from '../traffic/record-encode.ts'
import { sendJson } from './admin-answer.ts'

/** A reader gives a proxy up that says nothing for 20 s. */
const aliveEveryMs = 5000
const pieceBytes = 64 * 1024
const bodyBytesMax = 64 * 1024

export async function answerStreams(
  log: CaptureLogReader,
  response: ServerResponse,
): Promise<void> {
  sendJson(response, 200, { streams: await log.streams() })
}

export async function answerBehind(
  log: CaptureLogReader,
  { response, query }: { response: ServerResponse; query: URLSearchParams },
): Promise<void> {
  sendJson(response, 200, await log.behind(positionIn(query)))
}

/** Records of a stream, as long as the client takes them. */
export async function serveRecords(
  log: CaptureLogReader,
  given: { response: ServerResponse; query: URLSearchParams; signal: AbortSignal },
): Promise<void> {
  const { response, query } = given
  const from = positionIn(query)
  const gone = new AbortController()
  const signal = AbortSignal.any([gone.signal, given.signal])
  response.once('close', () => gone.abort(new MigrationError('MA_STOPPED', 'the client is gone')))
  response.writeHead(200, { 'content-type': logStreamType, 'cache-control': 'no-store' })
  response.flushHeaders()
  const alive = setInterval(() => {
    if (response.writableLength === 0) response.write(aliveEntry)
  }, aliveEveryMs)
  try {
    await writeRecords(log, response, { from, follow: query.get('follow') === 'true', signal })
    response.end(endEntry)
  } catch (error) {
    if (gone.signal.aborted) return
    const known = error instanceof MigrationError ? error : undefined
    if (known === undefined) throw error
    response.end(errorEntry(known))
  } finally {
    clearInterval(alive)
  }
}

async function writeRecords(
  log: CaptureLogReader,
  response: ServerResponse,
  { from, ...options }: { from: LogPosition; follow: boolean; signal: AbortSignal },
): Promise<void> {
  let pieces: Buffer[] = []
  let bytes = 0
  let soon: NodeJS.Immediate | undefined
  const flush = (): void => {
    clearImmediate(soon)
    soon = undefined
    if (pieces.length > 0) response.write(Buffer.concat(pieces))
    pieces = []
    bytes = 0
  }
  for await (const { record, next } of log.read(from, options)) {
    const frame = encodeRecord(record)
    pieces.push(recordHead(next), frame)
    bytes += frame.length
    // What is read in one turn of the event loop goes as one piece.
    soon ??= setImmediate(flush)
    if (bytes >= pieceBytes) flush()
    if (response.writableNeedDrain) await once(response, 'drain', { signal: options.signal })
  }
  flush()
}

export async function answerReleased(
  log: CaptureLogReader,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request as AsyncIterable<string>) {
    text += chunk
    if (text.length > bodyBytesMax) throw notAPosition()
  }
  await log.release(positionOf(parsed(text)))
  sendJson(response, 200, {})
}

function positionIn(query: URLSearchParams): LogPosition {
  return positionOf({ stream: query.get('stream'), offset: Number(query.get('from')) })
}

function parsed(text: string): { stream?: unknown; offset?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { stream?: unknown; offset?: unknown }
  } catch {
    throw notAPosition()
  }
}

function positionOf({ stream, offset }: { stream?: unknown; offset?: unknown }): LogPosition {
  if (typeof stream !== 'string' || stream === '') throw notAPosition()
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) throw notAPosition()
  return { stream, offset: offset as number }
}

function notAPosition(): MigrationError {
  return new MigrationError('MA_CONFIG', 'a position is a stream and an offset, a whole number')
}
