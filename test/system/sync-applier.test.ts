/** Changes of a real source get to a real target: whatever their order, and however they were told of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { JsonObject } from '../../src/base/json.ts'
import { forbidAutoCreate } from '../../src/metadata/fence.ts'
import { targetIndexKind } from '../../src/state/records.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { Transform } from '../../src/usercode/transform.ts'
import {
  assertSame,
  deleteDocument,
  documentsOf,
  makeApplierWorld,
  putDocument,
  readOf,
  type ApplierWorld,
} from '../support/applier-world.ts'
import { startBulkProxy } from '../support/bulk-proxy.ts'
import { send, useEngine, type TestEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeStreamWorld } from '../support/stream-world.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

function whyStopped({ applier, index }: ApplierWorld): string {
  return applier.stopped.find((one) => one.index === index)!.why
}

test(
  'a write, a delete and a read reach the target under the numbers of the source, and are accounted',
  { skip },
  async (t) => {
    const world = await makeApplierWorld(t, { source, target })
    const { index } = world
    const written = await putDocument(world, 'written', { n: 1 })
    const gone = await putDocument(world, 'gone', { n: 2 })
    const deleted = await deleteDocument(world, 'gone')
    const unread = await putDocument(world, 'read', { n: 3 })
    assert.equal(await world.apply(deleted, written, gone, readOf(index, 'read')), true)
    assert.equal(await assertSame(world), 2)
    const numbers = [written, gone, deleted, unread].map(({ seqNo }) => seqNo!)
    assert.deepEqual(world.accounted.get(index)!.toSorted(), numbers.toSorted())
  },
)

test(
  'a read that the source refuses as a whole is halved; a document that it never gives is a dead letter',
  { skip },
  async (t) => {
    const body = { settings: { max_result_window: 10, number_of_replicas: 0 } }
    const world = await makeApplierWorld(t, { source, target, indices: 2, body, targetBody: {} })
    const { index } = world
    const elsewhere = { ...world, index: world.indices[1]! }
    for (let n = 0; n < 20; n++) {
      await putDocument(world, `id${n}`, { n })
      await putDocument(elsewhere, `id${n}`, { n })
    }
    const reads = Array.from({ length: 20 }, (_, n) => [
      readOf(index, `id${n}`),
      // Where its routing is not known it is searched for, and the window of the index is too small for all of them.
      readOf(elsewhere.index, `id${n}`, { routing: undefined }),
    ])
    // No engine has such a one.
    const poison = readOf(index, '', { seqNo: 5 })
    assert.equal(await world.apply(...reads.flat(), poison), true, world.waits.join('\n'))
    const window = { index: { max_result_window: null } }
    await send(source, 'PUT', `/${world.indices.join()}/_settings`, window)
    assert.equal(await assertSame(world), 20)
    assert.equal(await assertSame(elsewhere), 20)
    const [letter, ...others] = world.letters
    assert.deepEqual(others, [])
    assert.equal(letter?.id, '')
    assert.equal(letter.cause, 'illegal_argument_exception')
    assert.ok(world.accounted.get(index)!.includes(5))
    assert.deepEqual(world.applier.stopped, [])
  },
)

test(
  'an index of the source that nobody may read just now waits by name, others go on',
  { skip },
  async (t) => {
    const world = await makeApplierWorld(t, { source, target, indices: 2 })
    const { index } = world
    const elsewhere = { ...world, index: world.indices[1]! }
    await putDocument(world, 'a', { n: 1 })
    await putDocument(elsewhere, 'b', { n: 2 })
    const block = (blocked: boolean): Promise<unknown> =>
      send(source, 'PUT', `/${index}/_settings`, { index: { 'blocks.read': blocked } })
    await block(true)
    const told: string[] = []
    const unknown = { routing: undefined }
    await world.applier.add([readOf(index, 'a', unknown)], (taken) => told.push(`blocked ${taken}`))
    const { promise, resolve } = Promise.withResolvers<boolean>()
    await world.applier.add([readOf(elsewhere.index, 'b', unknown)], resolve)
    assert.equal(await promise, true)
    assert.equal(await assertSame(elsewhere), 1)
    assert.deepEqual(told, [])
    assert.ok(
      world.waits.some((what) =>
        what.startsWith(`index ${index}: the source answered cluster_block`),
      ),
      world.waits.join('\n'),
    )
    await block(false)
    await world.applier.flush()
    assert.deepEqual(told, ['blocked true'])
    assert.equal(await assertSame(world), 1)
    assert.deepEqual(world.letters, [])
  },
)

test('older changes that come late, or again, change nothing', { skip }, async (t) => {
  const world = await makeApplierWorld(t, { source, target })
  const first = await putDocument(world, 'a', { n: 1 })
  const second = await putDocument(world, 'a', { n: 2 })
  const gone = await deleteDocument(world, 'a')
  const other = await putDocument(world, 'b', { n: 3 })
  for (const change of [second, first, other, gone, second, first, other]) {
    assert.equal(await world.apply(change), true)
  }
  assert.equal(await assertSame(world), 1)
  assert.deepEqual(world.letters, [])
})

test(
  'what is read keeps its text: numbers, order of keys, comments, line breaks',
  { skip },
  async (t) => {
    const body = { mappings: { dynamic: false } }
    const world = await makeApplierWorld(t, { source, target, body })
    const { index } = world
    const text =
      '{ "z": 1.0, "10": 12345678901234567890,\n  "a": 0.10e-2, /* why */ "b": "}\\"{",\r\n "z2": [1, {"q": null}] }'
    await send(source, 'PUT', `/${index}/_doc/text`, text)
    await world.apply(readOf(index, 'text'))
    const answer = await fetch(`${target.url}/${index}/_source/text`)
    const expected =
      '{ "z": 1.0, "10": 12345678901234567890,   "a": 0.10e-2,   "b": "}\\"{",   "z2": [1, {"q": null}] }'
    assert.equal(await answer.text(), expected)
  },
)

