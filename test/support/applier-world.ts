/** An index on a real source and on a real target, and an Applier between them, without capture log and audit. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import type { TargetIndex } from '../../src/state/records.ts'
import type { StateStore } from '../../src/state/store.ts'
import { Applier } from '../../src/sync/applier.ts'
import type { ApplierInput, ApplierOptions } from '../../src/sync/applier-input.ts'
import type { Change } from '../../src/sync/change.ts'
import { KeptDeletes } from '../../src/sync/kept-deletes.ts'
import type { RefusedDocument } from '../../src/sync/lane-worker.ts'
import { ReadBudget } from '../../src/sync/read-budget.ts'
import { SourceView } from '../../src/sync/source-view.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'
import { newState } from './metadata.ts'

export interface ApplierWorldInput {
  readonly source: TestEngine
  readonly target: TestEngine
  /** Where requests to the target go, if not to the engine itself. */
  readonly targetUrl?: string
  readonly sourceUrl?: string
  /** How many indices; default 1. */
  readonly indices?: number
  /** Of the index on both sides. */
  readonly body?: JsonObject
  readonly targetBody?: JsonObject
  readonly about?: Partial<TargetIndex>
  readonly options?: Partial<ApplierOptions>
  readonly input?: Partial<ApplierInput>
}

export interface ApplierWorld {
  readonly source: TestEngine
  readonly target: TestEngine
  readonly index: string
  readonly indices: readonly string[]
  readonly targets: ReadonlyMap<string, TargetIndex>
  readonly view: SourceView
  readonly state: StateStore
  readonly kept: KeptDeletes
  readonly applier: Applier
  readonly letters: RefusedDocument[]
  readonly waits: string[]
  readonly accounted: Map<string, number[]>
  /** Takes changes and waits until they are settled; what `settled` was told. */
  apply(...changes: readonly Change[]): Promise<boolean>
}

const options: ApplierOptions = {
  ...{ memoryMax: 64 * 1024 * 1024, bulkBytesMax: 1024 * 1024, lanes: 4 },
  waitMaxMs: 60_000,
}

export async function makeApplierWorld(
  t: TestContext,
  input: ApplierWorldInput,
): Promise<ApplierWorld> {
  const { source, target, body = {}, targetBody = body } = input
  const indices = Array.from({ length: input.indices ?? 1 }, () => uniqueName('sync'))
  const clusters: Cluster[] = []
  const connect = async (side: 'source' | 'target', url: string): Promise<Cluster> => {
    clusters.push(await connectCluster(side, { url: [url] }))
    return clusters.at(-1)!
  }
  for (const index of indices) await send(source, 'PUT', `/${index}`, body)
  const sourceCluster = await connect('source', input.sourceUrl ?? source.url)
  const select = { include: indices, exclude: [] }
  const view = await SourceView.open({ source: sourceCluster, select, withStreams: false })
  const targets = new Map<string, TargetIndex>()
  for (const index of indices) {
    targets.set(index, await makeTarget(target, view, { index, body: targetBody }, input.about))
  }
  const state = await newState()
  const kept = await KeptDeletes.open(state)
  const stop = new AbortController()
  const made = {
    letters: [] as RefusedDocument[],
    waits: [] as string[],
    accounted: new Map<string, number[]>(),
  }
  const applier = new Applier({
    ...{ source: sourceCluster, state, view, kept, signal: stop.signal },
    target: await connect('target', input.targetUrl ?? target.url),
    places: { placesOf: async (name) => [{ target: targets.get(name)! }] },
    accounts: {
      acknowledged: ({ name }, { seqNos }) =>
        made.accounted.set(name, [...(made.accounted.get(name) ?? []), ...seqNos]),
    },
    budget: new ReadBudget(10_000),
    options: { ...options, ...input.options },
    onWait: (key, what) => what !== undefined && made.waits.push(`${key}: ${what}`),
    onDeadLetter: async (refused) => void made.letters.push(refused),
    ...input.input,
  })
  t.after(async () => {
    stop.abort()
    applier.close()
    for (const cluster of clusters) await cluster.close()
    for (const index of indices) {
      await send(source, 'DELETE', `/${index}`).catch(() => {})
      await send(target, 'DELETE', `/${index}`).catch(() => {})
    }
  })
  const apply = async (...changes: readonly Change[]): Promise<boolean> => {
    let told: boolean | undefined
    await applier.add(changes, (taken) => (told = taken))
    await applier.flush()
    assert.notEqual(told, undefined, 'settled is told when all is flushed')
    return told!
  }
  const index = indices[0]!
  return { source, target, index, indices, targets, view, state, kept, applier, ...made, apply }
}

