import { isUtf8 } from 'node:buffer'
import { CorruptData } from '../base/errors.ts'
import { cborToJson, isCbor } from '../bytes/cbor.ts'
import { decompressLzf, isLzf } from '../bytes/lzf.ts'
import { joinLines } from '../bytes/one-line.ts'
import { isSmile, smileToJson } from '../bytes/smile.ts'
import { yamlToJson } from './yaml-source.ts'

const openBrace = 0x7b
const hyphen = 0x2d

/**
 * True when a `_source` is JSON text, or nothing that is known to be something else. A client may send documents in
 * four forms, and Elasticsearch stores what it was sent; its own test of the first bytes is XContentFactory's.
 */
export function isJsonSource(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === openBrace || start === end) return true
  const source = bytes.subarray(start, end)
  return !isSmile(source) && !isYaml(source) && !isCbor(source) && !isLzf(source)
}

function isYaml(source: Uint8Array): boolean {
  return source[0] === hyphen && source[1] === hyphen && source[2] === hyphen
}

/** A `_source` compressed by itself is no longer than this. */
const plainBytesMax = 512 * 1024 * 1024

/**
 * Converts a `_source` in SMILE, CBOR or YAML, or one that Elasticsearch 1.x compressed by itself (`compress: true` in
 * the mapping), to JSON on one line; no number loses digits.
 */
export function convertSource(source: Uint8Array, file: string): Buffer {
  if (isLzf(source)) {
    return convertPlain(decompressLzf(source, { file, bytesMax: plainBytesMax }), file)
  }
  return convertPlain(source, file)
}

function convertPlain(source: Uint8Array, file: string): Buffer {
  if (isSmile(source)) return Buffer.from(smileToJson(source, file))
  if (isCbor(source)) return Buffer.from(cborToJson(source, file))
  if (isYaml(source)) return Buffer.from(yamlToJson(textOf(source, file), file))
  return oneLine(source)
}

function textOf(source: Uint8Array, file: string): string {
  if (isUtf8(source)) return Buffer.from(source).toString('utf8')
  const expected = 'a _source in UTF-8'
  throw new CorruptData({ file, offset: 0, expected, found: 'other bytes' })
}

function oneLine(json: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(json.length * 2)
  return bytes.subarray(0, joinLines(json, 0, json.length, { bytes, at: 0 }))
}
