import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import {
  discardDeadLetters,
  groupDeadLetters,
  retryDeadLetters,
  showDeadLetter,
  type DeadLetterFilter,
} from '../../src/backfill/dead-letters.ts'
import type { BackfillProgress } from '../../src/backfill/progress.ts'
import { backfillStatus, requestStop } from '../../src/backfill/status.ts'
import { MigrationError } from '../../src/base/errors.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { shardIncarnationKind, targetIndexKind } from '../../src/state/records.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import {
  assertEqual,
  backfill,
  makeReady,
  makeSnapshot,
  withState,
  type ReadyMigration,
} from '../support/backfill.ts'
import { startBulkProxy, type BulkProxy } from '../support/bulk-proxy.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems, type Item } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
const target = skip === false ? await connect('target', targetEngine) : undefined!

/** All indices of this file, in one snapshot. */
const names = {
  plain: uniqueName('plain'),
  routed: uniqueName('routed'),
  nested: uniqueName('nested'),
  empty: uniqueName('empty'),
  small: uniqueName('small'),
  right: uniqueName('right'),
  sharded: uniqueName('sharded'),
  strict: uniqueName('strict'),
  wrong: uniqueName('wrong'),
  poison: uniqueName('poison'),
}
const poisonId = 'x'.repeat(600)
const { repository, snapshot } = await makeWorld()

async function makeWorld(): Promise<Pick<ReadyMigration, 'repository' | 'snapshot'>> {
  const make = (name: string, settings?: JsonObject, mappings?: JsonObject): Promise<void> =>
    makeIndex(sourceEngine, name, { settings, mappings })
  const put = (name: string, items: readonly Item[]): Promise<void> =>
    putItems(sourceEngine, name, items)
  await make(names.plain, { number_of_shards: 2 })
  for (let part = 0; part < 3; part++) await put(names.plain, numbered(300, part * 300))
  await put(names.plain, numbered(100, 50))
  await put(
    names.plain,
    numbered(90, 200).map(({ id }) => ({ id, source: null })),
  )
  await make(names.routed, { number_of_shards: 3 })
  await put(
    names.routed,
    Array.from({ length: 90 }, (_, i) => {
      return { id: `r${i % 30}`, routing: `k${i % 7}`, source: { i } }
    }),
  )
  await make(names.nested, {}, { properties: { c: { type: 'nested' } } })
  await put(
    names.nested,
    Array.from({ length: 40 }, (_, i) => ({
      id: `n${i}`,
      source: { c: Array.from({ length: i % 4 }, (_, j) => ({ j })) },
    })),
  )
  await make(names.empty)
  await make(names.small)
  await put(names.small, numbered(10))
  await make(names.right)
  await put(names.right, numbered(600))
  await make(names.sharded, { number_of_shards: 2 })
  await put(names.sharded, [...numbered(20), { id: 'r', routing: 'k', source: { n: 1 } }])
  const strict = { dynamic: false, properties: { n: { type: 'integer' } } }
  const bad = (i: number): Item => ({ id: `bad${i}`, source: { x: `no number ${i}` } })
  await make(names.strict, {}, strict)
  await put(names.strict, [...numbered(20), bad(1), bad(2), bad(3)])
  await make(names.wrong, {}, strict)
  await put(names.wrong, numbered(300))
  await make(names.poison)
  await put(names.poison, numbered(100))
  await putPoison(names.poison)
  await put(names.poison, numbered(100, 100))
  return makeSnapshot(source, Object.values(names))
}

/** The API refuses an id of more than 512 bytes, but a pipeline may still make one: such indices exist. */
async function putPoison(index: string): Promise<void> {
  const pipeline = uniqueName('poison-id')
  await send(sourceEngine, 'PUT', `/_ingest/pipeline/${pipeline}`, {
    processors: [{ set: { field: '_id', value: poisonId } }],
  })
  await send(sourceEngine, 'POST', `/${index}/_doc?pipeline=${pipeline}`, { n: -1 })
  await send(sourceEngine, 'DELETE', `/_ingest/pipeline/${pipeline}`)
}

