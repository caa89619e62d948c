/** What the metadata rules make is taken by OpenSearch 3, and what they are there for is not; other targets in the soak. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { casesFor, tryCases } from '../support/rule-cases.ts'

const target = await useEngine('opensearch', '3')

test('the cases of the rules hold on a real OpenSearch 3', { skip: target.skip }, async () => {
  const cases = casesFor('3.6', false)
  assert.ok(cases.length > 100, `${cases.length} cases`)
  assert.deepEqual(await tryCases(target, cases, 'simulate'), [])
})
