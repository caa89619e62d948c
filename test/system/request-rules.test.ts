/** What the request rules make of old forms is answered by OpenSearch 3 as the old engine answers the old form. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uniqueName, useEngine } from '../support/engines.ts'
import { askableCases, tryRequestCases } from '../support/request-rule-cases.ts'
import { fillShop } from '../support/search-shop.ts'

const six = await useEngine('elasticsearch', '6')
const seven = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')

for (const [on, source, least] of [
  ['6.8 > 3.6', six, 25],
  ['7.10 > 3.6', seven, 8],
] as const) {
  test(
    `the cases of the request rules ${on} hold on real engines`,
    { skip: target.skip },
    async () => {
      const index = uniqueName('request-rules')
      await Promise.all([fillShop(source, index), fillShop(target, index)])
      const cases = askableCases(on)
      assert.ok(cases.length >= least, `${cases.length} cases`)
      assert.deepEqual(await tryRequestCases(cases, { source, target, index }), [])
    },
  )
}
