import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import { isSince } from '../cluster/version.ts'
import { numbersAsked } from './id-page.ts'
import type { Interval } from './interval-set.ts'
import { readSearchAnswer, type FoundDocument } from './read-answer.ts'

/** A document of the source as a search found it. */
export type NumberedDocument = FoundDocument & { readonly seqNo: number }

export interface NumberQuery {
  readonly source: Cluster
  readonly index: string
  readonly shard: number
  /** Ascending, without overlap. */
  readonly ranges: readonly Interval[]
  readonly signal: AbortSignal
}

/** Of the first page, when nothing is known of the documents' size. */
const pageDocumentsFirst = 50
/** A shrunk index has a number once for each of the shards that it was made of: 1,024 at most. */
const pageDocumentsMax = 2000
const pageBytes = 4 * 1024 * 1024
/** Numbers that one query asks for: older engines look at each document in the range to sort them. */
const windowFirst = 10_000
const windowMax = 100_000_000
/** Ranges of one query: engines take 1,024 clauses. */
const rangesMax = 500

/**
 * Finds the documents whose present number lies in these ranges, in order of the numbers, page by page; what was written
 * before the index was last refreshed. All documents of one number come in one page: in a shrunk index they are several.
 * Throws MA_CLUSTER_RESPONSE where a part of the shard could not be searched.
 */
export async function* documentsByNumber(
  query: NumberQuery,
): AsyncGenerator<readonly NumberedDocument[]> {
  let { ranges } = query
  let size = pageDocumentsFirst
  let window = windowFirst
  while (ranges.length > 0) {
    const [asked, rest] = cutAt(ranges, window)
    const { page, bytes } = await askPage({ ...query, ranges: asked }, size)
    const isFull = page.length === size
    // Of the last number of a full page there may be more: the next one begins with it.
    const last = page.at(-1)?.seqNo
    const whole = isFull ? page.filter(({ seqNo }) => seqNo < last!) : page
    if (whole.length > 0) yield whole
    else if (isFull && size >= pageDocumentsMax) throw tooManyOf(last!, query)
    ranges = isFull ? [...from(asked, last!), ...rest] : rest
    window = isFull ? windowFirst : Math.min(window * 4, windowMax)
    if (isFull && whole.length === 0) size = pageDocumentsMax
    else if (isFull) size = sizeAfter(size, bytes / page.length)
  }
}

function sizeAfter(size: number, bytesOfOne: number): number {
  const fit = Math.max(2, Math.floor(pageBytes / bytesOfOne))
  return Math.min(size * 4, fit, pageDocumentsMax)
}

/** The first of them, with so many numbers at most, and the rest. */
function cutAt(ranges: readonly Interval[], numbers: number): [Interval[], Interval[]] {
  const first: Interval[] = []
  let left = numbers
  let at = 0
  for (; at < ranges.length && at < rangesMax && left > 0; at++) {
    const { from, to } = ranges[at]!
    const end = Math.min(to, from + left - 1)
    first.push({ from, to: end })
    left -= end - from + 1
    if (end < to) return [first, [{ from: end + 1, to }, ...ranges.slice(at + 1)]]
  }
  return [first, ranges.slice(at)]
}

function from(ranges: readonly Interval[], number: number): Interval[] {
  return ranges
    .filter(({ to }) => to >= number)
    .map(({ from, to }) => ({ from: Math.max(from, number), to }))
}

function tooManyOf(number: number, { source, index, shard }: NumberQuery): MigrationError {
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${source.url}: ${pageDocumentsMax} documents or more of ${index}, shard ${shard}, have the number ${number}`,
  )
}

async function askPage(
  { source, index, shard, ranges, signal }: NumberQuery,
  size: number,
): Promise<{ page: NumberedDocument[]; bytes: number }> {
  const should = ranges.map(({ from, to }) => ({ range: { _seq_no: { gte: from, lte: to } } }))
  const answer = await source.requestRaw('POST', `/${encodeURIComponent(index)}/_search`, {
    query: {
      preference: shardPreference(source.version, shard),
      ...(isSince(source.version, [6, 3]) && { allow_partial_search_results: false }),
    },
    body: {
      ...numbersAsked(source.version),
      version: true,
      size,
      sort: [{ _seq_no: 'asc' }],
      query: { bool: { filter: { bool: { should } } } },
    },
    repeatable: true,
    signal,
  })
  const where = `${source.url}: search of ${index}, shard ${shard}`
  const { documents } = readSearchAnswer(answer.body, where)
  const page = documents.map((document) => {
    const { seqNo } = document
    if (seqNo !== undefined) return { ...document, seqNo }
    throw new MigrationError('MA_CLUSTER_RESPONSE', `${where}: a hit has no number`)
  })
  return { page, bytes: answer.body.length }
}

/**
 * All copies hold what lies below the global checkpoint and show it once they are refreshed; save copies of OpenSearch that
 * take over segments from the primary (SEGMENT replication), which 1.x has not, nor that preference.
 */
function shardPreference({ flavour, major }: EngineVersion, shard: number): string {
  const copiesLag = flavour === 'opensearch' && major >= 2
  return copiesLag ? `_shards:${shard}|_primary` : `_shards:${shard}`
}

/**
 * Makes what was written visible to searches, on all copies. False where a copy did not: it may be gone, or be
 * recovering, and the next look will tell.
 */
export async function refreshIndex(
  source: Cluster,
  index: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { status, body } = await source.request('POST', `/${encodeURIComponent(index)}/_refresh`, {
    accept: [404],
    repeatable: true,
    signal,
  })
  const shards: Json | undefined = body._shards
  return status === 200 && isJsonObject(shards) && shards.failed === 0
}
