import type { Json, JsonObject } from '../../src/base/json.ts'
import { majorOf } from '../../src/engines/engine-row.ts'

/** What clients do, each of which an engine can do or not. */
export type OperationKind =
  | 'index'
  | 'create'
  | 'server-id'
  | 'delete'
  | 'update-doc'
  | 'update-script'
  | 'upsert'
  | 'scripted-upsert'
  | 'update-noop'
  | 'if-seq-no'
  | 'bulk'
  | 'update-by-query'
  | 'delete-by-query'
  | 'reindex'
  | 'refresh'
  | 'pipeline'
  | 'routing-pipeline'
  | 'default-pipeline'
  | 'routing'
  | 'external-version'
  | 'alias'
  | 'routing-alias'
  | 'rollover-alias'
  | 'rollover'
  | 'new-index'
  | 'delete-index'
  | 'new-field'
  | 'put-mapping'
  | 'immense-term'
  | 'get-write'

export interface Operation {
  readonly kind: OperationKind
  readonly method: string
  readonly target: string
  readonly body?: string
  /** Documents that it writes, as far as the request tells. */
  readonly count: number
}

export interface OperationsInput {
  readonly prefix: string
  readonly kind: string
  readonly version: string
  readonly random: () => number
  readonly without: ReadonlySet<OperationKind>
  /** How many there will be. */
  readonly operations: number
  /** Ids that the source made, filled by the client while it runs. */
  readonly madeIds: readonly { readonly index: string; readonly id: string }[]
}

/** How the paths of a version look. */
export interface Paths {
  document(index: string, id: string | undefined): string
  update(index: string, id: string): string
  create(index: string, id: string): string
  bulk(index: string): string
  /** Of an action line. */
  readonly type: JsonObject
}

export function pathsOf(kind: string, version: string): Paths {
  const isTyped = kind === 'elasticsearch' && majorOf(version) < 7
  return {
    document: (index, id) => (id === undefined ? `/${index}/_doc` : `/${index}/_doc/${id}`),
    update: (index, id) => (isTyped ? `/${index}/_doc/${id}/_update` : `/${index}/_update/${id}`),
    create: (index, id) => (isTyped ? `/${index}/_doc/${id}/_create` : `/${index}/_create/${id}`),
    bulk: (index) => (isTyped ? `/${index}/_doc/_bulk` : `/${index}/_bulk`),
    type: isTyped ? { _type: '_doc' } : {},
  }
}

const idsOfIndex = 150
const firstVersion = 1_700_000_000_000
const versionsLateMost = 1000
/** Ids from this one on are deleted, too: a source that has forgotten a delete takes what comes late after it. */
const firstDeletedId = 100

/** How often each kind comes. */
const weights: Readonly<Record<OperationKind, number>> = {
  index: 12,
  create: 6,
  'server-id': 6,
  delete: 10,
  'update-doc': 6,
  'update-script': 4,
  upsert: 3,
  'scripted-upsert': 2,
  'update-noop': 2,
  'if-seq-no': 1,
  bulk: 12,
  'update-by-query': 0.3,
  'delete-by-query': 0.3,
  reindex: 0.2,
  refresh: 0.3,
  pipeline: 3,
  'routing-pipeline': 2,
  'default-pipeline': 3,
  routing: 6,
  'external-version': 5,
  alias: 3,
  'routing-alias': 3,
  'rollover-alias': 4,
  rollover: 0.15,
  'new-index': 0.15,
  'delete-index': 0.1,
  'new-field': 0.5,
  'put-mapping': 0.1,
  'immense-term': 0.5,
  'get-write': 1,
}

/** What makes indices and takes them away: a long run has no more of it than one of so many operations. */
const ofIndices: ReadonlySet<OperationKind> = new Set(['rollover', 'new-index', 'delete-index'])
const operationsOfIndices = 50_000

/** Gives one operation after the other. */
export function randomOperations(input: OperationsInput): () => Operation {
  const { prefix, random, without, madeIds } = input
  const paths = pathsOf(input.kind, input.version)
  const share = Math.min(1, operationsOfIndices / input.operations)
  const kinds = (Object.entries(weights) as [OperationKind, number][])
    .filter(([kind]) => !without.has(kind))
    .map(([kind, weight]) => [kind, ofIndices.has(kind) ? weight * share : weight] as const)
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
  const make = { ...input, paths, ...makers(prefix, random) }
  return () => {
    let left = random() * total
    const kind = (kinds.find(([, weight]) => (left -= weight) < 0) ?? kinds[0]!)[0]
    return { kind, count: 1, ...operationOf(kind, make, madeIds) }
  }
}

type Made = Omit<Operation, 'kind' | 'count'> & { readonly count?: number }

