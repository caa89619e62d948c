import { MigrationError, type MigrationErrorOptions } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import { stoppedError } from '../cluster/backoff.ts'
import type { Cluster, RequestOptions } from '../cluster/cluster.ts'
import { isSince } from '../cluster/version.ts'
import { scrollIdOf } from './hit-page.ts'
import type { HitPage } from './hit-page.ts'
import type { ScannedDocument } from './scanned-document.ts'

/** How long the engine keeps a scroll between two pages: digesting one takes well below a second. */
const scrollKeepAlive = '5m'
const clearTimeoutMs = 10_000
const openGraceMs = 5_000
const readAheadBytesMin = 256 * 1024

/** What reads an answer of `_search` or `_search/scroll` and shows each of its documents. */
export interface PageReader<Document> {
  read(
    bytes: Buffer,
    where: string,
    visit: (document: Document) => void,
  ): HitPage | Promise<HitPage>
}

export interface ClusterScan<Document = ScannedDocument> {
  readonly cluster: Cluster
  readonly index: string
  readonly pageDocuments: number
  /** Shards that are scanned at once. */
  readonly slices: number
  readonly reader: PageReader<Document>
  /** Asked for besides, e.g. `{ _source: false }`. */
  readonly asked?: JsonObject
  /** Told of each page before the next one is waited for; it may hold the scan up. */
  readonly onPage?: (bytes: number) => Promise<void> | void
  readonly signal: AbortSignal
}

/** What must be known of an index before it is scanned; undefined when there is no such index. */
export interface ScannableIndex {
  readonly uuid: string
  readonly shards: number
  readonly pageDocumentsMax: number
  /** Whether `preference=_primary` is known: not to Elasticsearch 7 and OpenSearch 1. */
  readonly knowsPrimary: boolean
}

/** Makes what was written visible to searches, and learns the shape of the index. */
export async function prepareScan(
  cluster: Cluster,
  index: string,
  signal: AbortSignal,
): Promise<ScannableIndex | undefined> {
  const path = `/${encodeURIComponent(index)}`
  const refreshed = await cluster.request('POST', `${path}/_refresh`, { accept: [404], signal })
  if (refreshed.status === 404) return undefined
  const settings = await cluster.request('GET', `${path}/_settings`, {
    query: { flat_settings: true },
    signal,
  })
  const found = Object.values(settings.body)
  const one = found.length === 1 && isJsonObject(found[0]!) ? found[0]['settings'] : undefined
  if (!isJsonObject(one)) {
    throw new MigrationError(
      'MA_CLUSTER_RESPONSE',
      `${index} on the ${cluster.side} is ${found.length} indices; expected the name of one index, not an alias of several`,
    )
  }
  // A copy that takes over segments from its primary may lag behind what was acknowledged.
  const primary = await cluster.request('GET', `${path}/_search_shards`, {
    query: { preference: '_primary' },
    accept: [400],
    signal,
  })
  return {
    knowsPrimary: primary.status !== 400,
    uuid: typeof one['index.uuid'] === 'string' ? one['index.uuid'] : '',
    shards: wholeNumber(one['index.number_of_shards'], 1),
    pageDocumentsMax: wholeNumber(one['index.max_result_window'], 10_000),
  }
}

/**
 * Visits every document of an index, shard by shard, each by a scroll of its own over the primary. Nested children are
 * no hits and so no documents. Every scroll is cleared, also after an error or a stop. Throws MA_CLUSTER_RESPONSE when
 * the engine shows another number of documents than it counted at the start: a lost page must not pass unseen.
 */
export async function scanCluster<Document>(
  scan: ClusterScan<Document>,
  shape: ScannableIndex,
  visit: (document: Document) => void,
): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([scan.signal, stop.signal])
  let next = 0
  const scanNext = async (): Promise<void> => {
    while (next < shape.shards) await scanShard({ ...scan, signal }, shape, next++, visit)
  }
  const scans = Array.from({ length: Math.min(scan.slices, shape.shards) }, async () => {
    try {
      await scanNext()
    } catch (error) {
      stop.abort(error)
      throw error
    }
  })
  const outcomes = await Promise.allSettled(scans)
  if (stop.signal.aborted && !scan.signal.aborted) throw stop.signal.reason
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