async function makeTarget(
  target: TestEngine,
  view: SourceView,
  { index, body }: { index: string; body: JsonObject },
  about: Partial<TargetIndex> = {},
): Promise<TargetIndex> {
  const { uuid } = view.index(index)!
  const fenceAlias = `osmigrate-${uuid}-0`
  await send(target, 'PUT', `/${index}`, { ...body, aliases: { [fenceAlias]: {} } })
  const settings = await send(target, 'GET', `/${index}/_settings`)
  const found = settings as { [name: string]: { settings: { index: { uuid: string } } } }
  const targetUuid = found[index]!.settings.index.uuid
  return {
    ...{ index, targetIndex: index, sourceUuid: uuid, targetUuid },
    ...{ epochBase: 0, fenceAlias, sourceShards: 1, targetShards: 1, mayHoldRouted: true },
    ...{ sourceForm: 'full', sourceDocuments: null, withheld: {} },
    ...about,
  }
}

/** What a write of the source comes to. */
export interface Answered extends JsonObject {
  _id: string
  _version: number
}

/** Writes a document on the source; gives the change that the exchange comes to. */
export async function putDocument(
  { source, index }: Pick<ApplierWorld, 'source' | 'index'>,
  id: string,
  document: JsonObject,
  { routing, type = '_doc', query = '' }: { routing?: string; type?: string; query?: string } = {},
): Promise<Change> {
  const params = [...(routing === undefined ? [] : [`routing=${routing}`]), query].filter(Boolean)
  const path = `/${index}/${type}/${encodeURIComponent(id)}?${params.join('&')}`
  const answer = await send<Answered>(source, 'PUT', path, document)
  const change = { ...changeOf(index, answer, routing), what: 'write' as const }
  return { ...change, source: Buffer.from(JSON.stringify(document)) }
}

export async function deleteDocument(
  { source, index }: Pick<ApplierWorld, 'source' | 'index'>,
  id: string,
  { routing, type = '_doc', query = '' }: { routing?: string; type?: string; query?: string } = {},
): Promise<Change> {
  const params = [...(routing === undefined ? [] : [`routing=${routing}`]), query].filter(Boolean)
  const path = `/${index}/${type}/${encodeURIComponent(id)}?${params.join('&')}`
  const answer = await send<Answered>(source, 'DELETE', path)
  return { ...changeOf(index, answer, routing), what: 'delete' }
}

function changeOf(
  index: string,
  { _id: id, _seq_no: seqNo, _primary_term: primaryTerm, _version: version, _type: type }: Answered,
  routing: string | undefined,
): Omit<Change, 'what'> {
  return {
    ...{ index, id, version, routing: routing ?? null },
    ...(typeof seqNo === 'number' && { seqNo }),
    ...(typeof primaryTerm === 'number' && { primaryTerm }),
    ...(typeof type === 'string' && { type }),
  }
}

/** To be read from the source; routing null unless said otherwise. */
export function readOf(index: string, id: string, more: Partial<Change> = {}): Change {
  return { index, id, routing: null, what: 'read', ...more }
}

/** The documents of an index, by id and routing, with the text of `_source` and the version. */
export async function documentsOf(
  engine: TestEngine,
  index: string,
): Promise<Map<string, { source: string; version: number; seqNo: number | undefined }>> {
  await send(engine, 'POST', `/${index}/_refresh`)
  const answer = await send(engine, 'POST', `/${index}/_search`, {
    ...{ size: 10_000, version: true },
    ...numbersAsked(engine),
  })
  const { hits } = answer.hits as unknown as { hits: JsonObject[] }
  return new Map(
    hits.map(({ _id, _routing = null, _source, _version, _seq_no, fields = {} }) => {
      const more = fields as JsonObject
      const key = JSON.stringify([_id, more._routing ?? _routing])
      const told = Array.isArray(more._seq_no) ? more._seq_no[0] : _seq_no
      const seqNo = typeof told === 'number' ? told : undefined
      return [key, { source: JSON.stringify(_source), version: Number(_version), seqNo }]
    }),
  )
}

function numbersAsked({ kind, version }: TestEngine): JsonObject {
  if (kind === 'opensearch' || !/^[1-6]\./.test(version)) return { seq_no_primary_term: true }
  if (version.startsWith('6.')) return { docvalue_fields: ['_seq_no'] }
  return version.startsWith('1.') ? { fields: ['_routing'], _source: true } : {}
}

/** Both sides hold the same documents, and the target's versions are the source's numbers. */
export async function assertSame(world: ApplierWorld, index = world.index): Promise<number> {
  const source = await documentsOf(world.source, index)
  const target = await documentsOf(world.target, index)
  const expected = [...source].map(([key, { source, seqNo, version }]) => {
    return [key, source, seqNo === undefined ? version : seqNo + 1] as const
  })
  const found = [...target].map(([key, { source, version }]) => [key, source, version] as const)
  assert.deepEqual(found.toSorted(byKey), expected.toSorted(byKey))
  return found.length
}

function byKey(
  one: readonly [string, ...unknown[]],
  other: readonly [string, ...unknown[]],
): number {
  return one[0] < other[0] ? -1 : 1
}
