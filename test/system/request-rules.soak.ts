/** The cases of the request rules from every older and newer source that they name to every target. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casesOf } from '../../src/transform/request/cases.ts'
import { requestRules } from '../../src/transform/request/table.ts'
import { uniqueName, useEngine, type TestEngine } from '../support/engines.ts'
import { askableCases, tryRequestCases } from '../support/request-rule-cases.ts'
import { fillShop } from '../support/search-shop.ts'

const pairs = [...new Set(casesOf(requestRules).map((one) => one.case.on))].filter(
  (on) => askableCases(on).length > 0,
)
const targets = Map.groupBy(pairs, (on) => on.split(' > ')[1]!)

/** Tests hold one source and one target at a time. */
for (const [version, ofTarget] of targets) {
  for (const on of ofTarget) {
    test(`the cases of the request rules ${on} hold on real engines`, async (t) => {
      const engines: TestEngine[] = []
      try {
        const target = await useEngine('opensearch', version, { own: true })
        engines.push(target)
        if (target.skip !== false) return t.skip(target.skip)
        const source = await useEngine('elasticsearch', on.split(' > ')[0]!, { own: true })
        engines.push(source)
        const index = uniqueName('request-rules')
        await Promise.all([fillShop(source, index), fillShop(target, index)])
        const surprises = await tryRequestCases(askableCases(on), { source, target, index })
        assert.deepEqual(surprises, [])
      } finally {
        for (const engine of engines) await engine.stop()
      }
    })
  }
}
