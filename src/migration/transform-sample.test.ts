import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { loadConfig } from './config.ts'
import { withMigration, type Migration } from './migration.ts'
import { sampleTransform, tryRequests, type TransformSamples } from './transform-sample.ts'

const newer = fileURLToPath(
  new URL('../../test/fixtures/elasticsearch-7.10.2/compressed/repository', import.meta.url),
)

const withInverse = `export function document(d) {
       d.source.first = d.source.msg.split(' ')[0]
       return d
     }
     export function documentBack(d) {
       if (d.source.n === 1) throw new Error('no way back')
       if (d.source.n !== 2) delete d.source.first
       return d
     }`

interface Configured {
  transform: string
  module?: string
  repository?: string
  include?: string
}

/** Work on a migration whose `transform` may name ./shop.js. */
async function inMigration<T>(
  t: TestContext,
  { transform, module = withInverse, repository = newer, include = 'plain, nested' }: Configured,
  work: (migration: Migration) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-sample-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'migration.yaml')
  const yaml = [
    'version: 1',
    `select: { include: [${include}] }`,
    `snapshot: { repository: ${repository}, name: s1 }`,
    transform,
  ]
  writeFileSync(file, yaml.join('\n'))
  writeFileSync(join(folder, 'shop.js'), module)
  return withMigration(await loadConfig({ file }), new AbortController().signal, work)
}

function sample(
  t: TestContext,
  transform: string,
  count = 20,
  from: Partial<Configured> = {},
): Promise<TransformSamples> {
  return inMigration(t, { transform, ...from }, (one) => sampleTransform(one, count))
}

test('documents of all shards are shown before and after, and what does not come back is told', async (t) => {
  const { samples, untouched, withoutInverse } = await sample(
    t,
    'transform: { module: ./shop.js, index: plain }',
  )
  assert.deepEqual(untouched, ['nested'])
  assert.deepEqual(withoutInverse, { plain: null })
  assert.equal(samples.length, 20)
  const inverseOf = new Map(samples.map(({ before, inverse }) => [before.id, inverse]))
  assert.deepEqual([inverseOf.get('d1'), inverseOf.get('d2')], ['failed', 'different'])
  assert.equal([...inverseOf.values()].filter((one) => one === 'equal').length, 18)
  const { before, after } = samples[0]!
  const { msg } = JSON.parse(before.source) as { msg: string }
  assert.equal(after!.source, `${before.source.slice(0, -1)},"first":"${msg.split(' ')[0]!}"}`)
})

test('a step without an inverse is named, and documents that it does not change are told', async (t) => {
  const { samples, withoutInverse } = await sample(t, 'transform: { remove: c }', 1000)
  assert.deepEqual(withoutInverse, { nested: 'remove', plain: 'remove' })
  const outcomes = new Set(samples.map(({ index, outcome }) => `${index} ${outcome}`))
  assert.deepEqual([...outcomes].sort(), ['nested changed', 'plain unchanged'])
  assert.equal(samples.length, 68 + 35)
})

test('without a transform there is nothing to try: wrong usage', async (t) => {
  await assert.rejects(sample(t, ''), { code: 'MA_CONFIG', message: /no transform is configured/ })
})

test('documents are shown as their mapping types want them, and the inverse gives that back', async (t) => {
  const older = fileURLToPath(
    new URL('../../test/fixtures/elasticsearch-5.6.16/compressed/repository', import.meta.url),
  )
  const { samples } = await sample(t, 'transform: [{ copy: { n: m } }]', 20, {
    repository: older,
    include: 'children',
  })
  const [one] = samples.filter(({ before }) => before.id === 'c8')
  assert.deepEqual(one, {
    index: 'children',
    before: { id: 'c8', routing: 'r8', source: '{"n":8}' },
    after: {
      id: 'c8',
      routing: 'r8',
      source: '{"join":{"name":"event","parent":"p2"},"n":8,"m":8}',
    },
    outcome: 'changed',
    inverse: 'equal',
  })
})

test('requests are tried without any document', async (t) => {
  const module = `export const request = (r) => {
    if (r.body === undefined) throw new Error('no body')
    return { ...r, body: r.body.replace('msg', 'message') }
  }`
  const tried = await inMigration(t, { transform: 'transform: ./shop.js', module }, (migration) =>
    tryRequests(migration, [
      { method: 'GET', path: '/plain/_search', body: '{"query":{"match":{"msg":"a"}}}' },
      { method: 'GET', path: '/plain/_search' },
    ]),
  )
  assert.equal(tried[0]!.after!.body, '{"query":{"match":{"message":"a"}}}')
  assert.match(tried[1]!.failed!, /the request GET \/plain\/_search: shop.js: no body/)
})
