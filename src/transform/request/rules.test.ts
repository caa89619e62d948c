import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casesOf } from './cases.ts'
import { requestRules } from './table.ts'
import { createRequestTranslator } from './translate.ts'

for (const one of casesOf(requestRules)) {
  test(`request rule ${one.rule.name}: ${one.title}`, () => {
    const { fired, ...request } = createRequestTranslator(one.context)(one.before)
    assert.deepEqual(parsed(request), parsed(one.after))
    assert.deepEqual(fired.map(({ rule }) => rule).sort(), one.fired)
  })
}

function parsed({ body, ...line }: { method: string; path: string; body?: string }): object {
  return {
    ...line,
    body: body
      ?.trim()
      .split('\n')
      .map((text) => JSON.parse(text) as unknown),
  }
}

test('request rules have names of their own, a reason, a link and a case', () => {
  const names = requestRules.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, why, link, cases } of requestRules) {
    assert.match(name, /^[a-z][a-z-]*$/)
    assert.ok(why.length > 0, name)
    assert.match(link, /^https:\/\//, name)
    assert.ok(cases.length > 0, name)
  }
})