test(
  'a document that is gone is deleted under its own number, or at the global checkpoint',
  { skip },
  async (t) => {
    const world = await makeApplierWorld(t, { source, target })
    const { index } = world
    const known = await putDocument(world, 'known', { n: 1 })
    const unknown = await putDocument(world, 'unknown', { n: 2 })
    await world.apply(known, unknown)
    const deleted = await deleteDocument(world, 'known')
    await deleteDocument(world, 'unknown')
    await world.apply(readOf(index, 'known'), deleted, readOf(index, 'unknown'))
    assert.equal(await assertSame(world), 0)
    // Neither comes back by what was written before, while the target remembers the deletes.
    await world.apply(known, unknown)
    assert.equal(await assertSame(world), 0)
    const anew = await putDocument(world, 'unknown', { n: 3 })
    await world.apply(anew)
    assert.equal(await assertSame(world), 1)
  },
)

test(
  'routed documents keep their routing; where it was not told they are found on all shards',
  { skip },
  async (t) => {
    const body = { settings: { number_of_shards: 3, number_of_replicas: 0 } }
    const world = await makeApplierWorld(t, { source, target, body })
    const { index } = world
    for (let n = 0; n < 10; n++) {
      const [routed, plain] = [
        await putDocument(world, `id${n}`, { n }, { routing: `r${n}` }),
        await putDocument(world, `id${n}`, { n, plain: true }),
      ]
      const told = { seqNo: routed.seqNo!, primaryTerm: 1 }
      const change =
        n % 3 === 0
          ? routed
          : readOf(index, `id${n}`, { routing: undefined, ...(n % 3 === 1 && told) })
      await world.apply(change, plain)
    }
    // Where both lie in one shard the later has replaced the other.
    const count = await assertSame(world)
    assert.ok(count > 10)
    assert.deepEqual(world.letters, [])
    // Found under another routing than it was asked for with.
    const hidden = await putDocument(world, 'hidden', { n: 1 }, { routing: 'elsewhere' })
    await world.apply(readOf(index, 'hidden', { seqNo: hidden.seqNo! }))
    assert.equal(await assertSame(world), count + 1)
  },
)

