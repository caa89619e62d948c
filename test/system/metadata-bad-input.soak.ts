/** Bad input that takes its time: a target that is gone half way, and mappings that are too large. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { send, useEngine } from '../support/engines.ts'
import { failures, makeFaultyMigration } from '../support/faulty-migration.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

async function shields(): Promise<string> {
  return JSON.stringify(await send(target, 'GET', '/_index_template'))
}

test(
  'a target that stops taking anything is left alone after a few objects',
  { skip },
  async (t) => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const { stem, relay, migrate, made } = await makeFaultyMigration(t, { source, target, names })
    let isDown = false
    relay.answer = (request) => {
      if (made(request) === 'b') isDown = true
      return isDown ? failures.down : undefined
    }
    const first = await migrate(3)
    assert.deepEqual(first.outcomes, {
      ...{ pipeline: 'created', template: 'created' },
      ...{ a: 'created', b: 'failed', c: 'failed', d: 'failed', e: 'waiting', f: 'waiting' },
    })
    assert.match(first.leftOver!, /DELETE \/_index_template\/osmigrate-shield-.* with 503/)
    assert.match(await shields(), new RegExp(`${stem}-f`))

    relay.answer = () => undefined
    const second = await migrate(0)
    assert.deepEqual(second.outcomes, {
      ...{ pipeline: 'unchanged', template: 'unchanged' },
      ...{ a: 'unchanged', b: 'created', c: 'created', d: 'created', e: 'created', f: 'created' },
    })
    assert.equal(second.leftOver, undefined)
    assert.doesNotMatch(await shields(), new RegExp(`${stem}-f`))
  },
)
