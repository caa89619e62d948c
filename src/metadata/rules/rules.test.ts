import assert from 'node:assert/strict'
import test from 'node:test'
import { casesOf, runCase, shortChanges } from './cases.ts'
import { rules } from './table.ts'

for (const one of casesOf(rules)) {
  test(`rule ${one.name}: ${one.title}`, () => {
    const translated = runCase(one)
    const { settings, mapping } = translated
    assert.deepEqual({ settings, mapping }, one.after)
    assert.deepEqual(shortChanges(translated), one.case.changes)
  })
}

test('the table has at least 150 cases, and one for every rule', () => {
  assert.ok(casesOf(rules).length >= 150, `${casesOf(rules).length} cases`)
  assert.deepEqual(
    rules.filter(({ cases }) => cases.length === 0).map(({ name }) => name),
    [],
  )
})

test('rules have names of their own, a reason and a link', () => {
  const names = rules.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, why, link } of rules) {
    assert.match(name, /^[a-z0-9][a-z0-9.-]*$/)
    assert.ok(why.length > 0, name)
    assert.match(link, /^https:\/\//, name)
  }
})
