import assert from 'node:assert/strict'
import { CorruptData } from '../base/errors.ts'

/** Throws CorruptData unless [offset, offset + length) lies within a source: offsets come from the bytes of others. */
export function checkRange(name: string, byteLength: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length)
  if (!whole || offset < 0 || length < 0 || offset + length > byteLength) {
    throw new CorruptData({
      file: name,
      offset: whole ? offset : 0,
      expected: `a range within its ${byteLength} bytes`,
      found: `${length} bytes from ${offset}`,
    })
  }
}

/** Where a read of `length` bytes goes: the start of `into`, or new memory. */
export function readInto(name: string, length: number, into?: Uint8Array): Uint8Array {
  if (into === undefined) return Buffer.allocUnsafe(length)
  assert(into.length >= length, `${name}: ${length} bytes do not fit into ${into.length}`)
  return into.length === length ? into : into.subarray(0, length)
}
