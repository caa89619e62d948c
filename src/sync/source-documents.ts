import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import type { IndexFlow } from './index-flow.ts'
import type { PendingDocument } from './pending-document.ts'
import { readMgetAnswer, readSearchAnswer, type FoundDocument } from './read-answer.ts'

/**
 * How documents are read from the source by name, by version:
 *
 *   6.8 and later, OpenSearch   `_mget`, realtime, gives numbers unasked
 *   6.0 to 6.7                  `_refresh`, then `_search` with docvalue_fields, since GET gives none
 *   before 6                    `_mget` with types; there are no numbers
 *
 * Where the place of a document is not known it is searched for on all shards after a `_refresh`.
 */
export class SourceDocuments {
  readonly #source: Cluster
  readonly #signal: AbortSignal

  constructor(source: Cluster, signal: AbortSignal) {
    this.#source = source
    this.#signal = signal
  }

  /**
   * What each of them is now: none or one where its place is known, else all that have its id. A request that the source
   * refuses is halved, until the document is found, or the index that nobody may read now; it has the error.
   */
  async read(
    documents: readonly PendingDocument[],
  ): Promise<Map<PendingDocument, FoundDocument[]>> {
    try {
      return await this.#readAll(documents)
    } catch (error) {
      if (!isRefusal(error)) throw error
      const parts = error.details.status === 403 ? byFlow(documents) : halvesOf(documents)
      if (parts.length < 2) {
        return new Map(documents.map((document) => [document, [refusedBy(error, document)]]))
      }
      const found = new Map<PendingDocument, FoundDocument[]>()
      for (const part of parts) {
        for (const [document, all] of await this.read(part)) found.set(document, all)
      }
      return found
    }
  }

  async #readAll(
    documents: readonly PendingDocument[],
  ): Promise<Map<PendingDocument, FoundDocument[]>> {
    const { version } = this.#source
    const found = new Map<PendingDocument, FoundDocument[]>()
    let searched = [...documents]
    if (!givesNumbersOnSearchAlone(version)) {
      const named = documents.filter((document) => isNamed(document, version))
      for (const [document, one] of await this.#mget(named)) {
        if (!needsSearch(document, one)) found.set(document, [one])
      }
      searched = documents.filter((document) => !found.has(document))
    }
    for (const some of byFlow(searched)) {
      for (const [document, all] of await this.#search(some)) found.set(document, all)
    }
    return found
  }

  async #mget(
    documents: readonly PendingDocument[],
  ): Promise<(readonly [PendingDocument, FoundDocument])[]> {
    if (documents.length === 0) return []
    const { version } = this.#source
    const docs = documents.map(({ flow, id, type, routing }) => {
      return {
        _index: flow.name,
        ...(type !== undefined && isBefore(7, version) && { _type: type }),
        _id: id,
        ...(routing !== null && routing !== undefined && { routing }),
        // Before 5 these two are given only where they are asked for.
        ...(isBefore(5, version) && askedFields),
      }
    })
    const { body } = await this.#source.requestRaw('POST', '/_mget', {
      query: { preference: preferenceIn(version) },
      body: { docs },
      repeatable: true,
      signal: this.#signal,
    })
    const found = readMgetAnswer(body, this.#where('_mget'), docs.length)
    noteSizes(documents, body.length)
    return documents.map((document, i) => [document, found[i]!] as const)
  }

  /** Documents of one index. */
  async #search(
    documents: readonly PendingDocument[],
  ): Promise<Map<PendingDocument, FoundDocument[]>> {
    const { flow } = documents[0]!
    const path = `/${encodeURIComponent(flow.name)}`
    const found = new Map<PendingDocument, FoundDocument[]>()
    const refreshed = await this.#source.request('POST', `${path}/_refresh`, {
      accept: [404],
      repeatable: true,
      signal: this.#signal,
    })
    if (refreshed.status === 404) return new Map(documents.map((document) => [document, []]))
    const atOnce = Math.max(1, Math.min(100, Math.floor(hitsMax / flow.source.numberOfShards)))
    for (let at = 0; at < documents.length; at += atOnce) {
      const some = documents.slice(at, at + atOnce)
      const hits = await this.#hits(flow, [...new Set(some.map(({ id }) => id))])
      for (const document of some) {
        found.set(
          document,
          hits.filter((hit) => isOf(hit, document)),
        )
      }
    }
    return found
  }

  async #hits(flow: IndexFlow, ids: readonly string[]): Promise<FoundDocument[]> {
    const { version } = this.#source
    const where = this.#where('_search')
    const path = `/${encodeURIComponent(flow.name)}`
    const ofOneId = flow.source.numberOfShards * (isBefore(6, version) ? typesLikely : 1)
    const { body } = await this.#source.requestRaw('POST', `${path}/_search`, {
      query: { preference: preferenceIn(version) },
      body: {
        query: { ids: { values: [...ids] } },
        size: Math.min(hitsMax, ids.length * ofOneId),
        version: true,
        ...numbersIn(version),
      },
      repeatable: true,
      signal: this.#signal,
    })
    const { documents, total } = readSearchAnswer(body, where)
    if (total <= documents.length || ids.length === 1) return documents
    // More of one id than there are shards and types for.
    const halves = [ids.slice(0, ids.length >> 1), ids.slice(ids.length >> 1)]
    const parts: FoundDocument[][] = []
    for (const half of halves) parts.push(await this.#hits(flow, half))
    return parts.flat()
  }

  #where(what: string): string {
    return `source ${this.#source.url}: ${what}`
  }
}