/** A migration of these indices, with target indices made anew. */
async function ready(...indices: string[]): Promise<ReadyMigration> {
  for (const index of indices) await target.request('DELETE', `/${index}`, { accept: [404] })
  return makeReady({ repository, snapshot, target, indices })
}

async function countOn(engine: typeof sourceEngine, index: string): Promise<number> {
  await send(engine, 'POST', `/${index}/_refresh`)
  return (await send<{ count: number }>(engine, 'GET', `/${index}/_count`)).count
}

const code =
  (expected: string, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof MigrationError, String(error))
    assert.equal(error.code, expected, error.message)
    assert.match(error.message, message)
    return true
  }

test('documents arrive with updates, deletes, nested ones and routing', { skip }, async () => {
  const { plain, routed, nested, empty } = names
  const migration = await ready(plain, routed, nested, empty)
  const events: BackfillProgress[] = []
  const summary = await backfill(migration, {
    options: { bulkBytesMax: '8kb' },
    onProgress: (progress) => events.push(progress),
  })
  await assertEqual(migration)
  for (const { index, written } of summary.indices) {
    assert.equal(written, await countOn(sourceEngine, index), index)
  }
  assert.equal(summary.deadLetters, 0)
  assert.deepEqual(events.at(-1)?.totals, summary.totals)
  assert.equal(summary.totals.snapshotBytes, events.at(-1)?.snapshotBytesTotal)
  await withState(migration.folder, async (state) => {
    const status = await backfillStatus(state, { isRunning: false })
    assert.equal(status.state, 'done')
    assert.deepEqual(status.totals, summary.totals)
  })
})

type ShardStats = { commit: { user_data: { [key: string]: string } } }
type Stats = { indices: { [index: string]: { shards: { [shard: string]: ShardStats[] } } } }

test('the incarnation of each shard is noted as the engine states it', { skip }, async () => {
  const index = names.plain
  const migration = await ready(index)
  await backfill(migration)
  const { indices } = await send<Stats>(sourceEngine, 'GET', `/${index}/_stats?level=shards`)
  await withState(migration.folder, async (state) => {
    for (const shard of ['0', '1']) {
      const noted = (await state.get(shardIncarnationKind, `${index}/${shard}`))!.value
      const { user_data: commit } = indices[index]!.shards[shard]![0]!.commit
      assert.equal(noted.historyUuid, commit.history_uuid)
      assert.equal(noted.maxSeqNo, Number(commit.max_seq_no))
      assert.equal(noted.localCheckpoint, Number(commit.local_checkpoint))
    }
  })
})

test('a second run of a finished backfill sends nothing', { skip }, async (t) => {
  const migration = await ready(names.small)
  await backfill(migration)
  const { proxy, through } = await proxied(t)
  const summary = await backfill(migration, { target: through })
  assert.equal(proxy.bulks, 0)
  assert.equal(summary.totals.written, 10)
})

test('two threads carry over the same documents', { skip }, async () => {
  const migration = await ready(names.plain, names.routed)
  const summary = await backfill(migration, {
    options: { threads: 2, bulkBytesMax: '8kb', itemBytesMax: '1kb' },
  })
  assert.ok(summary.indices[0]!.itemsTotal > 10)
  await assertEqual(migration)
})

test('an error of a thread is told as in the main one', { skip }, async () => {
  const migration = await ready(names.small)
  const reopen = { repository: '/nowhere/at/all', target: { url: [target.url] } }
  await assert.rejects(
    backfill(migration, { options: { threads: 2 }, reopen }),
    code('MA_REPOSITORY'),
  )
})

test('without metadata nothing is written, and the error says what to run', { skip }, async () => {
  const migration = await ready(names.small)
  await assert.rejects(
    backfill(migration, { indices: [names.small, names.empty] }),
    code('MA_TARGET_INDEX', new RegExp(`${names.empty}.*osmigrate metadata migrate`)),
  )
  assert.equal(await countOn(targetEngine, names.small), 0)
})

