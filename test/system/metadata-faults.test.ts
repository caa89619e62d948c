/** A target that refuses or is busy half way: each object has its outcome, and a second run does the rest. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { useEngine } from '../support/engines.ts'
import { failures, makeFaultyMigration } from '../support/faulty-migration.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

test('403, 429 and 503 are outcomes of the objects that they are about', { skip }, async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const { relay, migrate, made } = await makeFaultyMigration(t, { source, target, names })
  const { forbidden, busy, down } = failures
  const attempts = new Map<string, number>()
  let templateFails = true
  relay.answer = (request) => {
    const name = made(request) ?? ''
    const attempt = (attempts.get(name) ?? 0) + 1
    attempts.set(name, attempt)
    if (name === 'template' && templateFails) return forbidden
    if (name === 'pipeline' && attempt === 1) return busy
    if (name === 'b') return forbidden
    if (name === 'c' && attempt < 3) return down
    if (name === 'd') return busy
    return undefined
  }
  const first = await migrate(3)
  assert.deepEqual(first.outcomes, {
    pipeline: 'created',
    template: 'failed',
    ...{ a: 'waiting', b: 'waiting', c: 'waiting', d: 'waiting', e: 'waiting' },
  })
  assert.match(
    first.objects[1]!.reason!,
    /may not do this, which PUT \/_template.*403: no permissions for/,
  )
  assert.match(first.objects[2]!.reason!, /templates were refused or have failed/)

  templateFails = false
  const second = await migrate(3)
  assert.deepEqual(second.outcomes, {
    pipeline: 'unchanged',
    template: 'created',
    ...{ a: 'created', b: 'failed', c: 'created', d: 'failed', e: 'created' },
  })
  const reasons = second.objects.map(({ reason = '' }) => reason)
  assert.match(reasons[3]!, /which PUT .* needs \(403/)
  assert.match(reasons[5]!, /429 circuit_breaking_exception: \[parent\] Data too large/)

  relay.answer = () => undefined
  const third = await migrate(0)
  assert.deepEqual(third.outcomes, {
    ...{ pipeline: 'unchanged', template: 'unchanged' },
    ...{ a: 'unchanged', b: 'created', c: 'unchanged', d: 'created', e: 'unchanged' },
  })
})