/** `index.max_result_window`, unless it was changed. */
const hitsMax = 10_000
/** Before 6 every mapping type may have the id. */
const typesLikely = 100

const askedFields = { fields: ['_routing', '_parent'], _source: true }

function isBefore(before: number, { flavour, major }: EngineVersion): boolean {
  return flavour === 'elasticsearch' && major < before
}

/** With segment replication other copies lag behind what was acknowledged. */
function preferenceIn({ flavour, major }: EngineVersion): string | undefined {
  return flavour === 'opensearch' && major >= 2 ? '_primary' : undefined
}

function numbersIn(version: EngineVersion): JsonObject {
  if (isBefore(5, version)) return askedFields
  if (isBefore(6, version)) return {}
  if (isBefore(7, version)) {
    const format = 'use_field_mapping'
    return { docvalue_fields: [version.minor < 4 ? '_seq_no' : { field: '_seq_no', format }] }
  }
  return { seq_no_primary_term: true }
}

/** What is wrong with a request stays wrong; what a gateway or a busy engine says passes. */
function isRefusal(error: unknown): error is MigrationError {
  if (!(error instanceof MigrationError) || error.code !== 'MA_CLUSTER_RESPONSE') return false
  return refusals.has(error.details.status)
}

const refusals: ReadonlySet<unknown> = new Set([400, 403, 413])

function halvesOf(documents: readonly PendingDocument[]): (readonly PendingDocument[])[] {
  const half = documents.length >> 1
  return half === 0 ? [documents] : [documents.slice(0, half), documents.slice(half)]
}

function refusedBy({ details, message }: MigrationError, { id }: PendingDocument): FoundDocument {
  const type = typeof details.type === 'string' ? details.type : 'refused'
  // A block that somebody has set on the index is taken off again.
  const isOwn = details.status === 403 ? {} : { isOwn: true as const }
  return { id, routing: null, found: false, error: { type, reason: message, ...isOwn } }
}

/** Elasticsearch 6.0 to 6.7. */
function givesNumbersOnSearchAlone(version: EngineVersion): boolean {
  return isBefore(7, version) && version.major === 6 && version.minor < 8
}

/** Before 6 an index may have one id in several types. */
function isNamed({ type }: PendingDocument, version: EngineVersion): boolean {
  return type !== undefined || !isBefore(6, version)
}

/**
 * Without knowing its routing a document is taken for the one that is meant only where it still is as the very change that
 * was told of, and no other of its index is known to have a routing: numbers of two shards may be the same. One that was
 * made and is not found may have got a routing.
 */
function needsSearch(
  { flow, routing, what, number, deletedBy }: PendingDocument,
  one: FoundDocument,
): boolean {
  if (one.error?.type === 'routing_missing_exception') return true
  if (one.error !== undefined) return false
  if (routing === undefined) {
    return flow.isRouted || !one.found || number < 0 || one.seqNo !== number
  }
  return !one.found && routing === null && what === 'read' && number > deletedBy
}

function isOf(
  hit: FoundDocument,
  { id, routing, type, number, deletedBy }: PendingDocument,
): boolean {
  if (hit.id !== id || (type !== undefined && hit.type !== undefined && hit.type !== type))
    return false
  if (routing === undefined || hit.routing === routing) return true
  // It was not found without routing: it is the one that was made, under another.
  return routing === null && number > deletedBy
}

function byFlow(documents: readonly PendingDocument[]): PendingDocument[][] {
  const flows = new Map<IndexFlow, PendingDocument[]>()
  for (const document of documents) {
    const known = flows.get(document.flow)
    if (known === undefined) flows.set(document.flow, [document])
    else known.push(document)
  }
  return [...flows.values()]
}

/** Keeps the mean size of what was read, so that the next request asks for as much as memory has room for. */
function noteSizes(documents: readonly PendingDocument[], bytes: number): void {
  const each = bytes / documents.length
  for (const flow of new Set(documents.map(({ flow }) => flow))) {
    flow.documentBytes = each > flow.documentBytes ? each : flow.documentBytes * 0.9 + each * 0.1
  }
}
