/** A data stream of a source that goes on being written to while its backfill runs: creates, changes, deletes, kills. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/base/json.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { scanUpsertSource } from '../../src/cluster/upsert-source.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata } from '../../src/metadata/apply.ts'
import { writeStreamChanges, type SourceChange } from '../../src/metadata/data-stream-writes.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { targetIndexKind, type TargetIndex } from '../../src/state/records.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { StateStore } from '../../src/state/store.ts'
import { streamChangeKind } from '../../src/state/stream-changes.ts'
import { makeSnapshot, spawnBackfill, withState, type ReadyMigration } from './backfill.ts'
import { startBulkProxy } from './bulk-proxy.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'

export interface StreamWorld {
  readonly engine: TestEngine
  readonly target: Cluster
  readonly stream: string
  readonly ready: ReadyMigration
  /** What each index behind the stream holds on the source, by its name and the id: the text of `_source`. */
  readonly model: Map<string, Map<string, string>>
  /** The data stream and its template go. */
  clean(): Promise<void>
}

const generations = 2

/**
 * A data stream with two indices, in a snapshot; then deleted, since source and target are one engine, and made anew as
 * a target. Some documents have numbers that an update would print otherwise.
 */
export async function makeStreamWorld(
  engine: TestEngine,
  target: Cluster,
  documents: number,
): Promise<StreamWorld> {
  const stream = uniqueName('stream')
  await send(engine, 'PUT', `/_index_template/${stream}`, {
    index_patterns: [stream],
    data_stream: {},
    template: {
      settings: { number_of_shards: 2, number_of_replicas: 0, refresh_interval: '-1' },
      mappings: { properties: { n: { type: 'long' }, x: { type: 'keyword' } } },
    },
  })
  const clean = async (): Promise<void> => {
    await target.request('DELETE', `/_data_stream/${stream}`, { accept: [404] })
    await target.request('DELETE', `/_index_template/${stream}`, { accept: [404] })
  }
  await send(engine, 'PUT', `/_data_stream/${stream}`)
  const model = new Map<string, Map<string, string>>()
  for (let generation = 1; generation <= generations; generation++) {
    if (generation > 1) await send(engine, 'POST', `/${stream}/_rollover`)
    const held = new Map<string, string>()
    for (let i = 0; i < documents / generations; i++) {
      held.set(`g${generation}-${i}`, sourceText(generation * 1e6 + i, i % 7 === 0))
    }
    for (let from = 0; from < held.size; from += 500) {
      const some = [...held].slice(from, from + 500)
      const lines = some.map(([id, text]) => `{"create":{"_id":"${id}"}}\n${text}\n`).join('')
      await send(engine, 'POST', `/${stream}/_bulk`, lines)
    }
    model.set(`.ds-${stream}-00000${generation}`, held)
  }
  const taken = await makeSnapshot({ cluster: target, engine }, [stream])
  await send(engine, 'DELETE', `/_data_stream/${stream}`)
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-stream-')), 'state')
  after(() => rmSync(path.dirname(folder), { recursive: true }))
  const ready = { folder, ...taken, target, indices: [...model.keys()] }
  await migrateStream(ready, stream)
  return { engine, target, stream, ready, model, clean }
}

/** Makes the data stream on the target. */
export async function migrateStream(ready: ReadyMigration, stream: string): Promise<void> {
  const { target, repository, snapshot } = ready
  await withState(ready.folder, async (state) => {
    const plan = await evaluateMetadata({
      ...fromSnapshot(repository, snapshot, shardLook),
      target,
      state,
      select: { include: [stream] },
      options: metadataOptions.parse({ templates: false, pipelines: false }),
      allowPartialSource: false,
    })
    const { objects } = await applyMetadata(plan, { target, state })
    for (const { outcome, reason } of objects) assert.equal(outcome, 'created', reason)
  })
}

/** With numbers that an update keeps, or not. */
function sourceText(n: number, isAwkward: boolean): string {
  return isAwkward
    ? `{"@timestamp":${1.6e12 + n},"n":${n},"x":[1.10,0.12345678901234567890,1e400,-0]}`
    : `{"@timestamp":${1.6e12 + n},"n":${n},"x":"${'y'.repeat(n % 50)}"}`
}

export interface AtOnce {
  readonly kills: number
  readonly seed: number
  readonly options?: { readonly [name: string]: unknown }
}

/**
 * Runs the backfill, killed again and again, and meanwhile writes what the source goes on doing: new documents, changes,
 * deletes, and documents that are made anew under a deleted id. Gives how often what was done.
 */
