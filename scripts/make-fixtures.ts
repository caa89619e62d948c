/**
 * Makes test/fixtures from real engines: `node scripts/make-fixtures.ts [engine-version …]`.
 *
 *     test/fixtures/<engine>-<version>/<set>/repository/        a snapshot repository
 *     test/fixtures/<engine>-<version>/<set>/<snapshot>.ndjson  what the live engine held at that moment
 *
 * Fixtures made again differ in UUIDs and times, and in nothing that a reader gives.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { JsonObject } from '../src/base/json.ts'
import { startEngine, stopAllEngines, type Engine } from '../src/engines/engine.ts'
import { send, type EngineFacts } from '../test/support/engines.ts'
import { expectedLines } from './fixtures/expected.ts'
import {
  addBig,
  addColumns,
  addModes,
  addChildren,
  addNested,
  addOddIds,
  addOrphans,
  addRouted,
  addStored,
  addWithHistory,
  bulk,
  createIndex,
  seededRandom,
  type BulkItem,
  type Sample,
} from './fixtures/sample-data.ts'

const fixtures = path.join(import.meta.dirname, '..', 'test', 'fixtures')
const noSource: JsonObject = { _source: { enabled: false } }

const makers: Readonly<Record<string, () => Promise<void>>> = {
  'elasticsearch-7.10.2': makeElasticsearch7,
  'elasticsearch-6.8.23': makeElasticsearch6,
  'elasticsearch-7.17.28': () => makeNewer('elasticsearch', '7.17.28', 'elasticsearch-7.10.2'),
  'opensearch-1.3.20': () => makeNewer('opensearch', '1.3.20', 'elasticsearch-7.10.2'),
  'opensearch-2.19.4': () => makeNewer('opensearch', '2.19.4', 'elasticsearch-7.10.2'),
  'opensearch-3.6.0': () => makeNewer('opensearch', '3.6.0', 'opensearch-2.19.4'),
  'elasticsearch-8.19.0': () => makeNewer('elasticsearch', '8.19.0', 'elasticsearch-7.10.2'),
  'elasticsearch-9.2.0': () => makeNewer('elasticsearch', '9.2.0', 'elasticsearch-8.19.0'),
  'elasticsearch-6.2.4': () => makeOlder('6.2.4', 'docvalue_fields=_seq_no'),
  'elasticsearch-5.6.16': () => makeOlder('5.6.16'),
  'elasticsearch-1.7.5': () => makeOlder('1.7.5', 'fields=_source,_routing,_parent'),
  'elasticsearch-2.4.6': () => makeOlder('2.4.6', 'fields=_source,_routing,_parent'),
}

try {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(makers)
  for (const name of wanted) {
    const make = makers[name]
    if (make === undefined)
      throw new Error(`no fixture ${name}; there are ${Object.keys(makers).join(', ')}`)
    await rm(path.join(fixtures, name), { recursive: true, force: true })
    await make()
    console.log(`${name} made`)
  }
} finally {
  await stopAllEngines()
}

async function makeElasticsearch7(): Promise<void> {
  const engine = await startEngine({ kind: 'elasticsearch', version: '7.10.2' })
  const sample: Sample = { engine, random: seededRandom(7) }
  await addSampleIndices(sample)
  await createIndex(sample, 'loose', { settings: { compound_format: false } })
  await addWithHistory(sample, 'loose')
  await createIndex(sample, 'bigbest', { settings: { codec: 'best_compression' } })
  await addBig(sample, 'bigbest', 999_000)
  await createIndex(sample, 'softoff', { settings: { 'soft_deletes.enabled': false } })
  await addWithHistory(sample, 'softoff')
  await addMetadata7(engine)
  const all = { engine, set: 'compressed', types: false, sequenceNumbers: true }
  await makeRepository(engine, 'compressed', { compress: true })
  await takeSnapshot({ ...all, snapshot: 's1' })
  await changeAfterSnapshot(sample)
  await takeSnapshot({ ...all, snapshot: 's2', indices: ['best', 'loose'] })
  await keepRepository(engine, 'compressed')

  // Plain metadata, and files in parts.
  await makeRepository(engine, 'uncompressed', { compress: false, chunk_size: '3kb' })
  const indices = ['best', 'nested', 'plain']
  await takeSnapshot({ ...all, set: 'uncompressed', snapshot: 's1', indices })
  await keepRepository(engine, 'uncompressed')

  await createIndex(sample, 'filtered', { mapping: { _source: { excludes: ['host'] } } })
  await createIndex(sample, 'nosource', { mapping: noSource })
  for (const index of ['filtered', 'nosource']) {
    await bulk(sample, index, [
      [{ _id: '1' }, { n: 1, host: { name: 'a' } }],
      [{ _id: '2' }, { n: 2 }],
    ])
  }
  await makeRepository(engine, 'reduced', { compress: true })
  const reduced = { snapshot: 's1', indices: ['filtered', 'nosource'] }
  await takeSnapshot({ ...all, set: 'reduced', ...reduced })
  await keepRepository(engine, 'reduced')
  await engine.stop()
}

/** From 7.17 on: the sample, and an index of a version before, restored and then written to. */
async function makeNewer(kind: Engine['kind'], version: string, before: string): Promise<void> {
  const engine = await startEngine({ kind, version })
  const sample: Sample = { engine, random: seededRandom(8) }
  const major = parseInt(version)
  await addSampleIndices(sample, { bigBytes: 170_000 })
  await createIndex(sample, 'loose', { settings: { compound_format: false } })
  await addWithHistory(sample, 'loose')
  await createIndex(sample, 'bigbest', { settings: { codec: 'best_compression' } })
  await addBig(sample, 'bigbest', 999_000)
  await addColumns(sample, { skipList: kind === 'opensearch' && major >= 3 })
  if (kind === 'elasticsearch' && major >= 8) await addModes(sample)
  // No engine from 8 on makes indices without soft deletes; those that 7 made may go on without.
  const hasSoftoff = before === 'elasticsearch-7.10.2'
  await restoreFrom(sample, before, hasSoftoff ? ['loose', 'softoff'] : ['loose'])
  await addMetadata7(engine)
  const all = { engine, set: 'compressed', types: false, sequenceNumbers: true }
  await makeRepository(engine, 'compressed', { compress: true })
  await takeSnapshot({ ...all, snapshot: 's1', indices: ['*', '-.*'] })
  await changeAfterSnapshot(sample)
  await takeSnapshot({ ...all, snapshot: 's2', indices: ['best', 'loose'] })
  await keepRepository(engine, 'compressed')
  await engine.stop()
}

