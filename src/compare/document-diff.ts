/** What differs between two documents, member by member. */

/** What TypeScript does not know of JSON yet: the text of each value, and text that is written as it is. */
const exactly = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown
  rawJSON(text: string): unknown
}

/** A number as it stands in the text: nothing of it is rounded. */
export class ExactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** So that JSON.stringify() writes the very digits. */
  toJSON(): unknown {
    return exactly.rawJSON(this.text)
  }
}

export type ExactJson =
  null | boolean | string | ExactNumber | ExactJson[] | { [key: string]: ExactJson }

/** Parses JSON with its numbers as they are written. Throws SyntaxError. */
export function parseExact(text: string): ExactJson {
  return exactly.parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? new ExactNumber(source!) : value,
  ) as ExactJson
}

/** One place where two documents differ; what a side does not have is absent. */
export interface DocumentDiff {
  /** `a.b[3]`; names with other characters in brackets and quotes: `["a.b"]`. Empty: the whole. */
  readonly path: string
  readonly source?: ExactJson
  readonly target?: ExactJson
}

/**
 * What differs, in the order of the source's members: keys in any order, arrays in order, numbers by value, as a comparison
 * has it (canonical.ts).
 */
export function diffDocuments(source: ExactJson, target: ExactJson): DocumentDiff[] {
  const found: DocumentDiff[] = []
  compareAt('', source, target, found)
  return found
}

function compareAt(
  path: string,
  source: ExactJson | undefined,
  target: ExactJson | undefined,
  found: DocumentDiff[],
): void {
  if (Array.isArray(source) && Array.isArray(target)) {
    for (let i = 0; i < Math.max(source.length, target.length); i++) {
      compareAt(`${path}[${i}]`, source[i], target[i], found)
    }
    return
  }
  if (isObject(source) && isObject(target)) {
    for (const key of new Set([...Object.keys(source), ...Object.keys(target)])) {
      compareAt(memberPath(path, key), ownValue(source, key), ownValue(target, key), found)
    }
    return
  }
  if (source !== undefined && target !== undefined && isSameScalar(source, target)) return
  found.push({
    path,
    ...(source !== undefined && { source }),
    ...(target !== undefined && { target }),
  })
}

type ExactObject = { [key: string]: ExactJson }

function isObject(value: ExactJson | undefined): value is ExactObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof ExactNumber)
  )
}

function ownValue(object: ExactObject, key: string): ExactJson | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function memberPath(path: string, key: string): string {
  if (!/^[\w@-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

function isSameScalar(source: ExactJson, target: ExactJson): boolean {
  if (source instanceof ExactNumber && target instanceof ExactNumber) {
    return decimalOf(source.text) === decimalOf(target.text)
  }
  return source === target
}

/** The number as `sign digits e exponent` without zeros on either end: the same text for the same value. -0.0 is not 0. */
export function decimalOf(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!
  const isInteger = !/[.eE]/.test(text)
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return sign === '-' && !isInteger ? '-0.0' : '0'
  const power =
    BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}
