/** Whether two clusters hold the same documents: each of them, with id, routing and source by value. */
import assert from 'node:assert/strict'
import type { JsonObject } from '../../src/base/json.ts'
import { send, type EngineFacts } from './engines.ts'

export interface ComparedDocument {
  readonly index: string
  readonly id: string
  readonly routing: string | undefined
  readonly version: number
  readonly seqNo: number | undefined
  /** With keys in order and numbers by value. */
  readonly source: string
}

export interface Difference {
  readonly index: string
  readonly id: string
  readonly what: string
}

interface Hit {
  readonly _index: string
  readonly _id: string
  readonly _routing?: string
  readonly _version: number
  readonly _seq_no?: number
  readonly _source: unknown
}

/** Every document of both sides whose index begins with `prefix`, both ways; [] when they are equal. */
export async function differencesOf(
  source: EngineFacts,
  target: EngineFacts,
  prefix: string,
  { exactVersions = () => false }: { exactVersions?: (index: string) => boolean } = {},
): Promise<Difference[]> {
  const [there, here] = await Promise.all([indicesOf(source, prefix), indicesOf(target, prefix)])
  const differences: Difference[] = []
  for (const index of new Set([...there, ...here])) {
    if (!there.has(index) || !here.has(index)) {
      const what = there.has(index)
        ? 'the index is not on the target'
        : 'the index is not on the source'
      differences.push({ index, id: '', what })
      continue
    }
    const [left, right] = await Promise.all([
      documentsOf(source, index),
      documentsOf(target, index),
    ])
    differences.push(...compare(index, left, right, exactVersions(index)))
  }
  return differences
}

function compare(
  index: string,
  left: ReadonlyMap<string, ComparedDocument>,
  right: ReadonlyMap<string, ComparedDocument>,
  isVersionExact: boolean,
): Difference[] {
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) => {
    const [one, other] = [left.get(key), right.get(key)]
    const { id } = (one ?? other)!
    const what = differenceOf(one, other, isVersionExact)
    return what === undefined ? [] : [{ index, id, what }]
  })
}

function differenceOf(
  source: ComparedDocument | undefined,
  target: ComparedDocument | undefined,
  isVersionExact: boolean,
): string | undefined {
  const told = (one: ComparedDocument): string =>
    `_version ${one.version}, _seq_no ${one.seqNo ?? '?'}, routing ${one.routing ?? 'none'}`
  if (target === undefined) return `not on the target (source: ${told(source!)})`
  if (source === undefined) return `not on the source (target: ${told(target)})`
  if (source.routing !== target.routing) return `routing ${source.routing} became ${target.routing}`
  if (isVersionExact && source.version !== target.version) {
    return `_version ${source.version} became ${target.version}`
  }
  if (source.source === target.source) return undefined
  const short = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text)
  return `source (${told(source)}) ${short(source.source)}\n    target (${told(target)}) ${short(target.source)}`
}

async function indicesOf(engine: EngineFacts, prefix: string): Promise<Set<string>> {
  const answer = await send<JsonObject>(engine, 'GET', `/${prefix}*/_settings?flat_settings=true`)
  return new Set(Object.keys(answer))
}

/** By id and routing: two documents of one id may lie in two shards. */
async function documentsOf(
  engine: EngineFacts,
  index: string,
): Promise<Map<string, ComparedDocument>> {
  // After a restart its primaries start one after the other: what they hold is not missing.
  await send(engine, 'GET', `/_cluster/health/${index}?wait_for_status=yellow&timeout=120s`)
  await send(engine, 'POST', `/${index}/_refresh`)
  const found = new Map<string, ComparedDocument>()
  const hasNumbers = engine.kind === 'opensearch' || !/^[1-5]\.|^6\.[0-6]\./.test(engine.version)
  let page = await send<Page>(engine, 'POST', `/${index}/_search?scroll=1m`, {
    size: 1000,
    version: true,
    ...(hasNumbers && { seq_no_primary_term: true }),
    sort: ['_doc'],
  })
  const { total, successful } = page._shards
  assert.equal(successful, total, `${index}: ${successful} of ${total} shards were searched`)
  let scrollId = page._scroll_id
  while (page.hits.hits.length > 0) {
    scrollId = page._scroll_id
    for (const hit of page.hits.hits) {
      found.set(`${hit._id}\n${hit._routing ?? ''}`, {
        index,
        id: hit._id,
        routing: hit._routing,
        version: hit._version,
        seqNo: hit._seq_no,
        source: canonical(hit._source),
      })
    }
    page = await send<Page>(engine, 'POST', '/_search/scroll', {
      scroll: '1m',
      scroll_id: scrollId!,
    })
  }
  // One of an index without documents cannot be deleted.
  await send(engine, 'DELETE', '/_search/scroll', { scroll_id: scrollId! }).catch(() => undefined)
  return found
}

interface Page {
  /** Absent for an index without documents. */
  readonly _scroll_id?: string
  readonly _shards: { readonly total: number; readonly successful: number }
  readonly hits: { readonly hits: readonly Hit[] }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