/** Indices of another fixture as `old-<name>`, with old and new documents updated and deleted. */
async function restoreFrom(
  sample: Sample,
  fixture: string,
  indices: readonly string[],
): Promise<void> {
  const { engine } = sample
  const from = path.join(fixtures, fixture, 'compressed', 'repository')
  await cp(from, path.join(engine.repositoryDir, 'before'), { recursive: true })
  await makeRepository(engine, 'before', { readonly: true })
  await send(engine, 'POST', '/_snapshot/before/s1/_restore?wait_for_completion=true', {
    indices: indices.join(','),
    include_global_state: false,
    rename_pattern: '(.+)',
    rename_replacement: 'old-$1',
    // Old segments must stay as they are.
    index_settings: {
      'index.merge.policy.segments_per_tier': 50,
      'index.merge.policy.deletes_pct_allowed': 50,
    },
  })
  for (const index of indices.map((name) => `old-${name}`)) {
    await bulk(sample, index, [
      ...[1, 2, 3, 4, 5, 6, 7].map((n): BulkItem => [{ _id: `new${n}` }, { n }]),
      [{ _id: 'd5' }, { n: 105 }],
      [{ _id: 'd6' }, null],
    ])
    await send(engine, 'POST', `/${index}/_flush?force=true`)
    await bulk(sample, index, [
      [{ _id: 'new1' }, { n: 101 }],
      [{ _id: 'new2' }, null],
    ])
  }
  await send(engine, 'DELETE', '/_snapshot/before')
}

