import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { loadConfig } from './config.ts'
import { withMigration } from './migration.ts'
import { sampleTransform, type TransformSamples } from './transform-sample.ts'

const repository = fileURLToPath(
  new URL('../../test/fixtures/elasticsearch-7.10.2/compressed/repository', import.meta.url),
)

async function sample(t: TestContext, transform: string, count = 20): Promise<TransformSamples> {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-sample-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'migration.yaml')
  writeFileSync(
    file,
    `version: 1
select: { include: [plain, nested] }
snapshot: { repository: ${repository}, name: s1 }
${transform}
`,
  )
  writeFileSync(
    join(folder, 'shop.js'),
    `export function document(d) {
       d.source.first = d.source.msg.split(' ')[0]
       return d
     }
     export function documentBack(d) {
       if (d.source.n === 1) throw new Error('no way back')
       if (d.source.n !== 2) delete d.source.first
       return d
     }`,
  )
  const { signal } = new AbortController()
  return withMigration(await loadConfig({ file }), signal, (one) => sampleTransform(one, count))
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
