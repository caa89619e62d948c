/** The cases of the metadata rules, each put as an index onto the target that it is for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { casesFor, tryCases } from '../support/rule-cases.ts'

const targets = [
  { version: '1.3.20', knn: false },
  { version: '2.19.4', knn: false },
  { version: '3.6.0', knn: false },
  { version: '3.6.0-knn', knn: true },
]

for (const { version, knn } of targets) {
  test(`the cases of the rules hold on OpenSearch ${version}`, async (t) => {
    const plugin = knn ? { plugin: 'opensearch-knn' } : {}
    const target = await useEngine('opensearch', version, { own: true, ...plugin })
    if (target.skip !== false) return t.skip(target.skip)
    const cases = casesFor(version, knn)
    assert.ok(cases.length > 20, `${cases.length} cases`)
    assert.deepEqual(await tryCases(target, cases, 'index'), [])
    await target.stop()
  })
}