function makers(prefix: string, random: () => number) {
  let numbers = 0
  let versions = 0
  const integer = (below: number): number => Math.floor(random() * below)
  const pick = <T>(of: readonly T[]): T => of[integer(of.length)]!
  return {
    integer,
    pick,
    nextNumber: () => ++numbers,
    /** Seldom: an engine that refreshes again and again does little else. */
    refreshing: () => (random() < 0.02 ? '?refresh=true' : ''),
    /** As clocks of clients give them, growing in milliseconds, never twice; now and then that of an earlier write. */
    nextVersion: (lateMost: number) => {
      const late = random() < 0.3 ? integer(lateMost) : 0
      return firstVersion + (++versions - late) * versionsLateMost + (versions % versionsLateMost)
    },
    id: () => `d${integer(idsOfIndex)}`,
    index: (name: string) => `${prefix}${name}`,
    /** A document whose `n` is unlike that of every other one. */
    document: (extra: JsonObject = {}): JsonObject => ({
      n: ++numbers,
      text: pick(['alpha beta', 'gamma', 'täxt ✓', '"quoted"\n line', '']),
      group: `g${integer(8)}`,
      ...(random() < 0.1 && { list: [1, 2.5, -0.001, null, { deep: [true] }] }),
      ...(random() < 0.05 && { filler: 'x'.repeat(integer(8000)) }),
      ...extra,
    }),
  }
}

type Make = OperationsInput & ReturnType<typeof makers> & { readonly paths: Paths }

