import { CorruptData, MigrationError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import type { CanonicalDigest } from './canonical.ts'
import {
  absent,
  combine,
  digestMalformed,
  digestVersion,
  ScannedDocument,
} from './scanned-document.ts'
import type { Visit } from './scanned-document.ts'
import { versionOf, type VersionRule } from './version-rule.ts'

export interface Hit {
  readonly id: string
  readonly routing: string | undefined
  /** Before 7. */
  readonly type: string | undefined
  /** Id of its `_parent` (before 6). */
  readonly parent: string | undefined
  readonly source: Buffer | undefined
  /** What the rule goes by; -1: none. */
  readonly number: number
}

/** What one answer of a scroll says besides its hits. */
export interface HitPage {
  readonly hits: number
  /** All hits of this scroll, as the engine counted them. */
  readonly total: number | undefined
}

/**
 * Reads answers of `_search` and `_search/scroll` without parsing them: walks the bytes once, digests the `_source` of
 * each hit where it lies and never makes strings of it.
 *
 *   answer = { "_scroll_id": string, "timed_out": bool, "_shards": { "failed": number, … },
 *              "hits": { "total": number | { "value": number }, "hits": [ hit … ] }, … }
 *   hit    = { "_id": string, "_routing"?: string, "_source"?: object, "_version"?: number, "_seq_no"?: number,
 *              "fields"?: { "_seq_no": [ number ] }, … }                              members in any order
 */
export class HitPageReader {
  readonly #digest: CanonicalDigest
  readonly #rule: VersionRule | undefined
  readonly #keys: KeyDigests
  readonly #document = new ScannedDocument()
  #bytes: Buffer = Buffer.alloc(0)
  #where = ''
  #idStart = -1
  #idEnd = 0
  #routingStart = -1
  #routingEnd = -1
  /** The number that the rule goes by; -1: none, or beyond 2^53. */
  #told = -1
  #toldStart = -1
  #typeStart = -1
  #parentStart = -1
  #sourceStart = -1
  #sourceEnd = -1

  /** With a rule the version stands in the place of `_source`: the one that a document has, or is to have, on the target. */
  constructor(digest: CanonicalDigest, rule?: VersionRule) {
    this.#digest = digest
    this.#rule = rule
    const entries = knownKeys.map((name) => {
      const bytes = Buffer.from(name)
      digest.use(bytes, 'key')
      digest.raw(0, bytes.length)
      return [name, { half1: digest.half1, half2: digest.half2 }]
    })
    this.#keys = Object.fromEntries(entries) as KeyDigests
    this.#document.name = () => ({
      id: this.#parse(this.#idStart, this.#idEnd) as string,
      ...(this.#routingStart >= 0 && {
        routing: this.#parse(this.#routingStart, this.#routingEnd) as string,
      }),
    })
  }

  /** The hit that is being visited, as it stands in the answer: `_source` is not copied. */
  hit(): Hit {
    const text = (start: number): string | undefined =>
      start < 0 ? undefined : (this.#parse(start, this.#endOfString(start)) as string)
    return {
      id: text(this.#idStart)!,
      routing: text(this.#routingStart),
      type: text(this.#typeStart),
      parent: text(this.#parentStart),
      source:
        this.#sourceStart < 0
          ? undefined
          : this.#bytes.subarray(this.#sourceStart, this.#sourceEnd),
      number: this.#told,
    }
  }

  /**
   * Visits each hit of the answer. `where` names it in errors. Throws CorruptData for what is not JSON, and
   * MA_CLUSTER_RESPONSE where the engine timed out or left shards out: a part must not pass for the whole.
   */
  read(bytes: Buffer, where: string, visit: Visit): HitPage {
    this.#bytes = bytes
    this.#where = where
    this.#digest.use(bytes, where)
    let total: number | undefined
    let hits: number | undefined
    this.#members(0, (key, start) => {
      if (key === 'timed_out' || key === '_shards') {
        const end = this.#digest.value(start)
        this.#check(this.#parse(start, end))
        return end
      }
      if (key !== 'hits') return this.#digest.value(start)
      return this.#members(start, (inner, at) => {
        if (inner === 'total') {
          const end = this.#digest.value(at)
          total = totalOf(this.#parse(at, end))
          return end
        }
        if (inner !== 'hits') return this.#digest.value(at)
        hits = 0
        return this.#elements(at, (hitStart) => {
          hits = hits! + 1
          return this.#hit(hitStart, visit)
        })
      })
    })
    if (hits === undefined) throw this.#unusable('it has no hits')
    return { hits, total }
  }

  #hit(start: number, visit: Visit): number {
    const digest = this.#digest
    const document = this.#document
    this.#idStart = this.#routingStart = this.#routingEnd = -1
    let source1: number = absent.half1
    let source2: number = absent.half2
    let routing1: number = absent.half1
    let routing2: number = absent.half2
    document.sourceBytes = 0
    this.#told = this.#toldStart = -1
    this.#typeStart = this.#parentStart = this.#sourceStart = -1
    const end = this.#members(start, (key, at) => {
      if (key === '_source') {
        this.#sourceStart = at
        // The engine hands out what was stored, with comments behind the last brace.
        const after = digest.afterBlanks(this.#source(at))
        this.#sourceEnd = after
        document.sourceBytes = after - at
        source1 = digest.half1
        source2 = digest.half2
        return after
      }
      if (key === 'fields' && this.#rule?.from === 'seqNo') return this.#fields(at)
      const after = digest.value(at)
      if (key === '_seq_no' || key === '_version') this.#tell(key, at, after)
      else if (key === '_type') this.#typeStart = at
      else if (key === '_parent') this.#parentStart = at
      else if (key === '_id') {
        document.id1 = digest.half1
        document.id2 = digest.half2
        this.#idStart = at
        this.#idEnd = after
      } else if (key === '_routing') {
        routing1 = digest.half1
        routing2 = digest.half2
        this.#routingStart = at
        this.#routingEnd = after
      }
      return after
    })
    if (this.#idStart < 0) throw this.#unusable('a hit has no _id')
    document.nameBytes = this.#idEnd - this.#idStart + this.#routingEnd - this.#routingStart
    if (this.#rule !== undefined) {
      this.#digestVersion(this.#rule)
      source1 = digest.half1
      source2 = digest.half2
    }
    combine(digest, document, { routing1, routing2, source1, source2 })
    visit(document)
    return end
  }

  #tell(key: '_seq_no' | '_version', start: number, end: number): void {
    if ((key === '_seq_no') !== (this.#rule?.from === 'seqNo')) return
    this.#toldStart = start
    this.#told = wholeNumber(this.#bytes, start, end)
  }

  /** fields = { "_seq_no": [ number ], … }      engines that tell it as doc values alone */
  #fields(start: number): number {
    return this.#members(start, (key, at) => {
      if (key !== '_seq_no') return this.#digest.value(at)
      return this.#elements(at, (position) => {
        const after = this.#digest.value(position)
        this.#tell(key, position, after)
        return after
      })
    })
  }

  #digestVersion(rule: VersionRule): void {
    // Only clients give versions beyond 2^53, and theirs are the same on both sides.
    if (this.#told < 0 && this.#toldStart >= 0) this.#digest.value(this.#toldStart)
    else digestVersion(this.#digest, versionOf(rule, this.#told))
  }

  #source(start: number): number {
    try {
      return this.#digest.value(start)
    } catch (error) {
      if (!(error instanceof CorruptData)) throw error
      const from = this.#skipBlanks(start)
      const end = this.#endOfBraces(from, error)
      digestMalformed(this.#digest, from, end)
      return end
    }
  }

  /** End of an object that is not quite JSON: where its braces close, strings set aside. */
  #endOfBraces(start: number, error: CorruptData): number {
    let depth = 0
    let inString = false
    for (let at = start; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at]
      if (inString) {
        if (byte === 0x5c) at++
        else if (byte === 0x22) inString = false
      } else if (byte === 0x22) inString = true
      else if (byte === 0x7b || byte === 0x5b) depth++
      else if (byte === 0x7d || byte === 0x5d) if (--depth === 0) return at + 1
    }
    throw error
  }

  /** Calls `member` with each key and the position of its value; it returns the position after the value. */
  #members(start: number, member: (key: KnownKey | undefined, position: number) => number): number {
    let position = this.#skipBlanks(start)
    // null where an object could be, e.g. "_source": null, is not met in answers.
    this.#expect(position, 0x7b, 'an object')
    position = this.#skipBlanks(position + 1)
    if (this.#bytes[position] === 0x7d) return position + 1
    for (;;) {
      position = this.#skipBlanks(position)
      this.#expect(position, 0x22, 'a key')
      position = this.#skipBlanks(this.#digest.string(position + 1))
      const key = this.#knownKey()
      this.#expect(position, 0x3a, 'a colon')
      position = this.#skipBlanks(member(key, this.#skipBlanks(position + 1)))
      if (this.#bytes[position] === 0x7d) return position + 1
      this.#expect(position, 0x2c, 'a comma or an end')
      position++
    }
  }

  #elements(start: number, element: (position: number) => number): number {
    this.#expect(start, 0x5b, 'an array')
    let position = this.#skipBlanks(start + 1)
    if (this.#bytes[position] === 0x5d) return position + 1
    for (;;) {
      position = this.#skipBlanks(element(this.#skipBlanks(position)))
      if (this.#bytes[position] === 0x5d) return position + 1
      this.#expect(position, 0x2c, 'a comma or an end')
      position++
    }
  }

  #knownKey(): KnownKey | undefined {
    const { half1, half2 } = this.#digest
    for (const name of knownKeys) {
      const key = this.#keys[name]
      if (key.half1 === half1 && key.half2 === half2) return name
    }
    return undefined
  }

  #check(value: Json): void {
    if (value === true) throw this.#unusable('the search timed out')
    if (isJsonObject(value) && value['failed'] !== 0)
      throw this.#unusable(`shards failed: ${JSON.stringify(value).slice(0, 500)}`)
  }

  #endOfString(start: number): number {
    return this.#digest.string(start + 1)
  }

  #parse(start: number, end: number): Json {
    return JSON.parse(this.#bytes.toString('utf8', start, end)) as Json
  }

  #skipBlanks(position: number): number {
    while (position < this.#bytes.length && this.#bytes[position]! <= 0x20) position++
    return position
  }

  #expect(position: number, byte: number, expected: string): void {
    if (this.#bytes[position] === byte) return
    const found =
      position < this.#bytes.length
        ? `byte 0x${this.#bytes[position]!.toString(16).padStart(2, '0')}`
        : 'the end of the data'
    throw new CorruptData({ file: this.#where, offset: position, expected, found })
  }

  #unusable(why: string): MigrationError {
    return new MigrationError('MA_CLUSTER_RESPONSE', `${this.#where}: ${why}`)
  }
}

/** The scroll's id, which every version writes first: known before the page is read, also of a page that is unusable. */
export function scrollIdOf(answer: Buffer): string | undefined {
  const head = answer.toString('latin1', 0, scrollIdBytesMax)
  return /^\s*\{\s*"_scroll_id"\s*:\s*"([^"\\]+)"/.exec(head)?.[1]
}

/** An id names each shard that is scrolled: a few dozen bytes for one. */
const scrollIdBytesMax = 8192

const knownKeys = [
  ...(['_source', '_id', '_routing', '_type', '_parent', '_version', '_seq_no'] as const),
  'fields',
  ...(['timed_out', '_shards', 'hits', 'total'] as const),
] as const
type KnownKey = (typeof knownKeys)[number]
type KeyDigests = { [name in KnownKey]: { half1: number; half2: number } }

/** -1 for what is no whole number below 10^15. */
function wholeNumber(bytes: Buffer, start: number, end: number): number {
  if (end - start > 15) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function totalOf(value: Json): number | undefined {
  const total = isJsonObject(value) ? value['value'] : value
  return typeof total === 'number' ? total : undefined
}
