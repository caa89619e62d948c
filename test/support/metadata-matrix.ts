/**
 * One field of the matrix of versions: the metadata of a source, all kinds of it, is carried over to a target by the
 * program as a person runs it, and looked at from every side. What is not as it should be is a surprise, by name.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { isJsonObject, type Json, type JsonObject } from '../../src/base/json.ts'
import type { AppliedObject, MetadataResult } from '../../src/metadata/apply.ts'
import type { MetadataComparison } from '../../src/metadata/compare-metadata.ts'
import { differences, differingPaths } from '../../src/metadata/json-difference.ts'
import { objectOf } from '../../src/metadata/json-objects.ts'
import {
  plannedObjects,
  type MetadataPlan,
  type PlannedIndex,
  type PlannedObject,
} from '../../src/metadata/plan.ts'
import { flattenSettings } from '../../src/metadata/settings.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import type { Verdict } from '../../src/state/records.ts'
import { cliFolder, startOsmigrate } from './cli.ts'
import { send, uniqueName, type EngineFacts } from './engines.ts'
import type { MadeKinds } from './kinds.ts'
import { allMetadata, wipe } from './whole-cluster.ts'

export interface MatrixSource {
  readonly engine: EngineFacts
  readonly made: MadeKinds
  readonly repository: string
  readonly snapshot: Snapshot
}

/** What came of it, as counts of objects; `surprises` is empty where all is as announced. */
export interface MatrixRow {
  readonly source: string
  readonly target: string
  readonly objects: number
  readonly equal: number
  readonly announced: number
  /** Left behind, each by name in the plan. */
  readonly refused: number
  readonly notCarried: number
  readonly documents: number
  readonly searched: number
  /** Indices behind data streams that were carried over a second time, as data streams. */
  readonly inStreams: number
  readonly seconds: number
  readonly refusals: readonly string[]
  readonly surprises: readonly string[]
}

export type Planned = MetadataPlan & { readonly complete: boolean }
export type Surprise = (what: string) => void

/** What is carried over, and how, where it is not everything in the usual way. */
export interface MatrixChoice {
  readonly dataStreams?: 'alias' | 'stream'
  /** Patterns of indices. */
  readonly include?: readonly string[]
}

/** Carries everything over, looks at it, and leaves the target as empty as it was. */
export async function tryPair(
  source: MatrixSource,
  target: EngineFacts,
  choice: MatrixChoice = {},
): Promise<MatrixRow> {
  const begun = performance.now()
  const surprises: string[] = []
  const surprise: Surprise = (what) => {
    surprises.push(what)
    if (isTraced) console.log(`surprise: ${what}`)
  }
  // A step that fails keeps no other from being looked at.
  const step = async <T>(otherwise: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      surprise(String(error).slice(0, 1000))
      return otherwise
    }
  }
  const run = program({ source, target, choice }, surprise)
  const live = await run<Planned>([3, 0], 'metadata', 'evaluate', '--from', 'source')
  const plan = await run<Planned>([3, 0], 'metadata', 'evaluate', '--from', 'snapshot')
  const { snapshot } = source
  comparePlans(inSnapshot(plan, snapshot), inSnapshot(live, snapshot), surprise)
  await findUnannounced(source.snapshot, plan, surprise)
  const made = await run<MetadataResult>(
    plan.complete ? [0] : [3],
    ...['metadata', 'migrate', '--keep-going', '--from', 'snapshot'],
  )
  expectApplied(plan, made.objects, 'created', surprise)
  const indices = plan.indices.filter((one) => one.action === 'create' && !needsNative(one))
  // Without any `_source` each document is a dead letter.
  const filled = indices.filter(({ sourceForm }) => /^(full|filtered)$/.test(sourceForm))
  const verdicts = await step([], () => carryDocuments(run, filled, surprise))
  const objects = await step([], () => compare(run, plan, surprise))
  const searched = await step(0, () => searchAll(source, target, filled, surprise))
  await step(undefined, () => applyAgain(run, plan, target, surprise))
  await step(undefined, () => useTemplates(plan, target, surprise))
  await step(undefined, () => writeAfterwards(source, target, { run, plan, indices }, surprise))
  const neighbours = await step(0, () => searchVectors(source, target, indices, surprise))
  await step(undefined, () => wipe(target))
  const streams = { source, target, run: program({ source, target, choice: asStream }, surprise) }
  const inStreams = await step(0, () => carryStreams(streams, surprise))
  await step(undefined, () => wipe(target))
  const count = (verdict: string): number => objects.filter((one) => one.verdict === verdict).length
  const refused = plannedObjects(plan).filter(({ action }) => action === 'refused')
  return {
    source: nameOf(source.engine),
    target: nameOf(target),
    objects: plannedObjects(plan).length,
    equal: count('equal'),
    announced: count('announced'),
    refused: refused.length,
    notCarried: plan.notCarried.length,
    documents: verdicts.length,
    searched: searched + neighbours,
    inStreams,
    seconds: Math.round((performance.now() - begun) / 1000),
    refusals: refused.map(({ name, reason }) => `${name}: ${reason}`),
    surprises,
  }
}

