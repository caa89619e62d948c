/** What applies changes, with each version of a source: how documents are read there differs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertSame,
  deleteDocument,
  documentsOf,
  makeApplierWorld,
  putDocument,
  readOf,
} from '../support/applier-world.ts'
import { send, useEngine, type TestEngine } from '../support/engines.ts'

const target = await useEngine('opensearch', '3', { own: true })
const sources = [
  ...['9', '8', '7', '6', '6.2.4', '5', '2', '1'].map((one) => ['elasticsearch', one] as const),
  ...['2', '1'].map((one) => ['opensearch', one] as const),
]

for (const [kind, version] of sources) {
  test(
    `${kind} ${version}: writes, deletes and reads, with and without routing`,
    { skip: target.skip },
    async (t) => {
      const source = await useEngine(kind, version, { own: true })
      try {
        await followDocuments(t, source)
        if (source.kind === 'elasticsearch' && majorOf(source) < 6) {
          await followTypes(t, source)
          await noticeVersionsFromTheBeginning(t, source)
        }
      } finally {
        await source.stop()
      }
    },
  )
}

function majorOf({ version }: TestEngine): number {
  return Number(version.split('.')[0])
}

async function followDocuments(
  t: Parameters<typeof makeApplierWorld>[0],
  source: TestEngine,
): Promise<void> {
  const settings = { number_of_shards: 2, number_of_replicas: 0 }
  const world = await makeApplierWorld(t, { source, target, body: { settings } })
  const { index } = world
  const isTyped = source.kind === 'elasticsearch' && majorOf(source) < 7
  const type = isTyped ? 'thing' : '_doc'
  const named = isTyped ? { type } : {}
  const put = (id: string, n: number, routing?: string) =>
    putDocument(world, id, { n }, { type, ...(routing !== undefined && { routing }) })
  const first = await put('first', 1)
  await world.apply(first, await put('second', 2), await put('routed', 3, 'r'))
  await put('read', 4)
  await put('read-routed', 5, 's')
  const unknown = await put('unknown', 6, 'u')
  await world.apply(
    readOf(index, 'read', named),
    readOf(index, 'read-routed', { ...named, routing: 's' }),
    readOf(index, 'unknown', { routing: undefined, seqNo: unknown.seqNo! }),
  )
  assert.equal(await assertSame(world), 6)
  const gone = await deleteDocument(world, 'second', { type })
  const before = await documentsOf(source, index)
  await send(source, 'DELETE', `/${index}/${type}/read`)
  await world.apply(gone, await put('first', 7), readOf(index, 'read', { ...named, version: 2 }))
  await world.apply(first)
  assert.equal(before.size, 5)
  assert.equal(await assertSame(world), 4)
  assert.deepEqual(world.letters, [])
  assert.deepEqual(world.applier.stopped, [])
}

/** Types that become a field, a part of the id, and a join. */
async function followTypes(
  t: Parameters<typeof makeApplierWorld>[0],
  source: TestEngine,
): Promise<void> {
  const settings = { number_of_shards: 1, number_of_replicas: 0 }
  const targetBody = {
    settings,
    mappings: {
      properties: {
        kind: { type: 'keyword' },
        join: { type: 'join', relations: { post: 'answer' } },
      },
    },
  }
  const types = {
    ...{ only: null, keepIn: 'kind', routeById: true },
    join: { field: 'join', parents: { answer: 'post' } },
  }
  const body = { settings, mappings: { post: {}, answer: { _parent: { type: 'post' } } } }
  const world = await makeApplierWorld(t, { source, target, body, targetBody, about: { types } })
  const { index } = world
  const post = await putDocument(world, '1', { n: 1 }, { type: 'post' })
  const answer = await putDocument(world, '1', { n: 2 }, { type: 'answer', query: 'parent=1' })
  await world.apply(post, { ...answer, routing: '1' })
  const found = await documentsOf(target, index)
  assert.deepEqual([...found].map(([key, { source }]) => [key, source]).toSorted(), [
    ['["answer#1","1"]', '{"kind":"answer","join":{"name":"answer","parent":"post#1"},"n":2}'],
    ['["post#1","1"]', '{"kind":"post","join":"post","n":1}'],
  ])
  await world.apply(await deleteDocument(world, '1', { type: 'post' }))
  assert.deepEqual([...(await documentsOf(target, index)).keys()], ['["answer#1","1"]'])
  assert.deepEqual(world.letters, [])
}

/** Engines before 6.0 forget how often a document was written when it is deleted for a minute. */
async function noticeVersionsFromTheBeginning(
  t: Parameters<typeof makeApplierWorld>[0],
  source: TestEngine,
): Promise<void> {
  const settings = { number_of_shards: 1, number_of_replicas: 0 }
  const body = { settings: { ...settings, 'index.gc_deletes': '0s' } }
  const world = await makeApplierWorld(t, { source, target, body, targetBody: { settings } })
  const put = (n: number) => putDocument(world, 'a', { n }, { type: 'thing' })
  const changes = [await put(1), await put(2), await deleteDocument(world, 'a', { type: 'thing' })]
  await world.apply(...changes)
  await send(source, 'POST', `/${world.index}/_flush`)
  let anew = await put(3)
  for (let tries = 0; anew.version !== 1 && tries < 50; tries++) {
    await world.apply(anew, await deleteDocument(world, 'a', { type: 'thing' }))
    await send(source, 'POST', `/${world.index}/_refresh`)
    anew = await put(3)
  }
  assert.equal(anew.version, 1, 'the source has forgotten the delete')
  await world.apply(anew, changes[0]!)
  assert.deepEqual(
    world.letters.map(({ id, cause }) => [id, cause]),
    [['a', 'version_went_back']],
  )
}