test(
  'an index that may hold no routed documents stops by name at the first, others go on',
  { skip },
  async (t) => {
    const about = { mayHoldRouted: false }
    const world = await makeApplierWorld(t, { source, target, indices: 2, about })
    const [index, other] = world.indices
    const routed = await putDocument(world, 'a', { n: 1 }, { routing: 'r' })
    assert.equal(await world.apply(routed), false)
    assert.match(whyStopped(world), /holds routed documents \("a" with routing "r"\)/)
    assert.equal(await world.apply(await putDocument(world, 'b', { n: 1 })), false)
    const elsewhere = { ...world, index: other! }
    assert.equal(await world.apply(await putDocument(elsewhere, 'c', { n: 1 })), true)
    assert.equal(await assertSame(world, other), 1)
    assert.equal((await documentsOf(target, index!)).size, 0)
  },
)

test(
  'versions that clients give are the versions on the target, also of what is read',
  { skip },
  async (t) => {
    const world = await makeApplierWorld(t, { source, target })
    const { index } = world
    const query = (version: number): { query: string } => {
      return { query: `version_type=external&version=${version}` }
    }
    const now = 1_760_000_000_000
    const value = world.targets.get(index)!
    await world.state.commit([{ op: 'put', kind: targetIndexKind, key: index, value }])
    const hasClientVersion = true
    const first = { ...(await putDocument(world, 'a', { n: 1 }, query(now))), hasClientVersion }
    await putDocument(world, 'b', { n: 2 }, query(now + 5))
    await world.apply(first, readOf(index, 'b'))
    const found = await documentsOf(target, index)
    assert.deepEqual(
      [...found.values()].map(({ version }) => version),
      [now, now + 5],
    )
    const last = { ...(await putDocument(world, 'a', { n: 3 }, query(now + 9))), hasClientVersion }
    await world.apply(last, first)
    assert.equal((await documentsOf(target, index)).get('["a",null]')!.source, '{"n":3}')
    assert.deepEqual(world.letters, [])
    const record = await world.state.get(targetIndexKind, index)
    assert.equal(record!.value.clientVersions, true)
  },
)

for (const [who, isForgotten] of [
  ['is named while the target knows of it', false],
  ['is followed once the target has, too, also by the delete that was kept', true],
] as const) {
  test(
    `a client's version below that of a delete that the source has forgotten ${who}`,
    { skip },
    async (t) => {
      const settings = { number_of_shards: 1, number_of_replicas: 0 }
      const body = { settings: { ...settings, 'index.gc_deletes': '0s' } }
      const targetBody = isForgotten ? body : { settings }
      const world = await makeApplierWorld(t, { source, target, body, targetBody })
      const { index } = world
      const value = world.targets.get(index)!
      await world.state.commit([{ op: 'put', kind: targetIndexKind, key: index, value }])
      const query = (version: number): string => `version_type=external&version=${version}`
      const hasClientVersion = true
      const put = await putDocument(world, 'a', { n: 1 }, { query: query(10) })
      const gone = await deleteDocument(world, 'a', { query: query(30) })
      await world.apply({ ...put, hasClientVersion }, { ...gone, hasClientVersion })
      const back = await untilTaken(source, index, () =>
        putDocument(world, 'a', { n: 2 }, { query: query(20) }),
      )
      if (isForgotten) {
        const path = `/${index}/_doc/a?${query(20)}`
        await untilTaken(target, index, () => send(target, 'PUT', path, { n: 2 }))
      }
      await world.apply({ ...back, hasClientVersion })
      await world.applier.applyAgain([{ ...gone, targetUuid: value.targetUuid }])
      const letters = world.letters.map(({ id, cause }) => [id, cause])
      const found = [...(await documentsOf(target, index)).keys()]
      if (isForgotten) assert.deepEqual([letters, found], [[], ['["a",null]']])
      else assert.deepEqual([letters[0], found], [['a', 'version_went_back'], []])
    },
  )
}

/** What an engine takes once it has forgotten a delete: it does when it is refreshed, by a clock that it reads now and then. */
async function untilTaken<T>(
  engine: TestEngine,
  index: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + 30_000
  for (;;) {
    await send(engine, 'POST', `/${index}/_refresh`)
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await wait(50)
  }
}