const asStream: MatrixChoice = { dataStreams: 'stream', include: ['stream'] }

/** The engine faiss has a library of its own, which no archive here holds: the first document would end the node. */
function needsNative({ body }: PlannedIndex): boolean {
  return JSON.stringify(body).includes('"faiss"')
}

const isTraced = process.env.MATRIX_TRACE !== undefined

export function nameOf({ kind, version }: EngineFacts): string {
  return `${kind} ${version}`
}

export type Run = <T>(codes: readonly number[], ...args: string[]) => Promise<T>

/** Some 200 objects one after the other, where others use the machine, too. */
const commandTimeoutMs = 15 * 60_000

/** Runs the program with a migration.yaml for the two clusters; another exit code is a surprise. */
function program(
  pair: {
    readonly source: MatrixSource
    readonly target: EngineFacts
    readonly choice: MatrixChoice
  },
  surprise: Surprise,
): Run {
  const { engine, repository, snapshot } = pair.source
  const { dataStreams = 'alias', include } = pair.choice
  const folder = cliFolder()
  const place = { folder, timeoutMs: commandTimeoutMs }
  const yaml = [
    'version: 1',
    `name: ${uniqueName('matrix')}`,
    `source: { url: '${engine.url}' }`,
    `target: { url: '${pair.target.url}' }`,
    `snapshot: { repository: '${repository}', name: '${snapshot.name}', allowPartialSource: true }`,
    `metadata: { dataStreams: ${dataStreams}, flattened: object }`,
    ...(include ? [`select: { include: ${JSON.stringify(include)} }`] : []),
  ]
  writeFileSync(path.join(folder, 'migration.yaml'), `${yaml.join('\n')}\n`)
  return async (codes, ...args) => {
    const begun = performance.now()
    const { code, stdout, stderr } = await startOsmigrate(place, ...args, '--json').ended
    const said = `${args.slice(0, 4).join(' ')} ended with ${code}: ${stderr.slice(0, 1000)}`
    if (!codes.includes(code ?? -1)) surprise(`${said} ${stdout.slice(-500)}`)
    if (isTraced) {
      console.log(`${Math.round(performance.now() - begun)} ms: ${args.slice(0, 4).join(' ')}`)
    }
    try {
      return JSON.parse(stdout) as never
    } catch {
      throw new Error(`${said} ${stdout.slice(0, 500)}`)
    }
  }
}

/** That documents of two types may have one id is known of a snapshot, where they are looked at. */
function linesOf(changes: PlannedObject['changes']): string[] {
  const known = changes.filter(({ path, what }) => path !== 'documents' || what !== 'noted')
  return known.map(({ path, what, loss }) => `${path} ${what} ${loss}`).sort()
}

/** Before 7.2 a snapshot cannot hold indices that are closed; and none holds hidden ones unasked. */
function inSnapshot(plan: Planned, { indices }: Snapshot): Planned {
  const kept = plan.indices.filter(
    ({ name }) => indices.includes(name) && !name.startsWith('types-same-id-'),
  )
  return { ...plan, indices: kept }
}

/** The plan of the live cluster is that of its snapshot. */
function comparePlans(snapshot: Planned, live: Planned, surprise: Surprise): void {
  const formOfPlan = (plan: MetadataPlan): JsonObject => {
    const objects = plannedObjects(plan).map(({ kind, name, action, changes, body }) => [
      `${kind} ${name}`,
      { action, body, changes: linesOf(changes) },
    ])
    return {
      objects: Object.fromEntries(objects) as JsonObject,
      notCarried: plan.notCarried.map(({ kind, name }) => `${kind} ${name}`).sort(),
    }
  }
  for (const { path, wanted, found } of differences(formOfPlan(snapshot), formOfPlan(live), 30)) {
    const [there, here] = [wanted, found].map((one) => JSON.stringify(one)?.slice(0, 300))
    surprise(`the plan of the snapshot has at ${path} ${there}, that of the live cluster ${here}`)
  }
}

