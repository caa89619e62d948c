import type { RawHeaders } from '../../traffic/exchange.ts'
import { CR, LF, SP, targetBytes, tokenBytes } from './alphabet.ts'
import { BadMessage } from './bad-message.ts'
import type { BodyKind } from './body-framing.ts'
import {
  fieldPlace,
  fieldValue,
  isNamed,
  listFields,
  listMembers,
  parseContentLength,
  readField,
} from './fields.ts'

const methodLengthMax = 32
const place = fieldPlace()

/** What says how a message is framed, or must not go on to the next hop. */
export class HeadFacts {
  contentLength = -1
  isChunked = false
  /** `close` and `keep-alive` of the Connection field. */
  saysClose = false
  saysKeepAlive = false
  /** Where the value of Connection lies; several such fields count as one that must be rewritten. */
  connectionFields = 0
  /** Options beside close and keep-alive, in lower case. */
  options: string[] | undefined
  hasUpgrade = false
}

/**
 * The head of a request, in the bytes that hold it:
 *
 *     request-line = method SP target SP "HTTP/1." ( "0" / "1" ) CRLF          (RFC 9112 section 3)
 */
export class RequestHeadBytes extends HeadFacts {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly method: string
  readonly targetStart: number
  readonly targetEnd: number
  readonly fieldsStart: number
  readonly isVersion10: boolean
  expectsContinue = false
  /** -1, or where the first X-Forwarded-For starts and its value ends. */
  forwardedFor = -1
  hasForwardedProto = false

  constructor(bytes: Buffer, start: number, end: number) {
    super()
    this.bytes = bytes
    this.start = start
    this.end = end
    let i = start
    while (tokenBytes[bytes[i]!] === 1) i++
    if (i === start || i - start > methodLengthMax || bytes[i] !== SP) throw badLine()
    this.method = bytes.toString('latin1', start, i)
    this.targetStart = ++i
    while (targetBytes[bytes[i]!] === 1) i++
    if (i === this.targetStart || bytes[i] !== SP) throw badLine()
    this.targetEnd = i++
    this.isVersion10 = readVersion(bytes, i) === 0
    i += 8
    if (bytes[i] !== CR || bytes[i + 1] !== LF) throw badLine()
    this.fieldsStart = i + 2
    this.#readFields()
  }

  get target(): string {
    return this.bytes.toString('latin1', this.targetStart, this.targetEnd)
  }

  get headers(): RawHeaders {
    return listFields(this.bytes, this.fieldsStart, this.end)
  }

  get bodyKind(): BodyKind {
    return this.isChunked ? 'chunked' : this.contentLength > 0 ? 'length' : 'none'
  }

  /** Whether the client wants another answer on this connection. */
  get isPersistent(): boolean {
    return this.isVersion10 ? this.saysKeepAlive && !this.saysClose : !this.saysClose
  }

  #readFields(): void {
    const { bytes, end } = this
    for (let i = this.fieldsStart; i < end - 2; i = place.lineEnd) {
      readField(bytes, i, place)
      readFraming(bytes, this)
      switch (place.nameEnd - place.lineStart) {
        case 6:
          if (isNamed(bytes, place, 'expect')) this.expectsContinue = true
          break
        case 15:
          if (this.forwardedFor === -1 && isNamed(bytes, place, 'x-forwarded-for')) {
            this.forwardedFor = place.valueEnd
          }
          break
        case 17:
          if (isNamed(bytes, place, 'x-forwarded-proto')) this.hasForwardedProto = true
          break
      }
    }
    if (this.isChunked && this.isVersion10)
      throw new BadMessage('HTTP/1.0 has no Transfer-Encoding')
  }
}

/** The head of an answer: `"HTTP/1." ( "0" / "1" ) SP 3digit [ SP reason ] CRLF` (RFC 9112 section 4). */
export class AnswerHeadBytes extends HeadFacts {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly status: number
  readonly isVersion10: boolean
  readonly fieldsStart: number