async function addSampleIndices(
  sample: Sample,
  { best = true, bigBytes = 150_000 } = {},
): Promise<void> {
  await createIndex(sample, 'plain', { settings: { number_of_shards: 2 } })
  await addWithHistory(sample, 'plain')
  if (best) {
    await createIndex(sample, 'best', { settings: { codec: 'best_compression' } })
    await addWithHistory(sample, 'best')
  }
  await createIndex(sample, 'empty')
  await addNested(sample)
  await addRouted(sample)
  await addOddIds(sample)
  // A block that holds one document of more than twice its size is stored in slices:
  // above 2 × 60 KB (80 KB since Lucene 9) with LZ4, above 2 × 480 KB with DEFLATE, above 2 × 240 KB with Zstandard.
  await createIndex(sample, 'big')
  await addBig(sample, 'big', bigBytes)
}

/** Between two snapshots: new documents, deletes, and a merge that keeps soft-deleted documents. */
async function changeAfterSnapshot(sample: Sample): Promise<void> {
  const { engine } = sample
  await bulk(sample, 'best', [
    [{ _id: 'late1' }, { n: 1001 }],
    [{ _id: 'late2' }, { n: 1002 }],
    [{ _id: 'd0' }, null],
    [{ _id: 'd1' }, { n: -1 }],
  ])
  await bulk(sample, 'loose', [[{ _id: 'd2' }, null]])
  await send(engine, 'POST', '/loose/_forcemerge?max_num_segments=1')
}

async function addMetadata7(engine: Engine): Promise<void> {
  const keyword = { mappings: { properties: { k: { type: 'keyword' } } } }
  await send(engine, 'PUT', '/_template/legacy1', {
    index_patterns: ['leg-*'],
    settings: { number_of_shards: 2 },
    ...keyword,
  })
  await send(engine, 'PUT', '/_component_template/comp1', {
    template: { settings: { number_of_shards: 1 } },
  })
  await send(engine, 'PUT', '/_index_template/it1', {
    index_patterns: ['it-*'],
    composed_of: ['comp1'],
    priority: 5,
    template: keyword,
  })
  await addAliases(engine)
}

async function addAliases(engine: Engine): Promise<void> {
  await send(engine, 'POST', '/_aliases', {
    actions: [
      { add: { index: 'plain', alias: 'pl', filter: { term: { 'host.name': 'h1' } } } },
      { add: { index: 'best', alias: 'w', is_write_index: true } },
      { add: { index: 'routed', alias: 'ra', routing: 'k1' } },
    ],
  })
}

/** 6.8, with an index that 5.6 made: its old documents have no sequence number, its new ones have. */
async function makeElasticsearch6(): Promise<void> {
  const old = await makeOldIndex()
  const engine = await startEngine({ kind: 'elasticsearch', version: '6.8.23' })
  await cp(old, path.join(engine.repositoryDir, 'old'), { recursive: true })
  await rm(old, { recursive: true })
  await makeRepository(engine, 'old', { readonly: true })
  await send(engine, 'POST', '/_snapshot/old/s1/_restore?wait_for_completion=true', {
    include_global_state: false,
  })
  const sample: Sample = { engine, random: seededRandom(6), type: 'event' }
  await bulk(sample, 'old', [
    [{ _id: 'new1' }, { n: 101 }],
    [{ _id: 'o3' }, { n: 103 }],
    [{ _id: 'o4' }, null],
  ])
  await addSampleIndices(sample)
  await createIndex(sample, 'softon', { settings: { 'soft_deletes.enabled': true } })
  await addWithHistory(sample, 'softon')
  await send(engine, 'PUT', '/_template/legacy1', {
    index_patterns: ['leg-*'],
    settings: { number_of_shards: 2 },
    mappings: { event: { properties: { k: { type: 'keyword' } } } },
  })
  await addAliases(engine)
  await makeRepository(engine, 'compressed', { compress: true })
  await takeSnapshot({
    engine,
    set: 'compressed',
    snapshot: 's1',
    types: true,
    sequenceNumbers: true,
  })
  await keepRepository(engine, 'compressed')
  await engine.stop()
}

