/** The protocol of cut-over and back-out as a model: test/support/cutover-model.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore, rules, type Rule, type Rules } from '../../test/support/cutover-model.ts'

const all = Object.fromEntries(Object.keys(rules).map((name) => [name, true])) as Rules

const worlds = [
  { name: 'over to the other side, three writes', turns: 1, writes: 3 },
  { name: 'over and back, two writes', turns: 2, writes: 2 },
  { name: 'three turns, one write', turns: 3, writes: 1 },
]

for (const { name, ...world } of worlds) {
  test(`no order of steps breaks a promise, and each can come to rest: ${name}`, (t) => {
    const { states, steps, broken, stuck, stuckSteps } = explore({ ...world, rules: all })
    t.diagnostic(`${states} states, ${steps} steps`)
    assert.deepEqual(broken, undefined)
    assert.equal(stuck, 0, stuckSteps?.join('\n'))
  })
}

for (const [rule, sentence] of Object.entries(rules) as [Rule, string][]) {
  test(`some order of steps breaks a promise unless ${sentence}`, (t) => {
    const { broken } = explore({ turns: 2, writes: 1, rules: { ...all, [rule]: false } })
    assert.ok(broken, 'a promise is broken')
    t.diagnostic(`${broken.promise}: ${broken.steps.join('; ')}`)
  })
}