test(
  'what the target refuses becomes a dead letter, the others of its request do not',
  { skip },
  async (t) => {
    const targetBody = { mappings: { properties: { n: { type: 'long' } } } }
    const body = { mappings: { properties: { n: { type: 'keyword' } } } }
    const world = await makeApplierWorld(t, { source, target, body, targetBody })
    const changes = [
      await putDocument(world, 'bad', { n: 'no number' }),
      await putDocument(world, 'good', { n: '1' }),
    ]
    assert.equal(await world.apply(...changes), true)
    const { seqNo } = changes[0]!
    const [letter] = world.letters
    assert.deepEqual(
      { ...letter, reason: '' },
      {
        ...{ index: world.index, id: 'bad', routing: null, seqNo, status: 400 },
        ...{ cause: 'mapper_parsing_exception', reason: '' },
      },
    )
    assert.equal(world.letters.length, 1)
    assert.equal((await documentsOf(target, world.index)).size, 1)
    assert.equal(world.accounted.get(world.index)!.length, 2)
  },
)

test(
  'a target that is overloaded, or refuses single items, is waited for and told of',
  { skip },
  async (t) => {
    const proxy = await startBulkProxy(target.port)
    t.after(() => proxy.close())
    proxy.fate = ({ number }) => (number % 3 === 1 ? { status: number % 2 ? 429 : 503 } : 'relay')
    const options = { bulkBytesMax: 1024, lanes: 2 }
    const world = await makeApplierWorld(t, { source, target, targetUrl: proxy.url, options })
    for (let n = 0; n < 20; n++) {
      const change = await putDocument(world, `id${n % 7}`, { n, text: 'x'.repeat(300) })
      await world.applier.add([change], () => {})
    }
    await world.applier.flush()
    assert.equal(await assertSame(world), 7)
    assert.ok(world.waits.some((wait) => /^lane \d: the target: (429|503)/.test(wait)))
  },
)

test(
  'a target index whose fence is gone takes nothing, deletes neither, and no index comes of it',
  { skip },
  async (t) => {
    const options = { waitMaxMs: 600 }
    const world = await makeApplierWorld(t, { source, target, indices: 2, options })
    await forbidAutoCreate(await connect('target', target), world.state)
    const [index, other] = world.indices
    const [first, second] = [
      await putDocument(world, 'a', { n: 1 }),
      await deleteDocument(world, 'a'),
    ]
    const elsewhere = await putDocument({ ...world, index: other! }, 'b', { n: 1 })
    const { fenceAlias } = world.targets.get(index!)!
    await send(target, 'DELETE', `/${index}/_alias/${fenceAlias}`)
    const told: string[] = []
    await world.applier.add([first], (taken) => told.push(`write ${taken}`))
    await world.applier.add([elsewhere], (taken) => told.push(`other ${taken}`))
    await world.applier.flush()
    assert.deepEqual(told, ['other true', 'write false'])
    assert.match(whyStopped(world), /index_not_found_exception/)
    world.applier.resume(index!)
    assert.equal(await world.apply(second), false)
    assert.equal((await documentsOf(target, index!)).size, 0)
    const answer = await fetch(`${target.url}/${fenceAlias}`)
    assert.equal(answer.status, 404)
  },
)

test(
  'a delete that the target has forgotten is applied once more when nothing older can come',
  { skip },
  async (t) => {
    const settings = { number_of_shards: 1, number_of_replicas: 0, 'index.gc_deletes': '0s' }
    const world = await makeApplierWorld(t, { source, target, targetBody: { settings } })
    const { index, kept, applier } = world
    const written = await putDocument(world, 'a', { n: 1 })
    const deleted = await deleteDocument(world, 'a')
    await world.apply(deleted)
    await send(target, 'POST', `/${index}/_close`)
    await send(target, 'POST', `/${index}/_open`)
    await send(target, 'GET', `/_cluster/health/${index}?wait_for_status=yellow`)
    await world.apply(written)
    assert.equal((await documentsOf(target, index)).size, 1, 'the tombstone is gone')
    await kept.closeGeneration({ stream: 5 })
    let filled = false
    const reapply = (passed: number): Promise<number> =>
      kept.reapply({
        hasPassed: (ends) => Number((ends as JsonObject).stream) <= passed,
        isFilled: async () => filled,
        apply: (deletes) => applier.applyAgain(deletes),
      })
    assert.equal(await reapply(4), 0)
    assert.equal(await reapply(5), 0)
    filled = true
    assert.equal(await reapply(5), 1)
    assert.equal(await assertSame(world), 0)
    assert.equal(await reapply(9), 0)
    assert.equal(await kept.count(), 0)
  },
)

