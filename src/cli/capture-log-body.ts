import { isUtf8 } from 'node:buffer'
import { MigrationError } from '../base/errors.ts'
import { decodeBody } from '../traffic/content-encoding.ts'
import type { CapturedRequest, CapturedResponse, RawHeaders } from '../traffic/exchange.ts'

/** Of a body that is unpacked to be shown. */
const shownBytesMax = 64 << 20

/** What cannot be shown as text, and why. */
export interface NoText {
  readonly bytes: number
  readonly why: string
}

/** The body as text, its Content-Encoding taken off. */
export function bodyOf(message: CapturedRequest | CapturedResponse): string | NoText {
  const { body, bodyBytes } = message
  if (body.length < bodyBytes) {
    const why = body.length === 0 ? 'not recorded' : `only the first ${body.length} bytes recorded`
    return { bytes: bodyBytes, why }
  }
  try {
    const plain = decodeBody(body, headerOf(message.headers, 'content-encoding'), shownBytesMax)
    if (isUtf8(plain)) return Buffer.from(plain).toString()
    return { bytes: plain.length, why: 'not text' }
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
    return { bytes: bodyBytes, why: error.message }
  }
}

function headerOf(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) return headers[i + 1]
  }
  return undefined
}
