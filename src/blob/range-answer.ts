import { addAbortSignal, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { MigrationError } from '../base/errors.ts'
import type { RangeRead } from './remote-store.ts'

/** An answer to a request for a range of bytes: of object storage, or of a web server. */
export interface RangeAnswer {
  readonly body: Readable
  /** `bytes FIRST-LAST/LENGTH`; undefined when the server sends the whole blob instead. */
  readonly contentRange: string | undefined
  readonly contentLength: number | undefined
}

/** What was asked for, as messages name it. */
export interface AskedRange {
  readonly blob: string
  readonly offset: number
  readonly into: Uint8Array
}

/** The header Range for it. */
export function rangeText({ offset, into }: Pick<AskedRange, 'offset' | 'into'>): string {
  return `bytes=${offset}-${offset + into.length - 1}`
}

/**
 * Takes the body into memory. Throws MA_BLOB_READ: retryable when the answer ends too early, else when it is not the
 * range that was asked for.
 */
export async function takeRange(
  answer: RangeAnswer,
  asked: AskedRange,
  signal: AbortSignal,
): Promise<RangeRead> {
  const { body } = answer
  try {
    const { byteLength, count } = announced(answer, asked)
    await takeBody(body, asked.into.subarray(0, count), { blob: asked.blob, signal })
    return { byteLength, count }
  } finally {
    body.destroy()
  }
}

function announced(
  { contentRange, contentLength }: RangeAnswer,
  { blob, offset, into }: AskedRange,
): RangeRead {
  const asked = `bytes ${offset} to ${offset + into.length - 1} of ${blob} were asked for`
  if (contentRange === undefined) {
    // The whole blob, which is right where it is not longer than the range from its start.
    if (offset === 0 && contentLength !== undefined && contentLength <= into.length) {
      return { byteLength: contentLength, count: contentLength }
    }
    throw new MigrationError(
      'MA_BLOB_READ',
      `${asked}, and the server answers with the whole: it does not know range requests (HTTP header Range), ` +
        'or something in between takes them out',
    )
  }
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange)
  const [first, last, byteLength] = (found ?? []).slice(1).map(Number)
  const count = Math.min(into.length, (byteLength ?? 0) - offset)
  if (first !== offset || last !== offset + count - 1 || count <= 0) {
    throw new MigrationError(
      'MA_BLOB_READ',
      `${asked}, and the server answers ${JSON.stringify(contentRange.slice(0, 100))}`,
    )
  }
  return { byteLength: byteLength!, count }
}

async function takeBody(
  body: Readable,
  into: Uint8Array,
  { blob, signal }: { blob: string; signal: AbortSignal },
): Promise<void> {
  addAbortSignal(signal, body)
  let at = 0
  // Events and not `for await`, which costs more CPU: all stored fields come this way.
  body.on('data', (chunk: Uint8Array) => {
    if (at + chunk.length <= into.length) into.set(chunk, at)
    at += chunk.length
    if (at > into.length) body.destroy()
  })
  try {
    await finished(body)
  } catch (error) {
    if (at <= into.length) throw error
  }
  if (at === into.length) return
  throw new MigrationError(
    'MA_BLOB_READ',
    `the answer for ${blob} was to have ${into.length} bytes and has ${at > into.length ? 'more' : at}`,
    { retryable: true, details: { blob } },
  )
}