export async function changeWhileFilled(
  world: StreamWorld,
  { kills, seed, options }: AtOnce,
): Promise<{ changes: number; deletes: number; kills: number; notesMost: number }> {
  const { ready, target, model } = world
  const proxy = await startBulkProxy(Number(new URL(target.url).port))
  const random = randomFrom(seed)
  const state = await openSqliteStore(ready.folder, 'note')
  const done = { changes: 0, deletes: 0, kills: 0, notesMost: 0 }
  let isFilled = false
  const writing = (async () => {
    for (let seqNo = 1e6, more = 3; more > 0;) {
      if (isFilled) more--
      for (const index of ready.indices) {
        const record = (await state.get(targetIndexKind, index))!.value
        const changes = someChanges(model.get(index)!, random, () => seqNo++)
        await writeChanges(world, state, record, changes)
        done.changes += changes.length
        done.deletes += changes.filter(({ source }) => source === null).length
        done.notesMost = Math.max(done.notesMost, await state.count(streamChangeKind))
      }
    }
  })()
  try {
    for (let kill = 0; kill <= kills; kill++) {
      const run = spawnBackfill(ready, { url: proxy.url, ...(options && { options }) })
      const at = 3 + random(12)
      proxy.bulks = 0
      proxy.onAnswered = ({ number }) => {
        if (kill < kills && number === at) run.child.kill('SIGKILL')
      }
      const ended = await run.ended
      if (ended === 'SIGKILL') done.kills++
      else assert.equal(ended, 0)
    }
    isFilled = true
    await writing
  } finally {
    isFilled = true
    await writing.catch(() => {})
    await state.close()
    await proxy.close()
  }
  return done
}

/** As a follower of the source does, one call at a time; nothing may be refused. */
export async function writeChanges(
  { target }: StreamWorld,
  state: StateStore,
  index: TargetIndex,
  changes: readonly SourceChange[],
): Promise<void> {
  const { signal } = new AbortController()
  const input = { target, state, index, waitMaxMs: 60_000, signal }
  assert.deepEqual(await writeStreamChanges(input, changes), [])
}

/** Up to 20, done to the model, too. */
function someChanges(
  held: Map<string, string>,
  random: (below: number) => number,
  nextSeqNo: () => number,
): SourceChange[] {
  const ids = [...held.keys()]
  return Array.from({ length: 1 + random(20) }, (): SourceChange => {
    const seqNo = nextSeqNo()
    const kind = random(3)
    const isNew = kind === 0 || ids.length === 0
    const isDelete = kind === 1 && !isNew
    // Deleted ones among them, so that some are made anew.
    const id = isNew ? `new-${seqNo}` : ids[random(ids.length)]!
    const text = isDelete ? null : sourceText(seqNo, random(5) === 0)
    if (text === null) held.delete(id)
    else held.set(id, text)
    return { id, routing: null, seqNo, isNew, source: text === null ? null : Buffer.from(text) }
  })
}

/** Each document of the model is on the target as it stands there, and no other. */
export async function assertAsModel({ target, model, ready }: StreamWorld): Promise<void> {
  await withState(ready.folder, async (state) => {
    for (const [index, held] of model) {
      const { targetIndex } = (await state.get(targetIndexKind, index))!.value
      const found = await textsOf(target, targetIndex)
      assert.deepEqual(
        [...found].sort(),
        [...held].sort(),
        `${index} holds ${found.size} documents, the source ${held.size}`,
      )
    }
    assert.equal(await state.count(streamChangeKind), 0)
  })
}

/** What scanUpsertSource() says is kept comes out of the engine as it was written. */
export async function assertInsertsKeepText(
  { target, ready }: StreamWorld,
  random: (below: number) => number,
): Promise<void> {
  const index = ready.indices[0]!
  const field = Buffer.from('@timestamp')
  const texts = new Map<string, string>()
  while (texts.size < 2000) {
    const text = `{"@timestamp":1,"x":[${randomNumber(random)},${randomNumber(random)}]}`
    const { isKept } = scanUpsertSource(Buffer.from(text), 0, text.length, field)
    if (isKept) texts.set(`kept-${texts.size}`, text)
  }
  const lines = [...texts].map(
    ([id, text]) => `{"update":{"_id":"${id}"}}\n{"doc":{},"upsert":${text}}\n`,
  )
  const body = Buffer.from(lines.join(''))
  const { targetIndex } = await withState(ready.folder, async (state) => {
    return (await state.get(targetIndexKind, index))!.value
  })
  await target.request('POST', `/${targetIndex}/_bulk`, { body })
  const found = await textsOf(target, targetIndex)
  for (const [id, text] of texts) assert.equal(found.get(id), text)
}

/** A number as people and programs write them. */
function randomNumber(random: (below: number) => number): string {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => String(random(10))).join('')
  const whole = random(2) === 0 ? '0' : `${1 + random(9)}${digits(random(9))}`
  const fraction = random(3) === 0 ? '' : `.${'0'.repeat(random(4))}${digits(1 + random(12))}`
  const exponent = random(20) === 0 ? `e${random(30)}` : ''
  return `${random(3) === 0 ? '-' : ''}${whole}${fraction}${exponent}`
}

/** The text of each `_source` as the engine keeps it: whole answers are not parsed, since numbers would change. */
export async function textsOf(target: Cluster, index: string): Promise<Map<string, string>> {
  const path = `/${encodeURIComponent(index)}`
  await target.request('POST', `${path}/_refresh`)
  const { body } = await target.requestRaw('POST', `${path}/_search`, {
    body: { size: 10_000, query: { match_all: {} } },
  })
  const texts = new Map<string, string>()
  const hit = /"_id":"([^"]*)","_score":1\.0,"_source":(\{[^}]*\})/g
  for (const [, id, text] of body.toString().matchAll(hit)) texts.set(id!, text!)
  const { hits } = JSON.parse(body.toString()) as { hits: JsonObject }
  const { value } = isJsonObject(hits.total) ? hits.total : {}
  assert.equal(texts.size, value)
  return texts
}

/** Whole numbers below a bound. */
export function randomFrom(start: number): (below: number) => number {
  let seed = start
  return (below) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
}