/** One shard of it; errors as scanCluster(), and MA_CLUSTER_RESPONSE where the engine gave the scroll up half way. */
export async function scanShard<Document>(
  scan: ClusterScan<Document>,
  shape: ScannableIndex,
  shard: number,
  visit: (document: Document) => void,
): Promise<void> {
  const { cluster, index, reader, signal } = scan
  const where = `${cluster.side} ${cluster.url}: scan of ${index}, shard ${shard}`
  const ask = async (path: string, asked: RequestOptions): Promise<Buffer> =>
    (await cluster.requestRaw('POST', path, { signal, ...asked })).body
  const askNext = async (scrollId: string): Promise<Buffer> => {
    try {
      return await ask('/_search/scroll', {
        body: { scroll: scrollKeepAlive, scroll_id: scrollId },
      })
    } catch (error) {
      throw isLost(error) ? lostScroll(where, error) : error
    }
  }
  let scrollId: string | undefined
  let following: Promise<Buffer> | undefined
  try {
    let body = await evenIfStopped(signal, `opening the ${where}`, (late) =>
      ask(`/${encodeURIComponent(index)}/_search`, {
        ...firstPage(scan, shape, shard),
        signal: late,
      }),
    )
    let total: number | undefined
    for (let seen = 0; ;) {
      scrollId = scrollIdOf(body) ?? scrollId
      if (scrollId === undefined) throw unusable(`${where}: the answer has no _scroll_id`)
      // While this page is digested the engine prepares the next one; after a small page there is seldom any.
      following = body.length >= readAheadBytesMin ? askNext(scrollId) : undefined
      following?.catch(() => {})
      const page = await reader.read(body, where, visit)
      await scan.onPage?.(body.length)
      seen += page.hits
      total ??= page.total
      if (page.hits === 0) {
        if (seen === total) return
        throw unusable(
          `${where}: the engine counted ${total} documents and showed ${seen}; compare again`,
          { retryable: true },
        )
      }
      body = await (following ?? askNext(scrollId))
    }
  } finally {
    await following?.catch(() => {})
    if (scrollId !== undefined) await clearScroll(cluster, scrollId)
  }
}

/** A scroll that is being opened is waited for a moment after a stop: only its answer says what is to be cleared. */
async function evenIfStopped<T>(
  signal: AbortSignal,
  doing: string,
  open: (late: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw stoppedError(doing, signal)
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    timer = setTimeout(() => late.abort(signal.reason), openGraceMs)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await open(late.signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}

function firstPage(
  { cluster, pageDocuments, asked }: Pick<ClusterScan, 'cluster' | 'pageDocuments' | 'asked'>,
  shape: ScannableIndex,
  shard: number,
): RequestOptions {
  return {
    query: {
      scroll: scrollKeepAlive,
      preference: shape.knowsPrimary ? `_shards:${shard}|_primary` : `_shards:${shard}`,
      ...(isSince(cluster.version, [6, 3]) && { allow_partial_search_results: false }),
    },
    body: {
      size: Math.max(1, Math.min(pageDocuments, shape.pageDocumentsMax)),
      sort: ['_doc'],
      // Before, totals were always whole.
      ...(isSince(cluster.version, [7, 0]) && { track_total_hits: true }),
      ...asked,
    },
  }
}

/** What an engine answers when it knows a scroll no more. */
function isLost(error: unknown): error is MigrationError {
  return (
    error instanceof MigrationError &&
    error.code === 'MA_CLUSTER_RESPONSE' &&
    error.details.status === 404
  )
}

function lostScroll(where: string, cause: MigrationError): MigrationError {
  return unusable(
    `${where}: the engine knows the scroll no more: it expired after ${scrollKeepAlive}, or its node went; compare again`,
    { cause, retryable: true },
  )
}

function unusable(message: string, options: MigrationErrorOptions = {}): MigrationError {
  return new MigrationError('MA_CLUSTER_RESPONSE', message, options)
}

/** Not under the scan's signal: a stopped scan must not leave its scroll behind. What fails here expires by itself. */
async function clearScroll(cluster: Cluster, scrollId: string): Promise<void> {
  try {
    await cluster.request('DELETE', '/_search/scroll', {
      body: { scroll_id: [scrollId] },
      timeoutMs: clearTimeoutMs,
      accept: 'any',
    })
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error
  }
}

function wholeNumber(value: Json | undefined, otherwise: number): number {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : otherwise
}