/** Before 6.8: `ask` says how the engine is asked for what it does not tell of itself. */
async function makeOlder(version: string, ask = ''): Promise<void> {
  const major = Number.parseInt(version, 10)
  const engine = await startEngine({ kind: 'elasticsearch', version })
  const sample: Sample = {
    engine,
    random: seededRandom(major),
    type: 'event',
    ...(major < 5 && { keyword: { type: 'string', index: 'not_analyzed' } }),
  }
  // Blocks were of 16 KB.
  await addSampleIndices(sample, { best: major >= 2, bigBytes: 45_000 })
  await addStored(sample, major)
  if (major < 6) await addChildren(sample)
  if (major < 2) await addOrphans(sample)
  await send(engine, 'PUT', '/_template/legacy1', {
    ...(major < 6 ? { template: 'leg-*' } : { index_patterns: ['leg-*'] }),
    settings: { number_of_shards: 2 },
  })
  await send(engine, 'POST', '/_aliases', {
    actions: [
      { add: { index: 'plain', alias: 'pl', filter: { term: { 'host.name': 'h1' } } } },
      { add: { index: 'routed', alias: 'ra', routing: 'k1' } },
    ],
  })
  const all = { engine, types: true, sequenceNumbers: false, ask }
  await makeRepository(engine, 'compressed', { compress: true })
  await takeSnapshot({ ...all, set: 'compressed', snapshot: 's1' })
  await keepRepository(engine, 'compressed')
  await makeRepository(engine, 'uncompressed', { compress: false, chunk_size: '3kb' })
  await takeSnapshot({ ...all, set: 'uncompressed', snapshot: 's1', indices: ['nested'] })
  await keepRepository(engine, 'uncompressed')
  await engine.stop()
}

async function makeOldIndex(): Promise<string> {
  const engine = await startEngine({ kind: 'elasticsearch', version: '5.6.16' })
  const sample: Sample = { engine, random: seededRandom(5), type: 'event' }
  await createIndex(sample, 'old')
  const items = Array.from({ length: 12 }, (_, n) => [{ _id: `o${n}` }, { n }] as const)
  await bulk(sample, 'old', items)
  await bulk(sample, 'old', [
    [{ _id: 'o1' }, { n: 11 }],
    [{ _id: 'o2' }, null],
  ])
  await makeRepository(engine, 'old', { compress: true })
  await send(engine, 'PUT', '/_snapshot/old/s1?wait_for_completion=true', {})
  const kept = path.join(fixtures, '.old')
  await cp(path.join(engine.repositoryDir, 'old'), kept, { recursive: true })
  await engine.stop()
  return kept
}

async function makeRepository(
  engine: EngineFacts,
  name: string,
  settings: JsonObject,
): Promise<void> {
  await send(engine, 'PUT', `/_snapshot/${name}`, {
    type: 'fs',
    settings: { location: name, ...settings },
  })
}

async function takeSnapshot(options: {
  engine: Engine
  set: string
  snapshot: string
  indices?: readonly string[]
  types: boolean
  sequenceNumbers: boolean
  ask?: string
}): Promise<void> {
  const { engine, set, snapshot } = options
  await send(engine, 'POST', '/_flush?force=true')
  const url = `/_snapshot/${set}/${snapshot}?wait_for_completion=true`
  const taken = await send<{ snapshot: { state: string; indices: string[] } }>(engine, 'PUT', url, {
    include_global_state: true,
    ...(options.indices === undefined ? {} : { indices: options.indices.join(',') }),
  })
  if (taken.snapshot.state !== 'SUCCESS')
    throw new Error(`${set}/${snapshot} is ${taken.snapshot.state}`)
  const { indices } = taken.snapshot
  const folder = path.join(folderOf(engine), set)
  await mkdir(folder, { recursive: true })
  const lines = await expectedLines(engine, { ...options, indices })
  await writeFile(path.join(folder, `${snapshot}.ndjson`), lines)
}

async function keepRepository(engine: Engine, set: string): Promise<void> {
  const target = path.join(folderOf(engine), set, 'repository')
  await cp(path.join(engine.repositoryDir, set), target, { recursive: true })
}

function folderOf(engine: Engine): string {
  return path.join(fixtures, `${engine.kind}-${engine.version}`)
}
