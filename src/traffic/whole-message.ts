import type { RawHeaders } from './exchange.ts'
import { headerValue } from './kept-heads.ts'

/** A message of HTTP/1.1 that lies in memory from its first byte to its last, its framing taken off. */
export interface WholeMessage {
  /** The three parts of the first line: method, target, version; or version, status, reason. */
  readonly line: readonly [string, string, string]
  readonly headers: RawHeaders
  readonly body: Buffer
  /** Index behind its last byte. */
  readonly end: number
  /** The body has no length and ends where the connection does. */
  readonly untilClose: boolean
}

/** Why there is none: bytes are missing, or they are no message. */
export type NoMessage = 'incomplete' | 'malformed'

const headEnd = Buffer.from('\r\n\r\n')
const headBytesMax = 1024 * 1024

/** Reads the message that begins at `start`. `method` is that of the request that a response answers. */
export function readMessage(
  bytes: Buffer,
  start: number,
  response?: { readonly method: string },
): WholeMessage | NoMessage {
  const end = bytes.indexOf(headEnd, start)
  if (end < 0) return bytes.length - start > headBytesMax ? 'malformed' : 'incomplete'
  const head = parseHead(bytes.toString('latin1', start, end))
  if (head === undefined) return 'malformed'
  const bodyStart = end + headEnd.length
  const { line, headers } = head
  if (response !== undefined && hasNoBody(line[1], response.method)) {
    return { ...head, body: bytes.subarray(0, 0), end: bodyStart, untilClose: false }
  }
  const coding = headerValue(headers, 'transfer-encoding')
  if (coding !== undefined && /(^|,)\s*chunked\s*$/i.test(coding)) {
    const chunked = readChunks(bytes, bodyStart)
    return typeof chunked === 'string' ? chunked : { ...head, ...chunked, untilClose: false }
  }
  const length = headerValue(headers, 'content-length')
  if (length === undefined) {
    const bodyEnd = response === undefined ? bodyStart : bytes.length
    const body = bytes.subarray(bodyStart, bodyEnd)
    return { ...head, body, end: bodyEnd, untilClose: response !== undefined }
  }
  if (!/^\d{1,15}$/.test(length)) return 'malformed'
  const bodyEnd = bodyStart + Number(length)
  if (bodyEnd > bytes.length) return 'incomplete'
  return { ...head, body: bytes.subarray(bodyStart, bodyEnd), end: bodyEnd, untilClose: false }
}

function hasNoBody(status: string, method: string): boolean {
  return method === 'HEAD' || status === '204' || status === '304' || /^1\d\d$/.test(status)
}

function parseHead(text: string): Pick<WholeMessage, 'line' | 'headers'> | undefined {
  const [first = '', ...rest] = text.split('\r\n')
  const [, a, b, c] = /^(\S+) (\S+)(?: (.*))?$/.exec(first) ?? []
  if (a === undefined || b === undefined) return undefined
  const headers: string[] = []
  for (const row of rest) {
    const colon = row.indexOf(':')
    if (colon <= 0) return undefined
    headers.push(row.slice(0, colon), row.slice(colon + 1).trim())
  }
  return { line: [a, b, c ?? ''], headers }
}

/**
 *   chunked = (size:hex [";" …] CRLF bytes CRLF)* "0" [";" …] CRLF (trailer CRLF)* CRLF     RFC 9112, section 7.1
 */
function readChunks(bytes: Buffer, start: number): { body: Buffer; end: number } | NoMessage {
  const chunks: Buffer[] = []
  for (let position = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', position)
    if (lineEnd < 0) return 'incomplete'
    const size = /^([0-9a-f]{1,8})\s*(;|$)/i.exec(bytes.toString('latin1', position, lineEnd))?.[1]
    if (size === undefined) return 'malformed'
    position = lineEnd + 2
    const length = parseInt(size, 16)
    if (length === 0) return endOfChunks(bytes, position, chunks)
    if (position + length + 2 > bytes.length) return 'incomplete'
    chunks.push(bytes.subarray(position, position + length))
    position += length + 2
  }
}

function endOfChunks(
  bytes: Buffer,
  trailers: number,
  chunks: readonly Buffer[],
): { body: Buffer; end: number } | NoMessage {
  for (let position = trailers; ;) {
    const lineEnd = bytes.indexOf('\r\n', position)
    if (lineEnd < 0) return 'incomplete'
    if (lineEnd === position) return { body: Buffer.concat(chunks), end: lineEnd + 2 }
    position = lineEnd + 2
  }
}
