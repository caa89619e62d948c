import * as zlib from 'node:zlib'
import { MigrationError } from '../base/errors.ts'

/**
 * Bodies are recorded as they were sent, `Content-Encoding` and all; this takes it off. What would become longer than
 * `bytesMax` is refused while it is unpacked, so a bomb costs no more than that.
 *
 * Errors: MA_CAPTURE_LOG for an encoding that nobody knows here, for broken bytes and for too many of them.
 */
export function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  bytesMax: number,
): Uint8Array {
  return codings(encoding).reduce((bytes, coding) => {
    try {
      return decodeSync(bytes, coding, bytesMax)
    } catch (error) {
      throw undecodable(coding, bytesMax, error)
    }
  }, body)
}

const deflateWithHeader = 0x78

function decodeSync(bytes: Uint8Array, coding: string, maxOutputLength: number): Uint8Array {
  const options = { maxOutputLength }
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.gunzipSync(bytes, options)
    case 'deflate':
      // Meant is zlib's form, sent is often the bare one.
      return (bytes[0]! & 0x0f) === (deflateWithHeader & 0x0f)
        ? zlib.inflateSync(bytes, options)
        : zlib.inflateRawSync(bytes, options)
    case 'zstd':
      return zlib.zstdDecompressSync(bytes, options)
    case 'br':
      return zlib.brotliDecompressSync(bytes, options)
    default:
      throw new Error('nobody knows this encoding here')
  }
}

/** The codings in the order in which they are to be taken off. */
function codings(encoding: string | undefined): string[] {
  if (encoding === undefined) return []
  return encoding
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== '' && one !== 'identity')
    .reverse()
}

function undecodable(coding: string, bytesMax: number, cause: unknown): MigrationError {
  const { code, message } = cause as NodeJS.ErrnoException
  const why = code === 'ERR_BUFFER_TOO_LARGE' ? `it becomes longer than ${bytesMax} bytes` : message
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `a body with Content-Encoding ${coding} cannot be unpacked: ${why}`,
    { cause, details: { coding } },
  )
}
