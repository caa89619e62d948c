import type { Json } from '../../src/base/json.ts'

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const letters = [
  'a',
  'b',
  '"',
  '\\',
  '/',
  '\n',
  '\t',
  '\u0001',
  'é',
  '☃',
  '𝄞',
  '\u2028',
  ' ',
  '0',
  'Z',
]

export function randomString(random: () => number, lengthMax: number): string {
  const length = Math.floor(random() * (lengthMax + 1))
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]!).join('')
}

/** A JSON value of at most `depth` levels whose numbers survive JSON.stringify. */
export function randomJson(random: () => number, depth: number): Json {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5))
  const width = Math.floor(random() * 6)
  if (kind === 0) return null
  if (kind === 1) return random() < 0.5
  if (kind === 2) return Math.floor((random() - 0.5) * 10 ** Math.floor(random() * 15)) + 0
  if (kind === 3) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
  if (kind === 4) return randomString(random, 12)
  if (kind === 5) return Array.from({ length: width }, () => randomJson(random, depth - 1))
  return Object.fromEntries(
    Array.from({ length: width }, (_, i) => [
      `${randomString(random, 4)}${i}`,
      randomJson(random, depth - 1),
    ]),
  )
}

/** The same value in other words: members in another order, other blanks, other escapes, other forms of numbers. */
export function respell(random: () => number, value: Json): string {
  const blank = (): string =>
    random() < 0.2 ? [' ', '\n', '\t', '\r\n'][Math.floor(random() * 4)]! : ''
  if (typeof value === 'string') return respellString(random, value)
  if (typeof value === 'number') return respellNumber(random, value)
  if (value === null || typeof value === 'boolean') return blank() + String(value) + blank()
  if (Array.isArray(value))
    return `[${blank()}${value.map((one) => respell(random, one)).join(',')}]`
  const members = Object.entries(value).map(
    ([key, member]) =>
      blank() + respellString(random, key) + blank() + ':' + respell(random, member),
  )
  for (let i = members.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[members[i], members[j]] = [members[j]!, members[i]!]
  }
  return `${blank()}{${members.join(',')}${blank()}}`
}

function respellString(random: () => number, value: string): string {
  const hex = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const characters = Array.from(value, (character) => {
    if (random() < 0.3) return character.split('').map(hex).join('')
    if (character === '/' && random() < 0.5) return '\\/'
    return JSON.stringify(character).slice(1, -1)
  })
  return `"${characters.join('')}"`
}

function respellNumber(random: () => number, value: number): string {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const shift = Math.floor(random() * 5)
  const moved = Number(exponent) - shift
  const negative = mantissa.startsWith('-') ? '-' : ''
  const [whole, fraction = ''] = mantissa.replace('-', '').split('.') as [string, string?]
  const digits = fraction.padEnd(shift, '0')
  const head = (whole + digits.slice(0, shift)).replace(/^0+(?=\d)/, '')
  const tail = digits.slice(shift) + (random() < 0.5 ? '00' : '')
  const text =
    negative + head + (tail === '' ? '' : `.${tail}`) + `${random() < 0.5 ? 'e' : 'E'}${moved}`
  return random() < 0.3 || value === 0 ? JSON.stringify(value) : text
}
