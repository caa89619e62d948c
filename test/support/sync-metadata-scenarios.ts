/** What follows at the target when the metadata of a source changes: run by a test and by a soak on sources of several versions. */
import assert from 'node:assert/strict'
import { isJsonObject, type JsonObject } from '../../src/base/json.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'
import { planEditKind } from '../../src/state/records.ts'
import { kind } from '../../src/state/store.ts'
import { newState } from './metadata.ts'
import { aliasesOn, isTyped, onTarget, openWorld, recordOf, write } from './sync-metadata.ts'

interface Engines {
  readonly source: TestEngine
  readonly target: TestEngine
}

export interface Scenario {
  readonly name: string
  /** First major version of Elasticsearch that can do what it takes; before 2 the UUID of a cluster is not told, and mappings come late. */
  readonly since?: number
  readonly run: (engines: Engines) => Promise<void>
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'indices made, rolled over and deleted straight at the source are so on the target',
    since: 5,
    run: async ({ source, target }) => {
      const prefix = uniqueName('set')
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      const alias = `${prefix}-log`
      // The newest index is marked since 6.4; before it is the only one that has the alias.
      const marks = !source.version.startsWith('5')
      await send(source, 'PUT', `/${prefix}-000001`, {
        aliases: { [alias]: marks ? { is_write_index: true } : {} },
        mappings: mappingsOf(source, { n: { type: 'integer' } }),
      })
      for (let i = 0; i < 10; i++) await send(source, 'PUT', `/${prefix}-plain-${i}`, {})
      await world.reconciler.ready()
      for (let i = 0; i < 8; i++) await send(source, 'POST', `/${alias}/_rollover`, {})
      for (let i = 0; i < 5; i++) await send(source, 'DELETE', `/${prefix}-plain-${i}`)
      await send(source, 'DELETE', `/${prefix}-000002`)
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      const { body } = await world.target.request('GET', `/${prefix}*/_alias/${alias}`)
      const written = Object.entries(body).filter(([, index]) =>
        JSON.stringify(index).includes(marks ? '"is_write_index":true' : alias),
      )
      assert.deepEqual(
        written.map(([name]) => name),
        [`${prefix}-000009`],
      )
      const there = Object.keys((await world.target.request('GET', `/${prefix}*`)).body).sort()
      assert.deepEqual(there, Object.keys(await send(source, 'GET', `/${prefix}*`)).sort())
      assert.equal(there.length, 13)
      assert.equal(world.gone.length, 5)
      for (const name of there) {
        const places = await world.reconciler.placesOf(name)
        assert.ok(Array.isArray(places) && places.length === 1, name)
      }
      assert.equal(await world.reconciler.placesOf(`${prefix}-000002`), 'left-out')
    },
  },
  {
    name: 'an index that was deleted and made by a write is made anew, and its records are in doubt',
    run: async ({ source, target }) => {
      const prefix = uniqueName('anew')
      await write(source, prefix, { a: 1 })
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      const before = (await recordOf(world, prefix))!
      await send(source, 'DELETE', `/${prefix}`)
      await write(source, prefix, { a: 'text now' })
      await world.reconciler.ready()
      const after = (await recordOf(world, prefix))!
      assert.notEqual(after.targetUuid, before.targetUuid)
      assert.notEqual(after.fenceAlias, before.fenceAlias)
      assert.ok(world.refilled.includes(prefix))
      assert.deepEqual(world.reconciler.doubts.get(prefix)?.ends, { stream: 2 })
      const { mappings: found } = (await onTarget(world, prefix)) as { mappings: JsonObject }
      assert.equal((found.properties as { a: JsonObject }).a.type, 'text')
    },
  },
  {
    name: 'a restore over a closed index is another life of it, with another fence',
    run: async ({ source, target }) => {
      const prefix = uniqueName('restored')
      const { name: repository, location } = source.makeRepository()
      await write(source, prefix, { a: 1 })
      await send(source, 'PUT', `/_snapshot/${repository}`, { type: 'fs', settings: { location } })
      await send(source, 'PUT', `/_snapshot/${repository}/one?wait_for_completion=true`, {
        indices: prefix,
      })
      await write(source, prefix, { a: 2 }, '2')
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      const before = (await recordOf(world, prefix))!
      await send(source, 'POST', `/${prefix}/_close`)
      await world.reconciler.ready()
      assert.equal((await recordOf(world, prefix))!.targetUuid, before.targetUuid)
      await send(source, 'POST', `/_snapshot/${repository}/one/_restore?wait_for_completion=true`, {
        indices: prefix,
      })
      await world.reconciler.ready()
      const after = (await recordOf(world, prefix))!
      assert.equal(after.sourceUuid, before.sourceUuid)
      assert.equal(after.fenceAlias, `${before.fenceAlias}.1`)
      assert.notEqual(after.targetUuid, before.targetUuid)
      assert.ok(world.reconciler.doubts.get(prefix))
      // As another run finds it: nothing is made anew again.
      const next = await openWorld({ source, target, prefix, state: world.state })
      await next.reconciler.reconcile('all')
      assert.deepEqual(next.refilled, [])
      assert.equal((await recordOf(next, prefix))!.targetUuid, after.targetUuid)
      await send(source, 'DELETE', `/_snapshot/${repository}`)
    },
  },
  {
    name: "mapping, settings and aliases go with the source's",
    since: 2,
    run: async ({ source, target }) => {
      const prefix = uniqueName('changed')
      const [first, second, alias] = [`${prefix}-1`, `${prefix}-2`, `${prefix}-alias`]
      await send(source, 'PUT', `/${first}`, { aliases: { [alias]: {} } })
      await send(source, 'PUT', `/${second}`, {})
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      await write(source, first, { order: 5 })
      await write(source, first, { order: 7.5 }, '2')
      await send(source, 'PUT', `/${first}/_settings`, {
        index: { refresh_interval: '7s', number_of_replicas: 2 },
      })
      const filter = { term: { order: 5 } }
      await send(source, 'POST', '/_aliases', {
        actions: [
          { remove: { index: first, alias } },
          { add: { index: second, alias, routing: 'r', filter } },
        ],
      })
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      const { mappings: found, settings } = (await onTarget(world, first)) as {
        mappings: { properties: JsonObject }
        settings: { index: JsonObject }
      }
      assert.deepEqual(found.properties, { order: { type: 'long' } })
      assert.equal(settings.index.refresh_interval, '7s')
      assert.equal(settings.index.number_of_replicas, '2')
      assert.deepEqual(await aliasesOn(world, first), {})
      assert.deepEqual(await aliasesOn(world, second), {
        [alias]: { filter, index_routing: 'r', search_routing: 'r' },
      })
      // Its name goes to an index, and the other way round.
      await send(source, 'DELETE', `/${first}`)
      await send(source, 'POST', '/_aliases', {
        actions: [{ remove: { index: second, alias } }, { add: { index: second, alias: first } }],
      })
      await send(source, 'PUT', `/${alias}`, { settings: { number_of_shards: 1 } })
      await send(source, 'PUT', `/${first.replace('-1', '-3')}`, {})
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.ok(isJsonObject(await onTarget(world, alias)))
      assert.deepEqual(Object.keys(await aliasesOn(world, second)), [first])
    },
  },
  {
    name: 'what the target refuses waits by name, and the rest goes on',
    since: 2,
    run: async ({ source, target }) => {
      const prefix = uniqueName('refused')
      const [taken, grown, fine] = ['taken', 'grown', 'fine'].map(
        (name) => `${prefix}-${name}`,
      ) as [string, string, string]
      await send(source, 'PUT', `/${grown}`, {})
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      await send(target, 'PUT', `/${taken}`, { mappings: { properties: { x: { type: 'ip' } } } })
      await send(target, 'PUT', `/${grown}/_mapping`, { properties: { a: { type: 'ip' } } })
      await send(source, 'PUT', `/${taken}`, {})
      await send(source, 'PUT', `/${fine}`, {})
      await write(source, grown, { a: 5 })
      await world.reconciler.ready()
      const waits = world.reconciler.notInStep().waiting.map(({ index }) => index)
      assert.deepEqual(waits.sort(), [grown, taken])
      assert.match(
        JSON.stringify(await world.reconciler.placesOf(grown)),
        /mapping.*cannot be changed/,
      )
      assert.match(JSON.stringify(await world.reconciler.placesOf(taken)), /did not make it/)
      assert.ok(Array.isArray(await world.reconciler.placesOf(fine)))
      // Never an index that was there before.
      await send(source, 'DELETE', `/${taken}`)
      await world.reconciler.reconcile('all')
      assert.ok(isJsonObject(await onTarget(world, taken)))
      // Nor one that took the place of ours.
      await send(target, 'DELETE', `/${fine}`)
      await send(target, 'PUT', `/${fine}`)
      await send(source, 'DELETE', `/${fine}`)
      await world.reconciler.reconcile('all')
      assert.ok(isJsonObject(await onTarget(world, fine)))
      await send(target, 'DELETE', `/${fine}`)
      // Mended by a person.
      await send(target, 'DELETE', `/${grown}`)
      await world.reconciler.reconcile('all')
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.ok(world.refilled.includes(grown))
      await send(target, 'DELETE', `/${taken}`)
    },
  },
  {
    name: 'an index that is shrunk from another has its mapping and shards',
    since: 5,
    run: async ({ source, target }) => {
      const prefix = uniqueName('shrunk')
      const [wide, narrow] = [`${prefix}-wide`, `${prefix}-narrow`]
      await send(source, 'PUT', `/${wide}`, {
        settings: { number_of_shards: 4, number_of_replicas: 0 },
        mappings: mappingsOf(source, { n: { type: 'short' } }),
      })
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      await send(source, 'PUT', `/${wide}/_settings`, { 'index.blocks.write': true })
      await send(source, 'POST', `/${wide}/_shrink/${narrow}?wait_for_active_shards=1`, {
        settings: { 'index.number_of_shards': 2, 'index.blocks.write': null },
      })
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      const { mappings, settings } = (await onTarget(world, narrow)) as {
        mappings: { properties: JsonObject }
        settings: { index: JsonObject }
      }
      assert.deepEqual(mappings.properties, { n: { type: 'short' } })
      assert.equal(settings.index.number_of_shards, '2')
      assert.equal(
        settings.index.number_of_routing_shards,
        String(world.view.index(narrow)!.numberOfRoutingShards),
      )
      // The write block of the source comes with the switch.
      const withheld = (await recordOf(world, wide))!.withheld
      assert.deepEqual(withheld, { 'index.blocks.write': 'true' })
      const { settings: found } = (await onTarget(world, wide)) as { settings: JsonObject }
      assert.ok(!JSON.stringify(found).includes('blocks'))
    },
  },
  {
    name: 'nothing is asked but for the version of the cluster state while that is the same, and of the source alone',
    run: async ({ source, target }) => {
      const prefix = uniqueName('quiet')
      await send(source, 'PUT', `/${prefix}`, {})
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      const asked: string[] = []
      for (const cluster of [world.source, world.target]) {
        const request = cluster.request.bind(cluster)
        cluster.request = (method, path, options) => {
          asked.push(path)
          return request(method, path, options)
        }
      }
      // Other tests change the source, too: it is settled by then.
      for (let tries = 0; tries < 100; tries++) {
        asked.length = 0
        await world.reconciler.ready()
        if (asked.length === 1) break
      }
      assert.deepEqual(asked, ['/_cluster/state/version'])
    },
  },
  {
    name: 'killed at any request, the next run makes the index anew that was deleted and made anew',
    since: 5,
    run: async ({ source, target }) => {
      const prefix = uniqueName('killed')
      const [index, alias] = [`${prefix}-index`, `${prefix}-alias`]
      const make = (type: string): Promise<unknown> =>
        send(source, 'PUT', `/${index}`, {
          settings: { number_of_shards: 1, number_of_replicas: 0 },
          mappings: mappingsOf(source, { a: { type } }),
          aliases: { [alias]: {} },
        })
      await make('long')
      const state = await newState()
      let world = await openWorld({ source, target, prefix, state })
      await world.reconciler.reconcile('all')
      for (const requests of [1, 4, 12, 18]) {
        const before = (await recordOf(world, index))!
        const type = requests % 2 === 0 ? 'text' : 'keyword'
        await send(source, 'DELETE', `/${index}`)
        await make(type)
        let left = requests
        const request = world.target.request.bind(world.target)
        world.target.request = (method, path, options) =>
          left-- > 0 ? request(method, path, options) : Promise.reject(new Error('killed'))
        await world.reconciler.ready().catch((error: unknown) => {
          assert.match((error as Error).message, /killed/)
        })
        world = await openWorld({ source, target, prefix, state })
        await world.reconciler.reconcile('all')
        assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
        const after = (await recordOf(world, index))!
        assert.equal(after.sourceUuid, world.view.index(index)!.uuid)
        assert.notEqual(after.targetUuid, before.targetUuid)
        assert.ok(world.reconciler.doubts.get(index))
        const { mappings, aliases } = (await onTarget(world, index)) as {
          mappings: { properties: JsonObject }
          aliases: JsonObject
        }
        assert.deepEqual(mappings.properties, { a: { type } })
        assert.deepEqual(Object.keys(aliases).sort(), [after.fenceAlias, alias].sort())
      }
    },
  },
  {
    name: 'another cluster in the place of the source is refused',
    since: 2,
    run: async ({ source, target }) => {
      const prefix = uniqueName('other')
      const state = await newState()
      const known = kind<string>('source-cluster')
      await state.commit([{ op: 'put', kind: known, key: 'source', value: 'of before' }])
      await assert.rejects(openWorld({ source, target, prefix, state }), /another cluster/)
    },
  },
  {
    name: 'what a person has changed in a plan file stays so, and what was left out stays out',
    since: 5,
    run: async ({ source, target }) => {
      const prefix = uniqueName('edited')
      const [edited, out] = [`${prefix}-edited`, `${prefix}-out`]
      await send(source, 'PUT', `/${edited}`, {
        mappings: mappingsOf(source, { s: { type: 'text' } }),
      })
      await send(source, 'PUT', `/${out}`, {})
      const state = await newState()
      const bodyOf = (type: string): JsonObject => ({ mappings: { properties: { s: { type } } } })
      await state.commit(
        [
          { name: edited, planned: bodyOf('text'), edited: bodyOf('keyword') },
          { name: out, planned: {}, edited: null },
        ].map((edit) => {
          const value = { kind: 'index', ...edit }
          return { op: 'put', kind: planEditKind, key: `index ${edit.name}`, value }
        }),
      )
      const world = await openWorld({ source, target, prefix, state })
      await world.reconciler.reconcile('all')
      await write(source, edited, { s: 'text', n: 1 })
      await write(source, out, { n: 1 })
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      const { mappings } = (await onTarget(world, edited)) as {
        mappings: { properties: JsonObject }
      }
      assert.deepEqual(mappings.properties, { n: { type: 'long' }, s: { type: 'keyword' } })
      assert.equal(await onTarget(world, out), undefined)
      assert.equal(await world.reconciler.placesOf(out), 'left-out')
    },
  },
  {
    name: 'templates, pipelines and scripts that this migration has put there go with the source’s, others stay',
    since: 5,
    run: async ({ source, target }) => {
      const prefix = uniqueName('objects')
      const [kept, changed, foreign] = ['kept', 'changed', 'foreign'].map(
        (name) => `${prefix}-${name}`,
      ) as [string, string, string]
      const template = (order: number): JsonObject => ({
        ...(source.version.startsWith('5')
          ? { template: `${prefix}-none-*` }
          : { index_patterns: [`${prefix}-none-*`] }),
        order,
        settings: { number_of_replicas: 0 },
      })
      const pipeline = (value: number): JsonObject => ({
        description: `number ${value}`,
        processors: [],
      })
      const script = (source: string): JsonObject => ({ script: { lang: 'mustache', source } })
      for (const name of [kept, changed, foreign]) {
        await send(source, 'PUT', `/_template/${name}`, template(1))
        await send(source, 'PUT', `/_ingest/pipeline/${name}`, pipeline(1))
      }
      // The engines of the tests lack the modules for scripts since 8.
      const hasScripts = source.kind === 'opensearch' || Number.parseInt(source.version, 10) < 8
      if (hasScripts) await send(source, 'PUT', `/_scripts/${changed}`, script('1'))
      const options = { templates: true, pipelines: true }
      const world = await openWorld({ source, target, prefix, options })
      await world.reconciler.reconcile('all')
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      await send(target, 'PUT', `/_template/${foreign}`, template(7))
      await send(target, 'PUT', `/_ingest/pipeline/${foreign}`, pipeline(7))
      for (const name of [changed, foreign]) {
        await send(source, 'PUT', `/_template/${name}`, template(2))
        await send(source, 'PUT', `/_ingest/pipeline/${name}`, pipeline(2))
      }
      if (hasScripts) await send(source, 'PUT', `/_scripts/${changed}`, script('2'))
      await world.reconciler.reconcile('all')
      const order = async (name: string): Promise<unknown> => {
        const { body } = await world.target.request('GET', `/_template/${name}`, { accept: [404] })
        return (body[name] as JsonObject | undefined)?.order
      }
      const value = async (name: string): Promise<string> =>
        JSON.stringify(
          (await world.target.request('GET', `/_ingest/pipeline/${name}`, { accept: [404] })).body,
        )
      assert.deepEqual(await Promise.all([kept, changed, foreign].map(order)), [1, 2, 7])
      assert.match(await value(changed), /number 2/)
      assert.match(await value(foreign), /number 7/)
      if (hasScripts) {
        const there = JSON.stringify(await send(target, 'GET', `/_scripts/${changed}`))
        assert.match(there, /"source":"2"/)
      }
      assert.deepEqual(
        world.reconciler
          .notInStep()
          .different.map(({ name }) => name)
          .sort(),
        [`ingest-pipeline ${foreign}`, `legacy-template ${foreign}`],
      )
      for (const name of [kept, changed, foreign]) {
        await send(source, 'DELETE', `/_template/${name}`)
        await send(source, 'DELETE', `/_ingest/pipeline/${name}`)
      }
      if (hasScripts) await send(source, 'DELETE', `/_scripts/${changed}`)
      // Another run of sync, too.
      const next = await openWorld({ source, target, prefix, options, state: world.state })
      await next.reconciler.reconcile('all')
      assert.deepEqual(await Promise.all([kept, changed, foreign].map(order)), [
        undefined,
        undefined,
        7,
      ])
      assert.equal(await value(changed), '{}')
      await send(target, 'DELETE', `/_template/${foreign}`)
      await send(target, 'DELETE', `/_ingest/pipeline/${foreign}`)
    },
  },
]