/** Whatever the plan would send otherwise than the source has it stands among the changes. */
export async function findUnannounced(
  snapshot: Snapshot,
  plan: Pick<MetadataPlan, 'indices'>,
  surprise: Surprise,
): Promise<void> {
  for (const { name, action, body, changes } of plan.indices) {
    if (action !== 'create') continue
    const index = await snapshot.readIndexMetadata(name)
    const [mapping = {}, ...others] = Object.values(index.mappings)
    if (others.length > 0) continue // the rule that joins types names them, not each field
    const found = formOf(body)
    const { settings, aliases } = index
    const wanted = formOf({
      settings: { ...settings } as JsonObject,
      mappings: mapping,
      aliases: { ...aliases },
    })
    const said = changes.filter(({ what }) => what !== 'noted')
    for (const place of differingPaths(wanted, found, 100)) {
      const isSaid = said.some(
        ({ path, to }) => place.startsWith(path) || path.startsWith(place) || renames(to, place),
      )
      if (!isSaid) surprise(`${name}: nothing is said of ${place}`)
    }
  }
}

function formOf({ settings, mappings, aliases }: JsonObject): JsonObject {
  const flat = flattenSettings(isJsonObject(settings) ? settings : {})
  // Of the index itself, and what the plan has from elsewhere.
  for (const name of Object.keys(flat)) {
    if (
      /^index\.(uuid|creation_date.*|provided_name|version\..*|number_of_routing_shards|number_of_shards|routing_partition_size)$/.test(
        name,
      )
    ) {
      delete flat[name]
    }
  }
  return { settings: flat, mappings: mappings ?? {}, aliases: aliases ?? {} }
}

function renames(to: Json | undefined, place: string): boolean {
  return isJsonObject(to) && Object.keys(to).some((key) => place.endsWith(key))
}

/** Data streams stay data streams, with their documents, and clients go on writing and rolling over. */
async function carryStreams(
  { source, target, run }: { source: MatrixSource; target: EngineFacts; run: Run },
  surprise: Surprise,
): Promise<number> {
  if (!source.made.objects.includes('data-stream')) return 0
  const plan = await run<Planned>([3, 0], 'metadata', 'evaluate', '--from', 'snapshot')
  for (const { name, stream } of plan.indices) {
    if (stream === undefined) surprise(`${name} does not stay behind its data stream`)
  }
  const made = await run<MetadataResult>(
    plan.complete ? [0] : [3],
    ...['metadata', 'migrate', '--keep-going', '--from', 'snapshot'],
  )
  expectApplied(plan, made.objects, 'created', surprise)
  await run([0, 3], 'backfill', 'start')
  const { verdicts } = await run<{ verdicts: Verdict[] }>([0, 3], 'compare', 'documents')
  const equal = verdicts.filter(({ verdict }) => verdict === 'equal')
  if (equal.length !== plan.indices.length || equal.length === 0) {
    surprise(`of ${plan.indices.length} indices behind data streams ${equal.length} are equal`)
  }
  await compare(run, plan, surprise)
  await applyAgain(run, plan, target, surprise)
  const before = await hits(target, 'stream', { query: { match_all: {} } })
  const later = { '@timestamp': '2024-01-03T00:00:00Z', n: 3 }
  await send(target, 'PUT', '/stream/_create/written-later?refresh=true', later)
  await send(target, 'POST', '/stream/_rollover')
  const found = await hits(target, 'stream', { query: { match_all: {} } })
  if (found !== before + 1) surprise(`the data stream has ${found} documents, not ${before + 1}`)
  await run([0, 3], 'close', '--set-withheld')
  return equal.length
}

/** What was to be made is made, and what was refused is refused for a reason that the plan gave. */
function expectApplied(
  plan: MetadataPlan,
  objects: readonly AppliedObject[],
  wanted: AppliedObject['outcome'],
  surprise: Surprise,
): void {
  const planned = new Map(plannedObjects(plan).map((one) => [`${one.kind} ${one.name}`, one]))
  for (const { kind, name, outcome, reason = '' } of objects) {
    const one = planned.get(`${kind} ${name}`)
    const expected = one?.action === 'refused' ? 'refused' : wanted
    if (outcome !== expected) surprise(`${kind} ${name} is ${outcome}, not ${expected}: ${reason}`)
  }
}

