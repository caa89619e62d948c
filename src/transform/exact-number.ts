import type { ExactNumber } from './module.ts'

/** Of the language since ES2025-to-be; Node.js 24 has both, TypeScript's library does not know them. */
const rawJson = JSON as unknown as {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
  parse(text: string, reviver: (key: string, value: unknown, context: Context) => unknown): unknown
}
interface Context {
  /** Text of a value that is no object and no array. */
  readonly source?: string
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return rawJson.isRawJSON(value)
}

/** JSON whose numbers are all written again as they stand: for showing it. */
export function parseExactly(text: string): unknown {
  return rawJson.parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? rawJson.rawJSON(source!) : value,
  )
}

/** A double holds every decimal number of so many digits apart from its neighbours. */
const digitsAlwaysHeld = 15
const leastNormal = 2.2250738585072014e-308

/** The value of a JSON number: a double where that is the same number by value, as a double is written. */
export function numberOf(text: string): number | ExactNumber {
  const value = Number(text)
  const magnitude = Math.abs(value)
  if (text.length <= digitsAlwaysHeld && magnitude >= leastNormal && magnitude < Infinity) {
    return value
  }
  return Number.isFinite(value) && decimal(String(value)) === decimal(text)
    ? value
    : rawJson.rawJSON(text)
}

/** One spelling for each number: digits without zeros around them, and the power of ten of the last. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const shorter = digits.replace(/0+$/, '')
  if (shorter === '') return '0'
  const exponent = BigInt(power) - BigInt(fraction.length) + BigInt(digits.length - shorter.length)
  return `${sign}${shorter}e${exponent}`
}