test('a target index deleted or made anew is refused by name', { skip }, async () => {
  const index = names.small
  const migration = await ready(index)
  await send(targetEngine, 'DELETE', `/${index}`)
  await assert.rejects(backfill(migration), code('MA_TARGET_INDEX', /no index named/))
  await send(targetEngine, 'PUT', `/${index}`, {})
  await assert.rejects(
    backfill(migration),
    code('MA_TARGET_INDEX', /not the one that this migration made/),
  )
})

test('answers 429 and 503 in between are waited out, and the wait is told', { skip }, async (t) => {
  const migration = await ready(names.right)
  const { proxy, through } = await proxied(t)
  proxy.fate = ({ number }) => {
    if (number === 3 || number === 4) return { status: 429 }
    return number === 9 ? { status: 503 } : 'relay'
  }
  const waits: string[] = []
  const summary = await backfill(migration, {
    target: through,
    options: { bulkBytesMax: '4kb' },
    onProgress: ({ waiting }) => waiting && waits.push(waiting.on),
  })
  assert.equal(summary.deadLetters, 0)
  await assertEqual(migration)
  assert.ok(waits.every((on) => /^(429|503)/.test(on)))
})

test('an id of 600 bytes becomes a dead letter, all beside it is written', { skip }, async () => {
  const migration = await ready(names.poison)
  const summary = await backfill(migration)
  assert.equal(summary.deadLetters, 1)
  assert.equal(summary.totals.written, 200)
  await withState(migration.folder, async (state) => {
    const [group] = await groupDeadLetters(state)
    assert.equal(group?.example.id, poisonId)
    assert.match(group.example.reason, /id.*too long/i)
    const shown = await showDeadLetter({ state, snapshot }, group.example.key)
    assert.equal(Buffer.from(shown.document!.source!).toString(), '{"n":-1}')
    const other = { ...snapshot, name: 'other', uuid: 'of-another-snapshot' }
    const ofOther = {
      state,
      snapshot: other,
      target,
      filter: {},
      waitMaxMs: 60_000,
      signal: AbortSignal.timeout(60_000),
    }
    await assert.rejects(retryDeadLetters(ofOther), { code: 'MA_SNAPSHOT' })
    await assert.rejects(showDeadLetter(ofOther, group.example.key), { code: 'MA_SNAPSHOT' })
  })
})

test('refused documents are listed by cause, retried and discarded', { skip }, async () => {
  const index = names.strict
  const migration = await ready(index)
  const mapping = (x: JsonObject): Promise<unknown> =>
    send(targetEngine, 'PUT', `/${index}/_mapping`, { properties: { x } })
  await mapping({ type: 'integer' })
  assert.equal((await backfill(migration)).deadLetters, 3)
  const signal = new AbortController().signal
  await withState(migration.folder, async (state) => {
    const retry = (filter: DeadLetterFilter): Promise<{ written: number; refused: number }> =>
      retryDeadLetters({ snapshot, target, signal, state, filter, waitMaxMs: 60_000 })
    const [group, ...others] = await groupDeadLetters(state)
    assert.deepEqual(others, [])
    const cause = 'mapper_parsing_exception'
    assert.deepEqual([group!.index, group!.cause, group!.count], [index, cause, 3])
    assert.deepEqual(await retry({}), { written: 0, refused: 3 })
    await mapping({ type: 'integer', ignore_malformed: true })
    assert.deepEqual(await retry({ id: 'bad1' }), { written: 1, refused: 0 })
    assert.equal(await discardDeadLetters(state, { id: 'bad2' }), 1)
    assert.equal((await backfillStatus(state, { isRunning: false })).deadLetters, 1)
    assert.deepEqual(await retry({ cause, index }), { written: 1, refused: 0 })
  })
  assert.equal((await backfill(migration)).deadLetters, 0)
  assert.equal(await countOn(targetEngine, index), 22)
})

