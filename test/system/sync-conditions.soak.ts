/** Conditions of the version rule that need clusters of their own: primaries that are lost, SEGMENT replication, data streams. */
import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { ask, until } from '../support/capture.ts'
import { send, useEngine, type TestEngine } from '../support/engines.ts'
import { differencesOf } from '../support/sync-compare.ts'
import { LiveMigration } from '../support/sync-live.ts'
import { RestartableEngine } from '../support/sync-random-faults.ts'
import { primaryNode, startThreeNodes } from '../support/three-nodes.ts'

const target = await useEngine('opensearch', '3', { own: true })
const timeout = 1_200_000
const prefix = 'c-'

interface World {
  readonly live: LiveMigration
  put(index: string, id: string, body: JsonObject): Promise<number>
}

/** A migration of what is there; begin() has it follow. */
async function migrate(
  t: TestContext,
  source: TestEngine,
  { metadata = {}, to = target }: { metadata?: object; to?: TestEngine } = {},
): Promise<World> {
  const live = new LiveMigration({ source, targetUrl: to.url, prefix, metadata })
  await live.startProxy()
  t.after(async () => {
    await live.endSync('SIGKILL')
    await live.proxy.kill()
    // An engine of the test's own is gone by then.
    await send(to, 'DELETE', `/${prefix}*`).catch(() => undefined)
  })
  const put = async (index: string, id: string, body: JsonObject): Promise<number> => {
    const headers = { 'content-type': 'application/json' }
    const request = {
      method: 'PUT',
      target: `/${index}/_doc/${id}`,
      headers,
      body: JSON.stringify(body),
    }
    return (await ask(live.proxy.url, request)).status
  }
  return { live, put }
}

async function begin({ live }: World): Promise<void> {
  await live.takeSnapshot()
  await live.startSync()
  await live.backfill()
}

async function mustBeEqual({ live }: World, source: TestEngine, to = target): Promise<void> {
  const view = await live.drain('5m')
  assert.equal(view.status?.audit?.verdict, 'caught-up')
  assert.deepEqual(await differencesOf(source, to, prefix), [])
}

for (const [kind, version, settings] of [
  ['elasticsearch', '7', {}],
  ['opensearch', '2', {}],
  ['opensearch', '2', { 'index.replication.type': 'SEGMENT' }],
] as const) {
  const name = `${kind} ${version} ${Object.values(settings).join('')}`
  test(`${name}: a primary is lost with writes that only it had`, { timeout }, async (t) => {
    const { master, data } = await startThreeNodes(kind, version)
    const index = `${prefix}lost`
    const shards = { number_of_shards: 1, number_of_replicas: 1, ...settings }
    await send(master, 'PUT', `/${index}`, { settings: shards })
    await send(master, 'GET', `/_cluster/health/${index}?wait_for_status=green&timeout=60s`)
    const world = await migrate(t, master)
    for (let i = 0; i < 40; i++) await world.put(index, `d${i}`, { n: i })
    await begin(world)
    const primary = await primaryNode(master, index)
    const lost = data.get(primary)!
    const replica = [...data].find(([node]) => node !== primary)![1]
    process.kill(replica.pid, 'SIGSTOP')
    // Carried out by the primary alone: updates, new ones, deletes; nobody is answered.
    const hanging = Array.from({ length: 20 }, (_, i) =>
      world.put(index, `d${30 + i}`, { n: 1000 + i }).catch(() => 0),
    )
    const deleting = [1, 2, 3].map((i) =>
      ask(world.live.proxy.url, { method: 'DELETE', target: `/${index}/_doc/d${i}` }).catch(
        () => undefined,
      ),
    )
    // Asked by way of another node the read might go to the one that stands still.
    await until('the primary alone has them', async () => {
      const one = { method: 'GET', target: `/${index}/_doc/d49?preference=_local` }
      return (await ask(lost.url, one)).status === 200
    })
    // What was asked is in the log, and what came of it nobody knows: it is read.
    await world.live.killProxy()
    await Promise.all([...hanging, ...deleting])
    process.kill(lost.pid, 'SIGKILL')
    process.kill(replica.pid, 'SIGCONT')
    await send(master, 'GET', `/_cluster/health/${index}?wait_for_status=yellow&timeout=60s`)
    for (let i = 45; i < 60; i++) await world.put(index, `d${i}`, { n: 2000 + i })
    await mustBeEqual(world, master)
  })

  test(
    `${name}: slow creates are read again and again while replicas lag`,
    { timeout },
    async (t) => {
      const { master } = await startThreeNodes(kind, version)
      const index = `${prefix}slow`
      await send(master, 'PUT', `/${index}`, {
        settings: { number_of_shards: 1, number_of_replicas: 1, ...settings },
        mappings: { properties: { text: { type: 'text' } } },
      })
      await send(master, 'GET', `/_cluster/health/${index}?wait_for_status=green&timeout=60s`)
      const world = await migrate(t, master)
      await world.put(index, 'first', { n: 0 })
      await begin(world)
      const text = Array.from({ length: 60_000 }, (_, i) => `word${i % 5000}`).join(' ')
      const update = (id: string): Promise<unknown> =>
        ask(world.live.proxy.url, {
          method: 'POST',
          target: `/${index}/_update/${id}`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ doc: { touched: true } }),
        })
      await Promise.all(
        Array.from({ length: 6 }, async (_, client) => {
          for (let i = 0; i < 25; i++) {
            const id = `d${client}-${i}`
            // Updates of what is being made: 404, 409 or done; each is read by sync.
            await Promise.all([world.put(index, id, { n: i, text }), update(id), update(id)])
            if (i % 3 === 0) {
              await ask(world.live.proxy.url, { method: 'DELETE', target: `/${index}/_doc/${id}` })
            }
          }
        }),
      )
      await mustBeEqual(world, master)
    },
  )
}

