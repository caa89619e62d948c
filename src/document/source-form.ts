import { Unsupported } from '../base/errors.ts'

const openBrace = 0x7b

/** True when a `_source` is JSON text, or nothing that is known to be something else. */
export function isJsonSource(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start]
  if (first === openBrace || end - start < 3) return true
  const second = bytes[start + 1]
  const third = bytes[start + 2]
  const smile = first === 0x3a && second === 0x29 && third === 0x0a
  const yaml = first === 0x2d && second === 0x2d && third === 0x2d
  return !smile && !yaml && !isCbor(first!, second!, third!)
}

/** A map (major type 5) of any length, or the tag that says "this is CBOR". */
function isCbor(first: number, second: number, third: number): boolean {
  return first >> 5 === 5 || (first === 0xd9 && second === 0xd9 && third === 0xf7)
}

/** Converts a `_source` in SMILE, CBOR or YAML to JSON on one line. */
export function convertSource(source: Uint8Array, file: string): Buffer {
  throw new Unsupported({
    file,
    offset: 0,
    expected: 'a _source in JSON',
    found: `bytes ${Buffer.from(source.subarray(0, 3)).toString('hex')}`,
  })
}