/** For sources that have data streams. */
export const streamScenarios: readonly Scenario[] = (['stream', 'alias'] as const).map(
  (dataStreams) => ({
    name: `a data stream is made, rolled over and deleted as on the source (dataStreams: ${dataStreams})`,
    run: async ({ source, target }) => {
      const prefix = uniqueName('streams')
      const stream = `${prefix}-logs`
      await send(source, 'PUT', `/_index_template/${prefix}-template`, {
        index_patterns: [stream],
        data_stream: {},
        priority: 200,
        template: { settings: { number_of_replicas: 0 } },
      })
      const options = { templates: true, dataStreams }
      const world = await openWorld({ source, target, prefix, options })
      await world.reconciler.reconcile('all')
      await send(source, 'PUT', `/_data_stream/${stream}`)
      await world.reconciler.ready()
      await send(source, 'POST', `/${stream}/_doc`, { '@timestamp': '2026-01-01', n: 5 })
      await send(source, 'POST', `/${stream}/_rollover`)
      await world.reconciler.reconcile('all')
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      const behind = async (): Promise<string[]> => {
        const names = [...world.view.indices()].map(({ name }) => name).sort()
        const records = await Promise.all(names.map((name) => recordOf(world, name)))
        return records.map((record) => record!.targetIndex)
      }
      const there = async (): Promise<string[]> => {
        const path = `/.ds-${stream}-*`
        const query = { expand_wildcards: 'all' }
        return Object.keys((await world.target.request('GET', path, { query })).body).sort()
      }
      assert.equal((await there()).length, 2)
      assert.deepEqual(await there(), await behind())
      const first = (await there())[0]!
      const { mappings } = (await onTarget(world, first)) as {
        mappings: { properties: JsonObject }
      }
      assert.deepEqual(mappings.properties.n, { type: 'long' })
      const [oldest] = [...world.view.streams()][0]!.indices
      await send(source, 'DELETE', `/${oldest!}`)
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.equal((await there()).length, 1)
      // Deleted and made anew, so that the names of its indices are as before.
      await send(source, 'DELETE', `/_data_stream/${stream}`)
      await send(source, 'PUT', `/_data_stream/${stream}`)
      await world.reconciler.ready()
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.deepEqual(await there(), await behind())
      await send(source, 'DELETE', `/_data_stream/${stream}`)
      await send(source, 'DELETE', `/_index_template/${prefix}-template`)
      await world.reconciler.reconcile('all')
      await world.reconciler.reconcile('all')
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.deepEqual(await there(), [])
    },
  }),
)

function mappingsOf(source: TestEngine, properties: JsonObject): JsonObject {
  return isTyped(source) ? { doc: { properties } } : { properties }
}
