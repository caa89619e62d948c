/** What becomes of a `_source` that is inserted by an `update`. */
export interface UpsertSource {
  /** False where a number or text of it would come out changed. */
  readonly isKept: boolean
  /** Where the value of the time field lies, of one on the top level; -1 where there is none. */
  readonly timeStart: number
  readonly timeEnd: number
}

/**
 * An engine parses what an `update` inserts and prints it again, numbers as Java prints them: 1.10 as 1.1, 0.0001 as
 * 1.0E-4, 1e400 as the text "Infinity". Other terms would be indexed than on the source, dates refused, digits lost. This
 * walks the tokens of bytes [start, end) once and says whether all come out as they are written.
 *
 *   source = JSON object (RFC 8259); what is none is refused by the engine, so it is not checked here
 */
export function scanUpsertSource(
  bytes: Buffer,
  start: number,
  end: number,
  timestampField: Buffer,
): UpsertSource {
  let isKept = true
  let depth = 0
  let isKeyNext = false
  let isTime = false
  let timeStart = -1
  let timeEnd = -1
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    switch (byte) {
      case 0x22: {
        const found = endOfString(bytes, at + 1, end)
        const close = found < 0 ? ~found : found
        if (found < 0) isKept &&= areSurrogatesPaired(bytes, at + 1, close)
        if (depth === 1 && isKeyNext) {
          isTime = bytes.compare(timestampField, 0, timestampField.length, at + 1, close) === 0
        }
        at = close
        break
      }
      case 0x7b:
      case 0x5b:
        depth++
        isKeyNext = depth === 1
        break
      case 0x3a:
        if (depth === 1 && isTime) timeStart = at + 1
        isKeyNext = false
        break
      case 0x7d:
      case 0x5d:
      case 0x2c:
        if (depth === 1) {
          if (isTime) timeEnd = at
          isTime = false
          isKeyNext = true
        }
        if (byte !== 0x2c) depth--
        break
      default:
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
          const close = endOfNumber(bytes, at, end)
          isKept &&= isNumberKept(bytes, at, close)
          at = close - 1
        }
    }
  }
  return { isKept, timeStart, timeEnd }
}

/** Position of the closing quotation mark; its complement where something is escaped before it. */
function endOfString(bytes: Buffer, start: number, end: number): number {
  let isEscaped = false
  let at = start
  for (; at < end && bytes[at] !== 0x22; at++) {
    if (bytes[at] !== 0x5c) continue
    isEscaped = true
    at++
  }
  return isEscaped ? ~Math.min(at, end) : at
}

const high = /^[dD][89abAB]/
const low = /^[dD][c-fC-F]/

/** Half a character, as `\ud83d` alone, cannot be printed in UTF-8. */
function areSurrogatesPaired(bytes: Buffer, start: number, end: number): boolean {
  let wantsLow = false
  for (let at = bytes.indexOf(0x5c, start); at >= 0 && at < end; at = bytes.indexOf(0x5c, at)) {
    const hex = bytes[at + 1] === 0x75 ? bytes.toString('latin1', at + 2, at + 6) : ''
    if (wantsLow !== low.test(hex)) return false
    wantsLow = high.test(hex)
    at += hex === '' ? 2 : 6
    if (wantsLow && bytes[at] !== 0x5c) return false
  }
  return !wantsLow
}

function endOfNumber(bytes: Buffer, start: number, end: number): number {
  let at = start + 1
  for (; at < end; at++) {
    const byte = bytes[at]!
    const isDigit = byte >= 0x30 && byte <= 0x39
    // . + - e E
    if (!isDigit && byte !== 0x2e && byte !== 0x2b && byte !== 0x2d && (byte | 0x20) !== 0x65) break
  }
  return at
}

/** Of a double every decimal with so many digits comes back as it was. */
const exactDigitsMax = 15
/** Java prints doubles from 0.001 to below 10,000,000 without an exponent. */
const plainIntegerDigitsMax = 7

function isNumberKept(bytes: Buffer, start: number, end: number): boolean {
  let point = -1
  for (let at = start; at < end; at++) {
    if (bytes[at] === 0x2e) point = at
    else if ((bytes[at]! | 0x20) === 0x65) return false
  }
  const digits = bytes[start] === 0x2d ? start + 1 : start
  // Whole numbers are kept, however long; only -0 becomes 0.
  if (point < 0) return digits === start || end - digits > 1 || bytes[digits] !== 0x30
  const integerDigits = point - digits
  const fractionDigits = end - point - 1
  if (integerDigits > plainIntegerDigitsMax) return false
  if (integerDigits + fractionDigits > exactDigitsMax) return false
  if (bytes[end - 1] === 0x30 && fractionDigits > 1) return false
  const isBelowOne = integerDigits === 1 && bytes[digits] === 0x30
  return !isBelowOne || !bytes.toString('latin1', point + 1, end).startsWith('000')
}
