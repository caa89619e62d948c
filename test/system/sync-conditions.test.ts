/**
 * What breaks the rule that the source's number is the version, each on an index of its own, in one live migration: a proxy,
 * a snapshot and a drain for each would take minutes. What needs engines of another kind is in sync-conditions.soak.ts.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { ask, until } from '../support/capture.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startFaultyTarget } from '../support/faulty-target.ts'
import { differencesOf, type Difference } from '../support/sync-compare.ts'
import { ConditionClient } from '../support/sync-conditions.ts'
import { LiveMigration, stoppedOf } from '../support/sync-live.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target
const prefix = `${uniqueName('live')}-`

let differences: Difference[] = []
/** The alias by which the index that was deleted later was written to. */
let fence: string

let cleanUp: (() => Promise<void>) | undefined
// Not within before(): what is registered there runs when that hook ends.
after(() => cleanUp?.())

before(async () => {
  if (skip !== false) return
  const relay = await startFaultyTarget(
    () => target.port,
    () => 1,
  )
  const live = new LiveMigration({ source, targetUrl: relay.url, prefix })
  await live.startProxy()
  const client = new ConditionClient({ source, prefix, proxy: () => live.proxy.url })
  cleanUp = async () => {
    await live.endSync('SIGKILL')
    await live.proxy.kill()
    await relay.close()
    await client.remove()
    await send(target, 'DELETE', `/${prefix}*`)
  }
  await client.prepare()
  await live.takeSnapshot()
  fence = await fenceOf(`${prefix}recreated`)
  await live.startSync()
  await client.deleteBeforeBackfill()
  await until('the deletes are on the target', () => isThere(`${prefix}marker`, 'deleted'))
  await send(target, 'POST', `/${prefix}tombs/_close`)
  await send(target, 'POST', `/${prefix}tombs/_open?wait_for_active_shards=1`)
  await Promise.all([
    live.backfill(),
    client.restore(),
    client.recreate(),
    client.routing(),
    client.lazy(),
    client.immense(),
    client.clientVersions(1_710_000_000_000),
    client.smallVersions(),
    client.dynamicTypes(),
  ])
  const view = await live.drain('4m')
  assert.equal(view.status?.audit?.verdict, 'caught-up')
  assert.deepEqual(stoppedOf(view), [])
  const byClients = [`${prefix}clients`, `${prefix}small`]
  const exactVersions = (index: string): boolean => byClients.includes(index)
  differences = await differencesOf(source, target, prefix, { exactVersions })
})

const conditions = {
  restored: 'an older snapshot is restored over a closed index',
  recreated: 'an index is deleted at the source, and made again by the next write',
  routed: 'routing comes from an alias that changes, and from a pipeline',
  lazy: 'an index is never refreshed',
  immense: 'Lucene refuses documents that have their numbers already',
  clients: 'clients give the versions, in milliseconds',
  small: 'clients give versions that are smaller than the numbers',
  'typed-': 'the order of writes decides what a field is',
  tombs: 'the target forgets its deletes before the backfill brings what was deleted',
  '': 'nothing else is different',
}
for (const [name, sentence] of Object.entries(conditions)) {
  test(`equal although ${sentence}`, { skip }, async () => {
    const found = differences.filter(({ index }) => index.startsWith(prefix + name))
    assert.deepEqual(found, [])
    const pattern = `/${prefix}${name}*`
    await send(target, 'POST', `${pattern}/_refresh`)
    const { count } = await send<{ count: number }>(target, 'GET', `${pattern}/_count`)
    assert.ok(count > 0, 'there is something to be equal')
  })
}

test('fields that the order of writes decided are the same', { skip }, async () => {
  const [there, here] = await Promise.all([fieldsOf(source.url), fieldsOf(target.url)])
  assert.deepEqual(here, there)
})

test(
  'a late writer of a deleted index writes and deletes nothing, and makes no index',
  { skip },
  async () => {
    const body = JSON.stringify({ late: true })
    const headers = { 'content-type': 'application/json' }
    const query = '?version=9000000000&version_type=external_gte'
    const write = {
      method: 'PUT',
      target: `/${fence}/_doc/late${query}&require_alias=true`,
      headers,
      body,
    }
    const remove = { method: 'DELETE', target: `/${fence}/_doc/late${query}` }
    for (const request of [write, remove]) {
      const { status } = await ask(target.url, request)
      assert.equal(Math.floor(status / 100), 4, `${request.method} was answered ${status}`)
    }
    const { status } = await ask(target.url, { method: 'GET', target: `/${fence}` })
    assert.equal(status, 404)
  },
)

async function fenceOf(index: string): Promise<string> {
  const answer = await send<{ [index: string]: { aliases: JsonObject } }>(
    target,
    'GET',
    `/${index}/_alias`,
  )
  const found = Object.keys(answer[index]!.aliases).find((name) => name.startsWith('osmigrate-'))
  assert.ok(found, `${index} has an alias that fences it`)
  return found
}

async function isThere(index: string, id: string): Promise<boolean> {
  const { status } = await ask(target.url, { method: 'GET', target: `/${index}/_doc/${id}` })
  return status === 200
}

async function fieldsOf(url: string): Promise<object> {
  const { body } = await ask(url, { method: 'GET', target: `/${prefix}typed-*/_mapping` })
  return JSON.parse(body.toString()) as object
}
