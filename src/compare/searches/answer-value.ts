import { isJsonObject } from '../../base/json.ts'
import { valueLengthMax } from './answer-difference.ts'

/** Values of answers by what they mean: 1 = 1.0, order of keys does not count, whole numbers beyond 2^53 are bigint. */

type Listener = (path: string, source: unknown, target: unknown) => void

/**
 * Calls `onDifference` for each place in which two values differ, with its path below `path`. Members that `ignored` names are
 * left out at any depth.
 */
export function eachDifference(
  source: unknown,
  target: unknown,
  {
    path,
    ignored,
    onDifference,
  }: { path: string; ignored?: ReadonlySet<string>; onDifference: Listener },
): void {
  if (Array.isArray(source) && Array.isArray(target)) {
    const length = Math.max(source.length, target.length)
    for (let i = 0; i < length; i++)
      eachDifference(source[i], target[i], {
        path: `${path}[${i}]`,
        ...(ignored && { ignored }),
        onDifference,
      })
  } else if (isObject(source) && isObject(target)) {
    for (const key of keysOfBoth(source, target)) {
      if (ignored?.has(key)) continue
      eachDifference(own(source, key), own(target, key), {
        path: memberPath(path, key),
        ...(ignored && { ignored }),
        onDifference,
      })
    }
  } else if (!sameScalar(source, target)) onDifference(path, source, target)
}

export function isEqual(source: unknown, target: unknown): boolean {
  let equal = true
  eachDifference(source, target, { path: '', onDifference: () => (equal = false) })
  return equal
}

function sameScalar(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'bigint' && typeof b === 'number') return Number.isInteger(b) && BigInt(b) === a
  return typeof a === 'number' && typeof b === 'bigint' && sameScalar(b, a)
}

/** How far apart two numbers are, by the larger of them: 0 = equal, at most 2; undefined where one is no number. */
export function relativeDifference(a: unknown, b: unknown): number | undefined {
  if (!isNumber(a) || !isNumber(b)) return undefined
  if (sameScalar(a, b)) return 0
  const one = Number(a)
  const other = Number(b)
  const larger = Math.max(Math.abs(one), Math.abs(other))
  return larger === 0 ? 0 : Math.abs(one - other) / larger
}

/** In the unit of the numbers; undefined where one is no number. */
export function apart(a: unknown, b: unknown): number | undefined {
  return isNumber(a) && isNumber(b) ? Math.abs(Number(a) - Number(b)) : undefined
}

/** Numbers within the tolerance, anything else by value. */
export function isNear(a: unknown, b: unknown, tolerance: number): boolean {
  const apart = relativeDifference(a, b)
  return apart === undefined ? isEqual(a, b) : apart <= tolerance
}

/** JSON with sorted keys: equal texts for equal values. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (isObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`)
    return `{${members.join(',')}}`
  }
  if (typeof value === 'bigint') return value.toString()
  return JSON.stringify(value) ?? 'null'
}

/** For a person: at most valueLengthMax characters; undefined for what is not there. */
export function shortText(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const text = canonicalText(value)
  return text.length > valueLengthMax ? `${text.slice(0, valueLengthMax - 1)}…` : text
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isJsonObject(value)
}

export function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** A member of an object; undefined for what it only inherits. */
export function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

export function keysOfBoth(source: object, target: object): Set<string> {
  return new Set([...Object.keys(source), ...Object.keys(target)])
}

const plainKey = /^[\w@-]+$/

export function memberPath(path: string, key: string): string {
  if (!plainKey.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}
