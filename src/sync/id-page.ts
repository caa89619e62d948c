import { hash } from 'node:crypto'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import { isSince } from '../cluster/version.ts'
import type { PageReader } from '../compare/cluster-scan.ts'
import { mix } from '../compare/digest-halves.ts'
import type { HitPage } from '../compare/hit-page.ts'
import { objectOf } from '../metadata/json-objects.ts'

/** A document by name and number, as a scan of one side shows it; the same object is used for the next one. */
export interface ScannedId {
  id: string
  routing: string | null
  /** Before 7. */
  type: string | undefined
  /** -1: it has none. */
  number: number
  /** Digest of id and routing. */
  id1: number
  id2: number
  /** Of these and the number. */
  whole1: number
  whole2: number
}

/** By what the documents of a side are numbered. */
export type NumberKind = 'seqNo' | 'version' | 'none'

/** What a search is asked for so that its hits tell their numbers, and nothing else. */
export function askedOf(kind: NumberKind, version: EngineVersion): JsonObject {
  if (kind === 'seqNo') return { ...numbersAsked(version), _source: false }
  return { _source: false, ...(kind === 'version' && { version: true }) }
}

/** What a search is asked for so that its hits tell their sequence numbers. */
export function numbersAsked(version: EngineVersion): JsonObject {
  if (isSince(version, [6, 7])) return { seq_no_primary_term: true }
  const field = isSince(version, [6, 4])
    ? { field: '_seq_no', format: 'use_field_mapping' }
    : '_seq_no'
  return { docvalue_fields: [field] }
}

/** Reads pages of a scan without `_source`: some 100 bytes a hit. `numberOf` makes a number of what the side tells. */
export class IdPageReader implements PageReader<ScannedId> {
  readonly #kind: NumberKind
  readonly #numberOf: (told: number) => number
  readonly #document: ScannedId = {
    ...{ id: '', routing: null, type: undefined, number: -1 },
    ...{ id1: 0, id2: 0, whole1: 0, whole2: 0 },
  }
  readonly #mixed = { half1: 0, half2: 0 }

  constructor(kind: NumberKind, numberOf: (told: number) => number = (told) => told) {
    this.#kind = kind
    this.#numberOf = numberOf
  }

  read(bytes: Buffer, where: string, visit: (document: ScannedId) => void): HitPage {
    const { hits: found, timed_out: timedOut, _shards: shards } = parse(bytes, where)
    const { hits, total } = objectOf(found)
    const failed = objectOf(shards).failed
    if (timedOut === true || failed !== 0 || !Array.isArray(hits)) {
      const why = timedOut === true ? 'timed out' : `shards: ${JSON.stringify(shards)}`
      throw new MigrationError('MA_CLUSTER_RESPONSE', `${where}: ${why.slice(0, 500)}`)
    }
    for (const hit of hits) {
      this.#take(objectOf(hit), where)
      visit(this.#document)
    }
    const count = isJsonObject(total) ? total.value : total
    return { hits: hits.length, total: typeof count === 'number' ? count : undefined }
  }

  #take(hit: JsonObject, where: string): void {
    const { _id: id, _routing: routing, _type: type } = hit
    if (typeof id !== 'string') {
      throw new MigrationError('MA_CLUSTER_RESPONSE', `${where}: a hit has no _id`)
    }
    const document = this.#document
    document.id = id
    document.routing = typeof routing === 'string' ? routing : null
    document.type = typeof type === 'string' ? type : undefined
    const told = this.#told(hit)
    document.number = typeof told === 'number' && told >= 0 ? this.#numberOf(told) : -1
    const digest = hash('sha1', nameOf(document), 'buffer')
    document.id1 = digest.readInt32LE(0)
    document.id2 = digest.readInt32LE(4)
    // 53 bits, in two halves.
    const { number } = document
    mix(this.#mixed, document.id1 ^ (number | 0), document.id2 ^ Math.floor(number / 2 ** 32))
    document.whole1 = this.#mixed.half1
    document.whole2 = this.#mixed.half2
  }

  #told({ _seq_no: seqNo, _version: version, fields }: JsonObject): Json | undefined {
    if (this.#kind === 'none') return undefined
    if (this.#kind === 'version') return version
    const values = objectOf(fields)._seq_no
    return seqNo ?? (Array.isArray(values) ? values[0] : undefined)
  }
}

export function nameOf({ id, routing }: Pick<ScannedId, 'id' | 'routing'>): string {
  return JSON.stringify([id, routing])
}

function parse(bytes: Buffer, where: string): JsonObject {
  try {
    return objectOf(JSON.parse(bytes.toString('utf8')) as Json)
  } catch (error) {
    throw new MigrationError('MA_CLUSTER_RESPONSE', `${where}: the answer is not JSON`, {
      cause: error,
    })
  }
}