test('too many dead letters stop that index by name, others are finished', { skip }, async () => {
  const { wrong, right } = names
  const migration = await ready(wrong, right)
  await send(targetEngine, 'PUT', `/${wrong}/_mapping`, {
    properties: { text: { type: 'integer' } },
  })
  const options = { deadLettersMax: 10, bulkBytesMax: '2kb', bulksInFlightMax: 2 }
  await assert.rejects(
    backfill(migration, { options }),
    code('MA_TOO_MANY_DEAD_LETTERS', new RegExp(`index ${wrong}`)),
  )
  await assertEqual(migration, [right])
  await withState(migration.folder, async (state) => {
    const status = await backfillStatus(state, { isRunning: false })
    assert.equal(status.state, 'failed')
    assert.ok(status.deadLetters < 100, `${status.deadLetters} dead letters`)
    assert.equal(status.indices.find(({ index }) => index === wrong)?.state, 'failed')
    assert.equal(status.indices.find(({ index }) => index === right)?.state, 'done')
  })
})

test(
  'a document that somebody else wrote at a higher version is a finding',
  { skip },
  async (t) => {
    const index = names.small
    const migration = await ready(index)
    const alias = await fenceAliasOf(migration)
    const path = `/${alias}/_doc/d3?version=9&version_type=external_gte`
    await send(targetEngine, 'PUT', path, { n: -1 })
    const summary = await backfill(migration)
    const { read, written, failed } = summary.totals
    assert.deepEqual([read, written, failed, summary.deadLetters], [10, 9, 1, 1])
    const filter = { id: 'd3', cause: 'version_conflict_engine_exception' }
    await withState(migration.folder, async (state) => {
      const [group] = await groupDeadLetters(state, filter)
      assert.match(group?.example.reason ?? '', /current version \[9\]/)
      const { proxy, through } = await proxied(t)
      proxy.fate = ({ number }) => (number === 1 ? { status: 429 } : 'relay')
      const waits: string[] = []
      const again = await retryDeadLetters({
        ...migration,
        target: through,
        state,
        filter,
        waitMaxMs: 60_000,
        onWait: ({ what }) => waits.push(what),
        signal: new AbortController().signal,
      })
      assert.deepEqual(again, { written: 0, refused: 1 })
      assert.match(waits.join(), /^429 /)
      assert.equal((await backfillStatus(state, { isRunning: false })).deadLetters, 1)
    })
  },
)

test('a request to stop that comes while the run plans is obeyed', { skip }, async (t) => {
  const migration = await ready(names.plain, names.small)
  const { proxy, through } = await proxied(t)
  const askedToStop: typeof snapshot = {
    ...snapshot,
    openShard: async (index, shard) => {
      const note = await openSqliteStore(migration.folder, 'note')
      await requestStop(note)
      await note.close()
      return snapshot.openShard(index, shard)
    },
  }
  await assert.rejects(
    backfill(migration, { target: through, snapshot: askedToStop }),
    code('MA_STOPPED'),
  )
  assert.equal(proxy.bulks, 0)
  const summary = await backfill(migration)
  assert.equal(summary.totals.failed, 0)
  await assertEqual(migration)
})

test('settings that cannot be put back are named, and the run ends failed', { skip }, async () => {
  const migration = await ready(names.small)
  const path = `/${names.small}/_settings`
  await send(targetEngine, 'PUT', path, { 'index.refresh_interval': '7s' })
  const refusing = targetWith({
    request(method, path, options) {
      const body = options?.body as JsonObject | undefined
      if (method === 'PUT' && body?.['index.refresh_interval'] === '7s') {
        throw new MigrationError('MA_CLUSTER_AUTH', 'no permission to change settings')
      }
      return target.request(method, path, options)
    },
  })
  const options = { speedUpTarget: true }
  await assert.rejects(
    backfill(migration, { target: refusing, options }),
    code('MA_CLUSTER_AUTH', /every document is written\n.*no permission.*\n.*settings restore/),
  )
  await withState(migration.folder, async (state) => {
    assert.equal((await backfillStatus(state, { isRunning: false })).state, 'failed')
  })
  await backfill(migration)
  const { body } = await target.request('GET', path, { query: { flat_settings: true } })
  const { settings } = body[names.small] as { settings: JsonObject }
  assert.equal(settings['index.refresh_interval'], '7s')
})