/** What makes a shard forget its deletes. */
const forgetting: {
  [how: string]: () => Promise<{ to: TestEngine; forget: (index: string) => Promise<void> }>
} = {
  'moved to another node': async () => {
    const { master } = await startThreeNodes('opensearch', '3')
    const forget = async (index: string): Promise<void> => {
      const from = await primaryNode(master, index)
      const move = { index, shard: 0, from_node: from, to_node: from === 'n1' ? 'n2' : 'n1' }
      await send(master, 'POST', `/${index}/_flush`)
      await send(master, 'POST', '/_cluster/reroute', { commands: [{ move }] })
      const settled = 'wait_for_no_relocating_shards=true&wait_for_status=green&timeout=60s'
      await send(master, 'GET', `/_cluster/health/${index}?${settled}`)
      assert.notEqual(await primaryNode(master, index), from)
    }
    return { to: master, forget }
  },
  restarted: async () => {
    const restartable = await RestartableEngine.start('opensearch', '3')
    after(() => restartable.remove())
    const to = restartable.engine
    const forget = async (index: string): Promise<void> => {
      await restartable.restart()
      await send(to, 'GET', `/_cluster/health/${index}?wait_for_status=green&timeout=60s`)
    }
    return { to, forget }
  },
}

for (const [how, make] of Object.entries(forgetting)) {
  test(
    `a shard of the target is ${how} between a delete and an older write`,
    { timeout },
    async (t) => {
      const source = await useEngine('elasticsearch', '7')
      const { to, forget } = await make()
      const index = `${prefix}forgetting`
      await send(source, 'PUT', `/${index}`, {
        settings: { number_of_shards: 1, number_of_replicas: 0 },
      })
      t.after(() => send(source, 'DELETE', `/${index}`))
      const world = await migrate(t, source, { to })
      for (let i = 0; i < 40; i++) await world.put(index, `d${i}`, { n: i })
      await world.live.takeSnapshot()
      await world.live.startSync()
      for (let i = 0; i < 40; i += 2) {
        await ask(world.live.proxy.url, { method: 'DELETE', target: `/${index}/_doc/d${i}` })
      }
      await world.put(index, 'marker', { n: -1 })
      await until('the deletes are on the target', async () => {
        const one = { method: 'GET', target: `/${index}/_doc/marker` }
        return (await ask(to.url, one)).status === 200
      })
      await forget(index)
      await mustForget(to, forget)
      await world.live.keepSyncUp()
      await world.live.backfill()
      await mustBeEqual(world, source, to)
    },
  )
}

/** That the engine does so is what the test above rests on. */
async function mustForget(
  engine: TestEngine,
  forget: (index: string) => Promise<void>,
): Promise<void> {
  const index = 'forgets'
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
  })
  const versioned = (version: number): string =>
    `/${index}/_doc/1?version=${version}&version_type=external_gte`
  await send(engine, 'PUT', versioned(5), {})
  await send(engine, 'DELETE', versioned(9))
  await assert.rejects(send(engine, 'PUT', versioned(6), {}), /version_conflict/)
  await forget(index)
  await send(engine, 'PUT', versioned(6), {})
}

test('a data stream that is rolled over', { timeout }, async (t) => {
  const source = await useEngine('opensearch', '2', { own: true })
  const stream = `${prefix}events`
  await send(source, 'PUT', `/_index_template/${prefix}t`, {
    index_patterns: [`${stream}*`],
    data_stream: {},
    template: { settings: { number_of_shards: 1, number_of_replicas: 0 } },
  })
  await send(source, 'PUT', `/_data_stream/${stream}`)
  const world = await migrate(t, source, { metadata: { templates: true } })
  const add = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ '@timestamp': new Date(n).toISOString(), n })
      const answer = await ask(world.live.proxy.url, {
        method: 'POST',
        target: `/${stream}/_doc`,
        headers,
        body,
      })
      assert.equal(answer.status, 201, answer.body.toString())
    }
  }
  await add(0, 50)
  await begin(world)
  for (let generation = 0; generation < 3; generation++) {
    await add(100 * generation, 100 * generation + 50)
    await send(source, 'POST', `/${stream}/_rollover`)
  }
  await send(source, 'POST', `/${stream}/_delete_by_query?refresh=true`, {
    query: { range: { n: { lt: 20 } } },
  })
  await add(1000, 1010)
  const view = await world.live.drain('5m')
  assert.equal(view.status?.audit?.verdict, 'caught-up')
  const documents = async (engine: TestEngine): Promise<string[]> => {
    await send(engine, 'POST', `/${stream}/_refresh`)
    const { hits } = await send<{ hits: { hits: { _id: string; _source: JsonObject }[] } }>(
      engine,
      'POST',
      `/${stream}/_search`,
      { size: 1000 },
    )
    return hits.hits.map(({ _id, _source }) => `${_id} ${JSON.stringify(_source)}`).sort()
  }
  assert.deepEqual(await documents(target), await documents(source))
})
