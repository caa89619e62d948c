/** A target that refuses or is busy half way: each object has its outcome, and a second run does the rest. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
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

test('a broken mapping is the outcome of its index, and mended it is made', { skip }, async (t) => {
  const names = ['good', 'kind', 'list', 'deep', 'text']
  const { stem, folder, migrate, evaluate } = await makeFaultyMigration(t, {
    source,
    target,
    names,
  })
  const plan = await evaluate()
  const file = path.join(folder, 'plan.json')
  let deep: JsonObject = { type: 'long' }
  for (let level = 0; level < 25; level++) deep = { properties: { a: deep } }
  const broken: { [name: string]: JsonObject } = {
    kind: { properties: { a: { type: 'none-such' } } },
    list: { properties: 'no' },
    deep,
    text: { dynamic: 'perhaps', properties: { '': { type: 'long' } } },
  }
  const withMappings = (mappings: { [name: string]: JsonObject }): string => {
    const indices = plan.indices.map((index) => {
      const mapping = mappings[index.name.slice(stem.length + 1)]
      return mapping ? { ...index, body: { ...index.body, mappings: mapping } } : index
    })
    return JSON.stringify({ ...plan, indices })
  }
  writeFileSync(file, withMappings(broken))
  const first = await migrate(3, '--plan', file)
  assert.deepEqual(first.outcomes, {
    ...{ pipeline: 'created', template: 'created', good: 'created' },
    ...{ kind: 'refused', list: 'refused', deep: 'refused', text: 'refused' },
  })
  const reasons = first.objects.map(({ name, reason = '' }) => `${name}: ${reason}`).join('\n')
  assert.match(reasons, /-kind: .*No handler for type \[none-such\]/)
  assert.match(reasons, /-deep: .*mapping depth \[20\]/)

  writeFileSync(file, withMappings({}))
  const second = await migrate(0, '--plan', file)
  assert.deepEqual(second.outcomes, {
    ...{ pipeline: 'unchanged', template: 'unchanged', good: 'unchanged' },
    ...{ kind: 'created', list: 'created', deep: 'created', text: 'created' },
  })
})

test(
  'an index that the target is still making when it answers is waited for',
  { skip },
  async (t) => {
    const names = ['a']
    const { stem, relay, migrate, made } = await makeFaultyMigration(t, { source, target, names })
    let looks = 0
    let isPut = false
    relay.answer = (request) => {
      const { method, url = '', headers } = request
      if (method === 'PUT' && made(request) === 'a') {
        isPut = true
        request.pipe(
          http.request({ host: '127.0.0.1', port: target.port, method, path: url, headers }),
        )
        return later
      }
      const isLook = isPut && method === 'GET' && url.startsWith(`/${stem}-a?`)
      return isLook && looks++ === 0
        ? { status: 404, headers: later.headers, body: '{}' }
        : undefined
    }
    const { outcomes } = await migrate(0)
    assert.equal(outcomes.a, 'created')
    assert.ok(looks >= 2)
  },
)

const later = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"acknowledged":false,"shards_acknowledged":false}',
}
