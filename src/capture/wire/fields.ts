import type { RawHeaders } from '../../traffic/exchange.ts'
import { COLON, CR, HTAB, LF, SP, tokenBytes, valueBytes } from './alphabet.ts'
import { BadMessage } from './bad-message.ts'

/** Where one field of a head lies in its bytes. */
export interface FieldPlace {
  lineStart: number
  nameEnd: number
  /** The value without the blanks around it. */
  valueStart: number
  valueEnd: number
  /** Behind its CRLF. */
  lineEnd: number
}

export function fieldPlace(): FieldPlace {
  return { lineStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0, lineEnd: 0 }
}

/**
 * Reads the field line that starts at `at` into `place`. Lines folded over several (RFC 9112 section 5.2) and blanks
 * before the colon are refused: readers disagree on both.
 *
 *     field-line = 1*token-byte ":" *blank *value-byte *blank CRLF
 */
export function readField(bytes: Buffer, at: number, place: FieldPlace): void {
  let i = at
  while (tokenBytes[bytes[i]!] === 1) i++
  if (i === at || bytes[i] !== COLON) {
    throw new BadMessage(i === at ? 'a field has no name' : 'the name of a field is malformed')
  }
  place.lineStart = at
  place.nameEnd = i++
  while (bytes[i] === SP || bytes[i] === HTAB) i++
  place.valueStart = i
  while (valueBytes[bytes[i]!] === 1) i++
  if (bytes[i] !== CR || bytes[i + 1] !== LF) {
    throw new BadMessage('the value of a field has a control character')
  }
  place.lineEnd = i + 2
  while (i > place.valueStart && (bytes[i - 1] === SP || bytes[i - 1] === HTAB)) i--
  place.valueEnd = i
}

/** Whether the name of the field is `name`, which is in lower case. */
export function isNamed(bytes: Buffer, place: FieldPlace, name: string): boolean {
  const { lineStart, nameEnd } = place
  if (nameEnd - lineStart !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    // Names have letters and hyphens only, both of which the bit for lower case leaves distinct.
    if ((bytes[lineStart + i]! | 0x20) !== name.charCodeAt(i)) return false
  }
  return true
}

export function fieldValue(bytes: Buffer, place: FieldPlace): string {
  return bytes.toString('latin1', place.valueStart, place.valueEnd)
}

/** All fields from `at` to the empty line that ends before `end`, as they were written. */
export function listFields(bytes: Buffer, at: number, end: number): RawHeaders {
  const headers: string[] = []
  const place = fieldPlace()
  for (let i = at; i < end - 2; i = place.lineEnd) {
    readField(bytes, i, place)
    headers.push(bytes.toString('latin1', place.lineStart, place.nameEnd), fieldValue(bytes, place))
  }
  return headers
}

/** The members of a comma-separated value, in lower case. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

/** The length that a Content-Length says. Only digits, and not more than any engine takes. */
export function parseContentLength(bytes: Buffer, place: FieldPlace): number {
  const { valueStart, valueEnd } = place
  if (valueEnd === valueStart || valueEnd - valueStart > 15) throw badLength()
  let length = 0
  for (let i = valueStart; i < valueEnd; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) throw badLength()
    length = length * 10 + digit
  }
  return length
}

function badLength(): BadMessage {
  return new BadMessage('Content-Length is not a number')
}