async function carryDocuments(
  run: Run,
  indices: readonly PlannedIndex[],
  surprise: Surprise,
): Promise<readonly Verdict[]> {
  const selected = indices.flatMap(({ name }) => ['--index', name])
  const { indices: sent } = await run<{ indices: { index: string; failed: number }[] }>(
    [0, 3],
    ...['backfill', 'start', ...selected],
  )
  const lossless = new Set(indices.filter(losesNothing).map(({ name }) => name))
  for (const { index, failed } of sent) {
    if (failed > 0 && lossless.has(index)) surprise(`${failed} documents of ${index} are refused`)
  }
  const compared = ['compare', 'documents', ...selected]
  const { verdicts } = await run<{ verdicts: Verdict[] }>([0, 3], ...compared)
  for (const { index, verdict, note } of verdicts) {
    if (verdict === 'equal' || !lossless.has(index)) continue
    surprise(`the documents of ${index} are ${verdict}: ${note}`)
  }
  return verdicts
}

/** Whether all that its documents hold and find is kept; what the plan says is lost may be. */
function losesNothing(index: PlannedIndex): boolean {
  return index.sourceForm === 'full' && isMadeWhole(index)
}

/** Whether it takes and finds all that clients send from now on, whatever the source has kept of older documents. */
function isMadeWhole({ changes }: PlannedIndex): boolean {
  return !changes.some(({ path, loss }) => loss && path !== 'mappings._source')
}

async function compare(
  run: Run,
  plan: MetadataPlan,
  surprise: Surprise,
): Promise<MetadataComparison['objects']> {
  const { objects } = await run<MetadataComparison>([0, 3], 'compare', 'metadata')
  const refused = new Set(
    plannedObjects(plan)
      .filter(({ action }) => action === 'refused')
      .map(({ kind, name }) => `${kind} ${name}`),
  )
  for (const { kind, name, verdict, differences } of objects) {
    if (verdict === 'different') {
      const places = differences.map((one) => JSON.stringify(one)).join(' ')
      surprise(`${kind} ${name} differs on the target: ${places.slice(0, 400)}`)
    }
    if (verdict === 'missing' && !refused.has(`${kind} ${name}`)) {
      surprise(`${kind} ${name} is missing on the target`)
    }
  }
  return objects
}

/** Each search that finds something on the source finds as much on the target. */
async function searchAll(
  source: MatrixSource,
  target: EngineFacts,
  indices: readonly PlannedIndex[],
  surprise: Surprise,
): Promise<number> {
  let searched = 0
  const lossless = new Set(indices.filter(losesNothing).map(({ name }) => name))
  await send(target, 'POST', '/_refresh')
  const there = new Map(indices.map(({ name, targetIndex }) => [name, targetIndex]))
  for (const kind of source.made.indices) {
    const targetIndex = there.get(kind.name)
    if (targetIndex === undefined || kind.name === 'closed') continue
    const names = [
      [kind.name, targetIndex] as const,
      ...Object.keys(kind.aliases ?? {}).map((alias) => [alias, alias] as const),
    ]
    for (const [onSource, onTarget] of names) {
      for (const query of [{ match_all: {} }, ...(kind.query ? [kind.query] : [])]) {
        const body = { query }
        const wanted = await hits(source.engine, onSource, body).catch(() => 0)
        const found = await hits(target, onTarget, body).catch(String)
        if (wanted > 0) searched++
        if (wanted === found || wanted === 0) continue
        if (!lossless.has(kind.name)) continue
        surprise(`${onTarget}: ${JSON.stringify(query)} finds ${found}, not ${wanted}`)
      }
    }
  }
  return searched
}