test('a routed document stops an index whose target has other shards', { skip }, async () => {
  const index = names.sharded
  const migration = await ready(index)
  await withState(migration.folder, async (state) => {
    const record = (await state.get(targetIndexKind, index))!.value
    const value = { ...record, mayHoldRouted: false }
    await state.commit([{ op: 'put', kind: targetIndexKind, key: index, value }])
  })
  await assert.rejects(
    backfill(migration),
    code('MA_TARGET_INDEX', new RegExp(`index ${index} holds routed documents .*"r".*"k"`)),
  )
})

test('late writers change and create nothing once the alias is gone', { skip }, async () => {
  const index = names.small
  const migration = await ready(index)
  await backfill(migration)
  const alias = await fenceAliasOf(migration)
  await send(targetEngine, 'DELETE', `/${index}`)
  // A UUID without capitals: only then would the engine take the alias for the name of an index to be made.
  const plainAlias = `osmigrate-${uniqueName('late')}-0`
  const late = async (name: string, requireAlias: boolean, ...lines: object[]): Promise<string> => {
    const answer = await target.request<LateAnswer>('POST', `/${name}/_bulk`, {
      query: { ...(requireAlias && { require_alias: true }), pipeline: '_none' },
      body: Buffer.from(lines.map((line) => JSON.stringify(line) + '\n').join('')),
    })
    return JSON.stringify(Object.values(answer.body.items[0]!)[0]!.error)
  }
  const meta = { _id: 'd1', version: 99, version_type: 'external_gte' }
  const forbidden = /index_not_found_exception.*action\.auto_create_index/
  for (const name of [alias, plainAlias]) {
    assert.match(await late(name, true, { index: meta }, { n: 1 }), /index_not_found_exception/)
  }
  // Deletes do not obey require_alias.
  assert.match(await late(plainAlias, true, { delete: meta }), forbidden)
  assert.match(await late(plainAlias, false, { delete: meta }), forbidden)
  assert.match(await late(plainAlias, false, { index: meta }, { n: 1 }), forbidden)
  for (const name of [index, alias, plainAlias]) {
    const { status } = await target.request('GET', `/${name}`, { accept: [404] })
    assert.equal(status, 404, name)
  }
})

interface LateAnswer {
  readonly items: readonly { readonly [action: string]: { readonly error?: JsonObject } }[]
}

test(
  'an index deleted while it is written to stops by name, not made again',
  { skip },
  async (t) => {
    const { plain, right } = names
    const migration = await ready(plain, right)
    const { proxy, through } = await proxied(t)
    let deleted: Promise<unknown> | undefined
    proxy.onAnswered = () => {
      deleted ??= send(targetEngine, 'DELETE', `/${plain}`)
    }
    const options = { bulkBytesMax: '2kb', bulksInFlightMax: 1 }
    await assert.rejects(
      backfill(migration, { target: through, options }),
      code('MA_TARGET_INDEX', new RegExp(plain)),
    )
    await deleted
    const { status } = await target.request('GET', `/${plain}`, { accept: [404] })
    assert.equal(status, 404)
    await assertEqual(migration, [right])
  },
)

