import assert from 'node:assert/strict'
import test from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/base/json.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { aliasesOn, onTarget, openWorld, recordOf, write } from '../support/sync-metadata.ts'

const target = await useEngine('opensearch', '3')

for (const version of ['6', '7']) {
  const source = await useEngine('elasticsearch', version)
  const skip = target.skip
  const isTyped = version === '6'
  const mappings = (properties: JsonObject): JsonObject =>
    isTyped ? { doc: { properties } } : { properties }

  test(
    `Elasticsearch ${version}: indices made, rolled over and deleted straight at the source are so on the target`,
    {
      skip,
    },
    async () => {
      const prefix = uniqueName('set')
      const world = await openWorld({ source, target, prefix })
      await world.reconciler.reconcile('all')
      const alias = `${prefix}-log`
      await send(source, 'PUT', `/${prefix}-000001`, {
        aliases: { [alias]: { is_write_index: true } },
        mappings: mappings({ n: { type: 'integer' } }),
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
        JSON.stringify(index).includes('"is_write_index":true'),
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
        assert.ok(Array.isArray(places) && places[0].target.targetUuid !== '', name)
      }
      assert.equal(await world.reconciler.placesOf(`${prefix}-000002`), 'left-out')
    },
  )

  test(
    `Elasticsearch ${version}: an index that was deleted and made by a write is made anew, and its records are in doubt`,
    {
      skip,
    },
    async () => {
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
  )

  test(
    `Elasticsearch ${version}: a restore over a closed index is another life of it, with another fence`,
    {
      skip,
    },
    async () => {
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
  )

  test(
    `Elasticsearch ${version}: mapping, settings and aliases go with the source's`,
    {
      skip,
    },
    async () => {
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
  )

  test(
    `Elasticsearch ${version}: what the target refuses waits by name, and the rest goes on`,
    {
      skip,
    },
    async () => {
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
      // Mended by a person.
      await send(target, 'DELETE', `/${grown}`)
      await world.reconciler.reconcile('all')
      assert.deepEqual(world.reconciler.notInStep(), { waiting: [], different: [] })
      assert.ok(world.refilled.includes(grown))
      await send(target, 'DELETE', `/${taken}`)
    },
  )
}
