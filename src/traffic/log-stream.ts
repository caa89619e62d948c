import { CorruptData, MigrationError, errorCodes, type ErrorCode } from '../base/errors.ts'
import type { LogPosition } from './capture-log.ts'
import { contentBytesMax, frameHeadBytes } from './record-layout.ts'

/**
 * Records of one stream of a capture log, on their way over the admin port of a proxy. Specified in
 * docs/formats/capture-log.md; numbers are big-endian.
 *
 *   stream = entry*
 *   entry  = 1:byte next:int64 frame            ; a record (record-layout.ts), and the offset after it
 *          | 2:byte                             ; there is nothing new, and the proxy is alive
 *          | 3:byte                             ; the end of what was asked for
 *          | 4:byte length:uint32 JSON          ; {code, message, retryable}: reading ends with this error
 *
 * A stream that ends in another way was broken off: it is read on from the offset after the last whole record.
 */
export const logStreamType = 'application/vnd.osmigrate.capture-log; version=1'
const kinds = { record: 1, alive: 2, end: 3, error: 4 } as const
const errorBytesMax = 64 * 1024

export type LogStreamEntry =
  | { readonly kind: 'record'; readonly next: number; readonly frame: Buffer }
  | { readonly kind: 'alive' }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly error: MigrationError }

export const aliveEntry: Buffer = Buffer.of(kinds.alive)
export const endEntry: Buffer = Buffer.of(kinds.end)

/** What stands before a record's frame. */
export function recordHead(next: LogPosition): Buffer {
  const head = Buffer.allocUnsafe(9)
  head[0] = kinds.record
  head.writeBigInt64BE(BigInt(next.offset), 1)
  return head
}

export function errorEntry({ code, message, retryable }: MigrationError): Buffer {
  const text = Buffer.from(JSON.stringify({ code, message: message.slice(0, 4096), retryable }))
  const head = Buffer.allocUnsafe(5)
  head[0] = kinds.error
  head.writeUInt32BE(text.length, 1)
  return Buffer.concat([head, text])
}

/** The entries of a stream. It ends without `end` or `error` where the bytes break off; throws for others than its layout. */
export async function* parseLogStream(
  chunks: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<LogStreamEntry> {
  const bytes = new Taker(chunks)
  for (;;) {
    const kind = (await bytes.take(1))?.[0]
    if (kind === undefined) return
    if (kind === kinds.alive) {
      yield { kind: 'alive' }
      continue
    }
    if (kind === kinds.end) {
      yield { kind: 'end' }
      return
    }
    const offset = bytes.position - 1
    if (kind === kinds.error) {
      const length = (await bytes.take(4))?.readUInt32BE()
      if (length === undefined) return
      if (length > errorBytesMax) throw corrupt('an error', `one of ${length} bytes`)
      const text = await bytes.take(length)
      if (text !== undefined) yield { kind: 'error', error: parseError(text.toString()) }
      return
    }
    if (kind !== kinds.record) throw corrupt('an entry of kind 1 to 4', String(kind))
    const head = await bytes.take(8 + frameHeadBytes)
    if (head === undefined) return
    const next = Number(head.readBigInt64BE())
    const length = head.readUInt32BE(12)
    if (!Number.isSafeInteger(next) || next < 0) throw corrupt('an offset', String(next))
    if (length > contentBytesMax) throw corrupt('a record', `one of ${length} bytes`)
    const content = await bytes.take(length)
    if (content === undefined) return
    yield { kind: 'record', next, frame: Buffer.concat([head.subarray(8), content]) }

    function corrupt(expected: string, found: string): CorruptData {
      return new CorruptData({ file, offset, expected, found })
    }
  }
}

function parseError(text: string): MigrationError {
  let told: { code?: unknown; message?: unknown; retryable?: unknown } = {}
  try {
    told = JSON.parse(text) as typeof told
  } catch {
    // Said below: the message is missing.
  }
  const code: ErrorCode =
    typeof told.code === 'string' && Object.hasOwn(errorCodes, told.code)
      ? (told.code as ErrorCode)
      : 'MA_CAPTURE_LOG'
  const message = typeof told.message === 'string' ? told.message : 'the proxy does not say why'
  return new MigrationError(code, message, { retryable: told.retryable === true })
}

/** Takes bytes from chunks, as many as are asked for; what is whole in one chunk is not copied. */
export class Taker {
  /** Of the next byte. */
  position = 0
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** undefined: the bytes end before. */
  async take(count: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    let missing = count
    while (this.#rest.length < missing) {
      pieces.push(this.#rest)
      missing -= this.#rest.length
      const next = await this.#chunks.next()
      if (next.done === true) return undefined
      this.#rest = next.value
    }
    pieces.push(this.#rest.subarray(0, missing))
    this.#rest = this.#rest.subarray(missing)
    this.position += count
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, count)
  }
}