  constructor(bytes: Buffer, start: number, end: number) {
    super()
    this.bytes = bytes
    this.start = start
    this.end = end
    this.isVersion10 = readVersion(bytes, start) === 0
    this.status = readStatus(bytes, start + 8)
    let i = bytes.indexOf(LF, start + 12)
    if (bytes[i - 1] !== CR) throw badLine()
    this.fieldsStart = ++i
    for (; i < end - 2; i = place.lineEnd) {
      readField(bytes, i, place)
      readFraming(bytes, this)
    }
  }

  get headers(): RawHeaders {
    return listFields(this.bytes, this.fieldsStart, this.end)
  }

  /** How the body of the answer to a request of this method ends (RFC 9112 section 6.3). */
  bodyKind(method: string): BodyKind {
    if (method === 'HEAD' || this.status < 200 || this.status === 204 || this.status === 304) {
      return 'none'
    }
    if (this.isChunked) return 'chunked'
    if (this.contentLength === -1) return 'untilClose'
    return this.contentLength === 0 ? 'none' : 'length'
  }

  get isPersistent(): boolean {
    return this.isVersion10 ? this.saysKeepAlive && !this.saysClose : !this.saysClose
  }
}

/** Fields that frame the message and that concern the connection; `place` is the module's. */
function readFraming(bytes: Buffer, facts: HeadFacts): void {
  switch (place.nameEnd - place.lineStart) {
    case 7:
      if (isNamed(bytes, place, 'upgrade')) facts.hasUpgrade = true
      break
    case 10:
      if (isNamed(bytes, place, 'connection')) readConnection(fieldValue(bytes, place), facts)
      break
    case 14:
      if (!isNamed(bytes, place, 'content-length')) break
      if (facts.contentLength !== -1 || facts.isChunked) throw twoLengths()
      facts.contentLength = parseContentLength(bytes, place)
      break
    case 17:
      if (!isNamed(bytes, place, 'transfer-encoding')) break
      if (facts.contentLength !== -1 || facts.isChunked) throw twoLengths()
      // Some readers take blanks behind it for a part of it.
      if (bytes[place.valueEnd] !== CR || fieldValue(bytes, place).toLowerCase() !== 'chunked') {
        throw new BadMessage('no Transfer-Encoding but chunked is known', 501)
      }
      facts.isChunked = true
      break
  }
}

function readConnection(value: string, facts: HeadFacts): void {
  facts.connectionFields++
  for (const option of listMembers(value)) {
    if (option === 'close') facts.saysClose = true
    else if (option === 'keep-alive') facts.saysKeepAlive = true
    else (facts.options ??= []).push(option)
  }
}

/** The digit behind `HTTP/1.`, 0 or 1. */
function readVersion(bytes: Buffer, at: number): number {
  const name = 'HTTP/'
  for (let i = 0; i < name.length; i++) {
    if (bytes[at + i] !== name.charCodeAt(i)) throw badLine()
  }
  const minor = bytes[at + 7]! - 0x30
  if (bytes[at + 6] !== 0x2e || minor < 0 || minor > 9) throw badLine()
  if (bytes[at + 5] !== 0x31 || minor > 1) {
    throw new BadMessage('no version of HTTP but 1.1 and 1.0 is known', 505)
  }
  return minor
}

function readStatus(bytes: Buffer, at: number): number {
  const status =
    (bytes[at + 1]! - 0x30) * 100 + (bytes[at + 2]! - 0x30) * 10 + bytes[at + 3]! - 0x30
  for (let i = 1; i <= 3; i++) {
    const digit = bytes[at + i]! - 0x30
    if (!(digit >= 0 && digit <= 9)) throw badLine()
  }
  const next = bytes[at + 4]
  if (bytes[at] !== SP || status < 100 || (next !== SP && next !== CR)) throw badLine()
  return status
}

function badLine(): BadMessage {
  return new BadMessage('the first line of the message is malformed')
}

function twoLengths(): BadMessage {
  return new BadMessage('the length of the message is given twice')
}
