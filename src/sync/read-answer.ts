import { CorruptData, MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { joinLines } from '../bytes/one-line.ts'

/** A document as an engine gave it. */
export interface FoundDocument {
  readonly id: string
  readonly type?: string
  readonly routing: string | null
  /** Id of its `_parent` (before 6). */
  readonly parent?: string
  readonly found: boolean
  /** Absent where the engine gives none, or the document has none (written by 5.x). */
  readonly seqNo?: number
  readonly primaryTerm?: number
  readonly version?: number
  /** JSON in one line, never parsed; absent where the index keeps none. */
  readonly source?: Buffer
  /** `isOwn`: the engine refuses to read it, whatever else is asked for with it. */
  readonly error?: { readonly type: string; readonly reason: string; readonly isOwn?: true }
}

/**
 * Reads the answer to `_mget`: `_source` is cut out of it as it stands.
 *
 *   answer = { "docs": [ doc … ] }
 *   doc    = { "_index", "_type"?, "_id", "_version"?, "_seq_no"?, "_primary_term"?, "_routing"?, "_parent"?, "found": bool,
 *              "fields"?: { "_routing"?, "_parent"? }, "_source"?: object }
 *          | { "_index", "_type"?, "_id", "error": object | string }                             members in any order
 *
 * Throws CorruptData for what is not JSON, MA_CLUSTER_RESPONSE where documents are missing.
 */
export function readMgetAnswer(bytes: Buffer, where: string, count: number): FoundDocument[] {
  const documents: FoundDocument[] = []
  const reader = new Reader(bytes, where)
  reader.members((key) => {
    if (key !== 'docs') reader.skip()
    else reader.elements(() => documents.push(documentOf(reader, where)))
  })
  if (documents.length === count) return documents
  throw unusable(where, `it holds ${documents.length} documents; ${count} were asked for`)
}

/**
 * Reads the answer to `_search`: hits as the documents of `_mget`, with `fields: { "_seq_no": [n] }` where `docvalue_fields`
 * asked for it. A search that timed out, or left shards out, throws MA_CLUSTER_RESPONSE: a part must not pass for the whole.
 */
export function readSearchAnswer(
  bytes: Buffer,
  where: string,
): { documents: FoundDocument[]; total: number } {
  const documents: FoundDocument[] = []
  let total = 0
  const reader = new Reader(bytes, where)
  reader.members((key) => {
    if (key === 'timed_out' && reader.json() === true) throw unusable(where, 'it timed out')
    else if (key === '_shards') requireAllShards(reader.json(), where)
    else if (key === 'hits') {
      reader.members((inner) => {
        if (inner === 'total') total = totalOf(reader.json())
        else if (inner === 'hits') {
          reader.elements(() => documents.push({ ...documentOf(reader, where), found: true }))
        } else reader.skip()
      })
    } else if (key !== 'timed_out') reader.skip()
  })
  return { documents, total }
}

function requireAllShards(shards: Json, where: string): void {
  if (isJsonObject(shards) && shards.failed === 0) return
  throw new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${where}: shards failed: ${JSON.stringify(shards).slice(0, 300)}`,
    { retryable: true },
  )
}

function totalOf(total: Json): number {
  return Number(isJsonObject(total) ? total.value : total)
}

function documentOf(reader: Reader, where: string): FoundDocument {
  let source: Buffer | undefined
  const values: { [key: string]: Json } = {}
  reader.members((key) => {
    if (key === '_source') source = reader.source()
    else if (wanted.has(key)) values[key] = reader.json()
    else reader.skip()
  })
  const { _id: id, _type: type, error } = values
  if (typeof id !== 'string') throw unusable(where, 'a document has no _id')
  const named = { id, ...(typeof type === 'string' && { type }) }
  if (error !== undefined) {
    return { ...named, routing: null, found: false, error: errorOf(error) }
  }
  const fields = isJsonObject(values.fields) ? values.fields : {}
  const routing = textOf(values._routing ?? fields._routing)
  const parent = textOf(values._parent ?? fields._parent)
  const seqNo = numberOf(values._seq_no ?? firstOf(fields._seq_no))
  const primaryTerm = numberOf(values._primary_term)
  const version = numberOf(values._version)
  return {
    ...named,
    routing: routing ?? null,
    found: values.found === true || values.exists === true,
    ...(parent !== undefined && { parent }),
    ...(seqNo !== undefined && { seqNo }),
    ...(primaryTerm !== undefined && { primaryTerm }),
    ...(version !== undefined && { version }),
    ...(source !== undefined && { source }),
  }
}

const wanted = new Set([
  ...['_id', '_type', '_version', '_seq_no', '_primary_term', '_routing', '_parent', 'found'],
  ...['exists', 'fields', 'error'],
])

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

/** Below zero stands for none; beyond 2^53 nothing is exact. */
function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

function firstOf(value: Json | undefined): Json | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** Before 2 it is a text. */
function errorOf(error: Json): { type: string; reason: string } {
  const { type, reason }: JsonObject = isJsonObject(error) ? error : { reason: error }
  return {
    type: typeof type === 'string' ? type : 'unknown',
    reason: typeof reason === 'string' ? reason.slice(0, 1000) : JSON.stringify(error),
  }
}

function unusable(where: string, why: string): MigrationError {
  return new MigrationError('MA_CLUSTER_RESPONSE', `${where}: ${why}`, { retryable: true })
}

const quote = 0x22
const backslash = 0x5c
const slash = 0x2f
const star = 0x2a
const lineFeed = 0x0a
const carriageReturn = 0x0d
const blank = 0x20

/** A cursor over JSON that steps over values without making anything of them. */
class Reader {
  readonly #bytes: Buffer
  readonly #where: string
  #at = 0
  /** The value that was stepped over last may be more than one line. */
  #isAwkward = false

  constructor(bytes: Buffer, where: string) {
    this.#bytes = bytes
    this.#where = where
  }

  /** Calls `member` for each, with the cursor at its value; it must move it behind. */
  members(member: (key: string) => void): void {
    this.#expect(0x7b, 'an object')
    if (this.#next() === 0x7d) {
      this.#at++
      return
    }
    for (;;) {
      const key = this.json()
      if (typeof key !== 'string') throw this.#corrupt('a key')
      this.#expect(0x3a, 'a colon')
      member(key)
      if (this.#next() === 0x7d) break
      this.#expect(0x2c, 'a comma')
    }
    this.#at++
  }

  elements(element: () => void): void {
    this.#expect(0x5b, 'an array')
    if (this.#next() === 0x5d) {
      this.#at++
      return
    }
    for (;;) {
      element()
      if (this.#next() === 0x5d) break
      this.#expect(0x2c, 'a comma')
    }
    this.#at++
  }

  json(): Json {
    const start = this.skip()
    const text = this.#bytes.toString('utf8', start, this.#at)
    try {
      return JSON.parse(text) as Json
    } catch {
      throw this.#corrupt('a value of JSON')
    }
  }

  /** The value's bytes on one line; undefined for null. */
  source(): Buffer | undefined {
    const start = this.skip()
    const end = this.#at
    if (end - start === 4 && this.#bytes[start] === 0x6e) return undefined
    if (!this.#isAwkward) return this.#bytes.subarray(start, end)
    const line = Buffer.allocUnsafeSlow(2 * (end - start))
    return line.subarray(0, joinLines(this.#bytes, start, end, { bytes: line, at: 0 }))
  }

  /** Steps over a value, and what is left of a stored `_source` behind it; gives where it began. */
  skip(): number {
    this.#next()
    const start = this.#at
    this.#isAwkward = false
    const first = this.#bytes[start]
    if (first === quote) this.#skipString()
    else if (first === 0x7b || first === 0x5b) this.#skipNested()
    else {
      while (this.#at < this.#bytes.length && !isEndOfScalar(this.#bytes[this.#at]!)) this.#at++
      if (this.#at === start) throw this.#corrupt('a value')
    }
    return start
  }

  #skipNested(): void {
    const bytes = this.#bytes
    let depth = 0
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte === quote) {
        this.#skipString()
        this.#at--
      } else if (byte === 0x7b || byte === 0x5b) depth++
      else if (byte === 0x7d || byte === 0x5d) {
        if (--depth === 0) {
          this.#at++
          return
        }
      } else if (byte === slash) this.#skipComment()
      else if (byte === lineFeed || byte === carriageReturn) this.#isAwkward = true
    }
    throw this.#corrupt('the end of a value')
  }

  #skipString(): void {
    const bytes = this.#bytes
    for (let at = this.#at + 1; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (byte === backslash) at++
      else if (byte === quote) {
        this.#at = at + 1
        return
      } else if (byte === lineFeed || byte === carriageReturn) this.#isAwkward = true
    }
    throw this.#corrupt('the end of a string')
  }

  /** Elasticsearch takes comments in a `_source`, and gives them back. Ends on the last byte of it. */
  #skipComment(): void {
    const bytes = this.#bytes
    const second = bytes[this.#at + 1]
    this.#isAwkward = true
    if (second === slash) {
      while (this.#at + 1 < bytes.length && bytes[this.#at + 1] !== lineFeed) this.#at++
    } else if (second === star) {
      const end = bytes.indexOf('*/', this.#at + 2)
      if (end < 0) throw this.#corrupt('the end of a comment')
      this.#at = end + 1
    }
  }

  /** The next byte that is no blank, the cursor at it. */
  #next(): number {
    const bytes = this.#bytes
    for (; this.#at < bytes.length; this.#at++) {
      const byte = bytes[this.#at]!
      if (byte === slash) this.#skipComment()
      else if (byte > blank) return byte
    }
    throw this.#corrupt('more')
  }

  #expect(byte: number, expected: string): void {
    if (this.#next() !== byte) throw this.#corrupt(expected)
    this.#at++
  }

  #corrupt(expected: string): CorruptData {
    const byte = this.#bytes[this.#at]
    const found = byte === undefined ? 'the end of the data' : `byte 0x${byte.toString(16)}`
    return new CorruptData({ file: this.#where, offset: this.#at, expected, found })
  }
}

function isEndOfScalar(byte: number): boolean {
  return byte <= blank || byte === 0x2c || byte === 0x7d || byte === 0x5d
}