function operationOf(kind: OperationKind, make: Make, madeIds: OperationsInput['madeIds']): Made {
  const { paths, id, index, document, integer, pick, random } = make
  const put = (name: string, query = '', doc: Json = document()): Made => ({
    method: pick(['PUT', 'POST']),
    target: paths.document(index(name), id()) + query,
    body: JSON.stringify(doc),
  })
  const post = (target: string, body?: Json): Made => ({
    method: 'POST',
    target,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const script = (source: string): JsonObject => ({
    source,
    lang: 'painless',
    params: { by: integer(9) },
  })
  const known = (): { index: string; id: string } =>
    madeIds.length > 0 && random() < 0.2 ? pick(madeIds) : { index: index('plain'), id: id() }
  const update = (body: JsonObject, query = ''): Made => {
    const one = known()
    return post(paths.update(one.index, one.id) + query, body)
  }
  const routing = (): string => `routing=r${integer(4)}`
  switch (kind) {
    case 'index':
      return put('plain', make.refreshing() || pick(['', '', '', '?timeout=30s']))
    case 'create': {
      const query = random() < 0.5
      return {
        method: 'PUT',
        target: query
          ? `${paths.document(index('plain'), id())}?op_type=create`
          : paths.create(index('plain'), id()),
        body: JSON.stringify(document()),
      }
    }
    case 'server-id':
      return post(paths.document(index(pick(['plain', 'lazy'])), undefined), document())
    case 'delete': {
      const one = known()
      return { method: 'DELETE', target: paths.document(one.index, one.id) }
    }
    case 'update-doc':
      return update({ doc: document() }, pick(['', '?retry_on_conflict=3', '?_source=true']))
    case 'update-script':
      return update({ script: script(pick(scripts)) }, '?retry_on_conflict=2')
    case 'upsert':
      return update(
        random() < 0.5
          ? { doc: document(), doc_as_upsert: true }
          : { doc: { n: make.nextNumber() }, upsert: document() },
      )
    case 'scripted-upsert':
      return update({
        scripted_upsert: true,
        script: script(
          'ctx._source.count = (ctx._source.count == null ? 0 : ctx._source.count) + params.by',
        ),
        upsert: {},
      })
    case 'update-noop':
      return update({ doc: {}, detect_noop: pick([true, false]) })
    case 'if-seq-no':
      return put('plain', `?if_seq_no=${integer(500)}&if_primary_term=1`)
    case 'bulk':
      return bulk(make)
    case 'update-by-query':
      return post(
        `/${index('plain')}/_update_by_query?conflicts=proceed${pick(['', '&refresh=true'])}`,
        {
          query: { term: { 'group.keyword': `g${integer(8)}` } },
          script: script('ctx._source.touched = params.by'),
        },
      )
    case 'delete-by-query':
      return post(`/${index(pick(['plain', 'lazy']))}/_delete_by_query?conflicts=proceed`, {
        query: {
          bool: {
            filter: [
              { term: { 'group.keyword': `g${integer(8)}` } },
              { range: { n: { gte: integer(make.nextNumber()), lte: make.nextNumber() } } },
            ],
          },
        },
      })
    case 'reindex':
      return post('/_reindex', {
        conflicts: 'proceed',
        source: { index: index('plain'), query: { term: { 'group.keyword': `g${integer(8)}` } } },
        dest: { index: index('copied') },
      })
    case 'refresh':
      return post(`/${index(pick(['plain', 'lazy', 'routed']))}/_refresh`)
    case 'pipeline':
      return put('plain', `?pipeline=${index('marks')}`)
    case 'routing-pipeline':
      return put('routed', `?pipeline=${index('routes')}`)
    case 'default-pipeline':
      return put('piped', pick(['', '?pipeline=_none']))
    case 'routing':
      return random() < 0.3
        ? { method: 'DELETE', target: `${paths.document(index('routed'), id())}?${routing()}` }
        : put('routed', `?${routing()}`)
    case 'external-version': {
      const number = integer(idsOfIndex)
      const mayBeDeleted = number >= firstDeletedId
      const version = make.nextVersion(mayBeDeleted ? 3 : versionsLateMost)
      const query = `?version=${version}&version_type=${pick(['external', 'external_gte'])}`
      const target = `${paths.document(index('external'), `d${number}`)}${query}`
      return mayBeDeleted && random() < 0.5
        ? { method: 'DELETE', target }
        : { method: 'PUT', target, body: JSON.stringify(document()) }
    }
    case 'alias':
      return put('plain-alias')
    case 'routing-alias':
      return random() < 0.2
        ? { method: 'DELETE', target: paths.document(index('routing-alias'), id()) }
        : put('routing-alias')
    case 'rollover-alias':
      return random() < 0.5
        ? put('rolling')
        : post(paths.document(index('rolling'), undefined), document())
    case 'rollover':
      return post(`/${index('rolling')}/_rollover`, {})
    case 'new-index':
      return put(`auto-${integer(5)}`)
    case 'delete-index':
      return { method: 'DELETE', target: `/${index(`auto-${integer(5)}`)}` }
    case 'new-field':
      return put(
        'plain',
        '',
        document({ [`field${integer(20)}`]: pick<Json>([1, 1.5, 'words', true, { inner: 1 }]) }),
      )
    case 'put-mapping':
      return putMapping(make)
    case 'immense-term':
      return put('plain', '', document({ exact: 'y'.repeat(33_000) }))
    case 'get-write':
      return { method: 'GET', target: paths.document(index('plain'), id()) }
  }
}

function putMapping({ index, integer, paths }: Make): Made {
  const isTyped = paths.type._type !== undefined
  return {
    method: 'PUT',
    target: `/${index('plain')}/_mapping${isTyped ? '/_doc' : ''}`,
    body: JSON.stringify({ properties: { [`mapped${integer(10)}`]: { type: 'keyword' } } }),
  }
}

const scripts = [
  'ctx._source.touched = params.by',
  "if (ctx._source.n != null && ctx._source.n % 2 == 0) { ctx.op = 'delete' } else { ctx._source.odd = true }",
  "ctx.op = 'none'",
  "ctx._source.remove('text')",
]

/** Ten to thirty items on several indices, of which some fail. */
function bulk(make: Make): Made {
  const { integer, paths, index, pick, random } = make
  const count = 10 + integer(21)
  const [home, ...rest] = pick([[['plain']], [['plain', 'lazy', 'routed', 'piped', 'plain-alias']]])
  const names = [home, ...rest].flat()
  const lines = Array.from({ length: count }, () => bulkItem(make, pick(names)))
  const query = make.refreshing() || pick(['', '', '', `?pipeline=${index('marks')}`])
  const target = random() < 0.5 ? paths.bulk(index('plain')) : '/_bulk'
  return {
    method: 'POST',
    target: target + query,
    body: lines.join(''),
    count,
  }
}

function bulkItem(make: Make, name: string): string {
  const { id, integer, paths, index, document, random, nextNumber, pick } = make
  const action: JsonObject = { _index: index(name), ...paths.type }
  const routing = name === 'routed' ? { routing: `r${integer(4)}` } : {}
  const lines = (...all: JsonObject[]): string =>
    all.map((one) => `${JSON.stringify(one)}\n`).join('')
  const choice = random()
  if (choice < 0.45) return lines({ index: { ...action, ...routing, _id: id() } }, document())
  if (choice < 0.55) return lines({ index: { ...action, ...routing } }, document())
  if (choice < 0.65) return lines({ create: { ...action, ...routing, _id: id() } }, document())
  if (choice < 0.8) return lines({ delete: { ...action, ...routing, _id: id() } })
  if (choice < 0.95) {
    const change = pick<JsonObject>([
      { doc: { n: nextNumber() } },
      { doc: document(), doc_as_upsert: true },
    ])
    return lines({ update: { ...action, ...routing, _id: id(), retry_on_conflict: 2 } }, change)
  }
  // Refused: a number that is none.
  return lines({ index: { ...action, ...routing, _id: id() } }, { n: 'no number', text: 'refused' })
}
