import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { CorruptData } from '../base/errors.ts'
import { cborToJson, isCbor } from '../bytes/cbor.ts'
import { decompressLzf, isLzf } from '../bytes/lzf.ts'
import { Memory } from '../bytes/memory.ts'
import { isSmile, parseSmile } from '../bytes/smile.ts'
import { LineGuard } from './line-guard.ts'

const openBrace = 0x7b
const hyphen = 0x2d

/**
 * True when a `_source` is JSON text, or nothing that is known to be something else. A client may send documents in
 * four forms, and Elasticsearch stores what it was sent; its own test of the first bytes is XContentFactory's.
 */
export function isJsonSource(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === openBrace || end - start < 3) return true
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
  if (isSmile(source)) {
    return Buffer.from(JSON.stringify(parseSmile(source, file, { largeNumbers: 'raw' })))
  }
  if (isCbor(source)) return Buffer.from(cborToJson(source, file))
  if (isYaml(source)) return Buffer.from(yamlToJson(Buffer.from(source).toString('utf8'), file))
  return oneLine(source)
}

function oneLine(json: Uint8Array): Buffer {
  // At worst each byte is a line break inside a string and becomes two.
  const memory = new Memory(json.length * 3)
  memory.bytes.set(json)
  const end = new LineGuard(memory).joinLines(0, json.length, json.length)
  return memory.bytes.subarray(json.length, end)
}

const require = createRequire(import.meta.url)
/** A number that is JSON as it stands in the YAML. */
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

function yamlToJson(text: string, file: string): string {
  // Loaded here, since hardly any index holds YAML.
  const { parseDocument, visit } = require('yaml') as typeof Yaml
  const document = parseDocument(text, { intAsBigInt: true, uniqueKeys: false })
  const error = document.errors[0]
  if (error !== undefined) {
    const [offset] = error.pos
    throw new CorruptData({ file, offset, expected: 'a _source in YAML', found: error.code }, error)
  }
  visit(document, {
    Scalar(key, node) {
      const { value, source } = node
      // !!binary; engines give it back as base64 text.
      if (value instanceof Uint8Array) node.value = Buffer.from(value).toString('base64')
      if (key === 'key' || (typeof value !== 'number' && typeof value !== 'bigint')) return
      if (source !== undefined && jsonNumber.test(source)) node.value = rawJson(source)
      else node.value = Number.isFinite(Number(value)) ? rawJson(String(value)) : String(value)
    },
  })
  try {
    return JSON.stringify(document.toJS())
  } catch (cause) {
    // Aliases that lead nowhere or multiply without end, only found here.
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptData({ file, offset: 0, expected: 'a _source in YAML', found }, cause)
  }
}

/** JSON.rawJSON, which JSON.stringify writes as it is, has no type in the library yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}