test('a transform changes documents on their way', { skip }, async (t) => {
  const step = (name: string, action: object) => {
    return { name, allowDrop: true, options: {}, digest: name, action }
  }
  const transform = new Transform({
    deadlineMs: 5000,
    steps: [step('rename', { kind: 'rename', rename: { n: 'm' } })] as never,
  })
  t.after(() => transform.close())
  const world = await makeApplierWorld(t, { source, target, input: { transform } })
  const { index } = world
  const a = await putDocument(world, 'a', { n: 1 })
  await putDocument(world, 'b', { n: 2 })
  const gone = [await putDocument(world, 'c', { n: 3 }), await deleteDocument(world, 'c')]
  await world.apply(a, readOf(index, 'b'), ...gone)
  const found = [...(await documentsOf(target, index)).values()].map((one) => one.source)
  assert.deepEqual(found.toSorted(), ['{"m":1}', '{"m":2}'])
})

test('indices behind a data stream take changes, too', { skip }, async (t) => {
  const cluster = await connect('target', target)
  const stream = await makeStreamWorld(target, cluster, 4)
  t.after(() => stream.clean())
  const index = stream.ready.indices[0]!
  const state = await openSqliteStore(stream.ready.folder, 'write')
  t.after(() => state.close())
  const record = (await state.get(targetIndexKind, index))!.value
  const own = await makeApplierWorld(t, { source, target })
  const known = { ...own.view.index(own.index)!, name: index, uuid: record.sourceUuid }
  const world = await makeApplierWorld(t, {
    ...{ source, target },
    input: {
      state,
      view: { index: () => known, shards: async () => new Map() },
      places: { placesOf: async () => [{ target: record }] },
    },
  })
  const change = (id: string, seqNo: number, n: number | null) => {
    const source = n === null ? {} : { source: Buffer.from(`{"@timestamp":1,"n":${n}}`) }
    const what = n === null ? ('delete' as const) : ('write' as const)
    return { index, id, routing: null, what, seqNo, ...source }
  }
  await world.apply(change('a', 10, 1), change('b', 11, 2), change('a', 12, 3))
  await world.apply(change('b', 13, null), change('a', 10, 1))
  const found = await documentsOf(target, index)
  assert.deepEqual(
    [...found].map(([key, { source }]) => [key, source]),
    [['["a",null]', '{"@timestamp":1,"n":3}']],
  )
})

test(
  'many clients at once, with updates and scripts: both sides end equal',
  { skip },
  async (t) => {
    const body = { settings: { number_of_shards: 2, number_of_replicas: 0 } }
    const world = await makeApplierWorld(t, { source, target, indices: 3, body })
    await Promise.all([1, 2, 3].map((seed) => randomClient(world, seed)))
    await world.applier.flush()
    for (const index of world.indices) await assertSame(world, index)
    assert.deepEqual(world.letters, [])
    assert.deepEqual(world.applier.stopped, [])
  },
)

/** Writes, updates and deletes a few documents again and again; gives each change to the applier a while later. */
async function randomClient(world: ApplierWorld, seed: number): Promise<void> {
  let state = seed
  const random = (below: number): number => (state = (state * 48271) % 2147483647) % below
  const late: (() => Promise<void>)[] = []
  for (let n = 0; n < 40; n++) {
    const index = world.indices[random(3)]!
    const at = { source, index }
    const id = `id${random(6)}`
    const what = random(4)
    let change = readOf(index, id)
    if (what === 0) change = await putDocument(at, id, { n, seed })
    else if (what === 1) change = await deleteDocument(at, id).catch(() => change)
    else {
      const update = { script: { source: 'ctx._source.n += 1' }, upsert: { n: 0 } }
      const path = `/${index}/_update/${id}?retry_on_conflict=10`
      const answer = await send<{ _seq_no: number }>(source, 'POST', path, update)
      change = { ...change, seqNo: answer._seq_no }
    }
    late.push(() => world.applier.add([change], () => {}))
    if (late.length > 5) await late.splice(random(late.length), 1)[0]!()
  }
  for (const add of late) await add()
}