test(
  'of a shard that cannot be read nothing is written; a later run mends it',
  { skip },
  async () => {
    const { plain, right } = names
    const migration = await ready(plain, right)
    const broken = await breakShard(plain, 1)
    for (const verify of ['touched', 'full']) {
      await assert.rejects(
        backfill(migration, { snapshot: broken, options: { verify } }),
        code('MA_CORRUPT_DATA', new RegExp(`index ${plain}, shard 1: .*expected .*found`)),
      )
      await assertEqual(migration, [right])
      await send(targetEngine, 'POST', `/${plain}/_refresh`)
      const written = await target.request('GET', `/${plain}/_search`, {
        query: { preference: '_shards:1', size: 0, track_total_hits: true },
      })
      assert.deepEqual((written.body.hits as JsonObject).total, { value: 0, relation: 'eq' })
    }
    await backfill(migration)
    await assertEqual(migration)
  },
)

test(
  'a shard whose list of files is damaged or missing keeps nothing else from being finished',
  { skip },
  async () => {
    const { plain, right } = names
    const migration = await ready(plain, right)
    for (const [breakList, expected] of [
      [(file: string) => writeFileSync(file, flipped(readFileSync(file))), 'MA_CORRUPT_DATA'],
      [(file: string) => rmSync(file), 'MA_BLOB_MISSING'],
    ] as const) {
      const { folder, open } = copyOfRepository()
      const lists = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /^indices\/[^/]+\/1\/snap-/.test(name),
      )
      for (const list of lists) breakList(join(folder, list))
      await assert.rejects(
        backfill(migration, { snapshot: await open() }),
        code(expected, new RegExp(`index ${plain}, shard 1: `)),
      )
      await withState(migration.folder, async (state) => {
        const { indices } = await backfillStatus(state, { isRunning: false })
        assert.equal(indices.find(({ index }) => index === right)?.state, 'done')
        const { errors, shardsOpened } = indices.find(({ index }) => index === plain)!
        assert.deepEqual([shardsOpened, ...errors.map((one) => one.shard)], [1, 1])
      })
    }
    await backfill(migration)
    await assertEqual(migration)
  },
)

/** The snapshot from a copy of the repository in which one byte of the shard's stored fields is flipped. */
async function breakShard(index: string, shard: number): Promise<typeof snapshot> {
  const { folder, open } = copyOfRepository()
  const files = await snapshot.openShard(index, shard)
  const compound = [...files.names()].find((name) => name.endsWith('.cfs'))!
  const [blob] = files.file(compound).blobs
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
    blob!.endsWith(name.split('/').at(-1)!),
  )
  // The first member of a compound file of this size is the largest, the stored fields.
  writeFileSync(join(folder, file!), flipped(readFileSync(join(folder, file!))))
  return open()
}

function copyOfRepository(): { folder: string; open: () => Promise<typeof snapshot> } {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-broken-'))
  after(() => rmSync(folder, { recursive: true }))
  cpSync(repository, folder, { recursive: true })
  const open = async (): Promise<typeof snapshot> =>
    (await openRepository(openBlobStore(folder))).openSnapshot(snapshot.name)
  return { folder, open }
}

/** With one bit in the middle flipped. */
function flipped(bytes: Buffer): Buffer {
  const at = bytes.length >> 1
  bytes[at] = bytes[at]! ^ 0x40
  return bytes
}

async function fenceAliasOf({ folder, indices }: ReadyMigration): Promise<string> {
  return withState(folder, async (state) => {
    return (await state.get(targetIndexKind, indices[0]!))!.value.fenceAlias
  })
}

/** The target, with some functions of its connection replaced. */
function targetWith(replaced: Partial<Cluster>): Cluster {
  return {
    side: target.side,
    url: target.url,
    version: target.version,
    request: (method, path, options) => target.request(method, path, options),
    requestRaw: (method, path, options) => target.requestRaw(method, path, options),
    close: () => Promise.resolve(),
    ...replaced,
  }
}

/** A relay before the target, and a connection through it. */
async function proxied(t: TestContext): Promise<{ proxy: BulkProxy; through: Cluster }> {
  const proxy = await startBulkProxy(targetEngine.port)
  const through = await connectCluster('target', { url: [proxy.url] })
  t.after(async () => {
    await through.close()
    await proxy.close()
  })
  return { proxy, through }
}