/** Vectors that were carried over or written since find themselves: by the graph, or where there is none by the script. */
async function searchVectors(
  { made }: MatrixSource,
  target: EngineFacts,
  indices: readonly PlannedIndex[],
  surprise: Surprise,
): Promise<number> {
  let searched = 0
  for (const { name, targetIndex, body } of indices.filter(isMadeWhole)) {
    if (!JSON.stringify(body).includes('"knn_vector"')) continue
    const vector = made.indices.find((kind) => kind.name === name)?.documents?.[0]?.source.f ?? null
    const isGraph = flattenSettings(objectOf(body.settings))['index.knn'] === 'true'
    const query = isGraph ? { knn: { f: { vector, k: 1 } } } : exactly(vector)
    const found = await hits(target, targetIndex, { query }).catch(String)
    searched++
    if (found === 0 || typeof found === 'string') surprise(`${name}: its vector finds ${found}`)
  }
  return searched
}

function exactly(vector: Json): JsonObject {
  const params = { field: 'f', query_value: vector, space_type: 'cosinesimil' }
  const script = { lang: 'knn', source: 'knn_score', params }
  return { script_score: { query: { match_all: {} }, script } }
}

async function hits(engine: EngineFacts, index: string, body: JsonObject): Promise<number> {
  const answer = await send<{ count: number }>(engine, 'POST', `/${index}/_count`, body)
  return answer.count
}

/** Applying once more changes nothing. */
async function applyAgain(
  run: Run,
  plan: Planned,
  target: EngineFacts,
  surprise: Surprise,
): Promise<void> {
  const before = await allMetadata(target)
  const codes = plan.complete ? [0] : [3]
  const again = await run<MetadataResult>(codes, 'metadata', 'migrate', '--keep-going')
  expectApplied(plan, again.objects, 'unchanged', surprise)
  for (const place of differingPaths(before, await allMetadata(target), 20)) {
    surprise(`applying twice has changed ${place}`)
  }
}

/** An index that a template is for can be made. */
async function useTemplates(
  plan: MetadataPlan,
  target: EngineFacts,
  surprise: Surprise,
): Promise<void> {
  for (const { name, action } of [...plan.legacyTemplates, ...plan.indexTemplates]) {
    if (action !== 'create' || name === 'stream-template') continue
    const index = `${name}-used`
    try {
      await send(target, 'PUT', `/${index}?wait_for_active_shards=0`)
      await send(target, 'DELETE', `/${index}`)
    } catch (error) {
      surprise(`the template ${name} cannot be used: ${String(error)}`)
    }
  }
}

/** After `close` clients write to the indices, and find what they wrote. */
async function writeAfterwards(
  { made }: MatrixSource,
  target: EngineFacts,
  { run, plan, indices }: { run: Run; plan: MetadataPlan; indices: readonly PlannedIndex[] },
  surprise: Surprise,
): Promise<void> {
  const kinds = new Map(made.indices.map((kind) => [kind.name, kind]))
  const lines = indices.filter(isMadeWhole).flatMap(({ name, targetIndex }) => {
    const { types, documents } = kinds.get(name) ?? { types: {} }
    if (types !== undefined) return []
    const { source, routing } = documents?.[0] ?? { source: { n: 1 } }
    const action = { _index: targetIndex, _id: 'written-later', ...(routing && { routing }) }
    return [JSON.stringify({ index: action }), JSON.stringify(source)]
  })
  if (lines.length === 0) surprise('no index is there that a client could write to')
  const { items } = await send<{ items: { index: JsonObject }[] }>(
    target,
    'POST',
    '/_bulk?refresh=true&filter_path=items',
    `${lines.join('\n')}\n`,
  )
  for (const { index } of items) {
    const said = JSON.stringify(index.error ?? '').slice(0, 300)
    if (index.status !== 201) surprise(`${index._index as string} takes no document: ${said}`)
  }
  const written = { query: { ids: { values: ['written-later'] } } }
  const found = await hits(target, '_all', written)
  if (found !== items.length) surprise(`of ${items.length} written documents ${found} are found`)
  await run([0, 3], 'close', '--set-withheld')
  const comparison = await run<MetadataComparison>([0, 3], 'compare', 'metadata')
  const planned = new Set(plannedObjects(plan).map(({ kind, name }) => `${kind} ${name}`))
  for (const { kind, name, verdict, differences } of comparison.objects) {
    if (verdict !== 'different' || !planned.has(`${kind} ${name}`)) continue
    const places = differences.map((one) => JSON.stringify(one)).join(' ')
    // Documents have come that bring fields of their own.
    if (differences.every(({ path }) => path.startsWith('mappings.'))) continue
    surprise(`${kind} ${name} differs after close: ${places.slice(0, 400)}`)
  }
}
