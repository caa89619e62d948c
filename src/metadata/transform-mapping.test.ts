import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { DeclaredAction } from '../transform/spec.ts'
import { Transform } from '../usercode/transform.ts'
import { planTransform } from './transform-mapping.ts'

function transformOf(t: TestContext, ...actions: DeclaredAction[]): Transform {
  const transform = new Transform({
    deadlineMs: 10_000,
    steps: actions.map((action) => {
      const { kind: name } = action
      return { name, indices: ['shop'], options: {}, allowDrop: false, digest: name, action }
    }),
  })
  t.after(() => transform.close())
  return transform
}

const mapping = { properties: { u: { properties: { a: { type: 'long' }, b: { type: 'text' } } } } }
const rename: DeclaredAction = { kind: 'rename', rename: { 'u.a': 'u.n' } }

test('every field that a transform changes in a mapping is a line of the plan', async (t) => {
  const transform = transformOf(t, rename)
  const planned = await planTransform({ transform }, 'shop', mapping)
  assert.deepEqual(planned.mapping, {
    properties: { u: { properties: { b: { type: 'text' }, n: { type: 'long' } } } },
  })
  const [dropped, added, noted] = planned.changes
  assert.equal(planned.changes.length, 3)
  assert.deepEqual(
    [dropped!.what, dropped!.path],
    ['dropped', 'mappings.properties.u.properties.a'],
  )
  assert.deepEqual([added!.what, added!.path], ['added', 'mappings.properties.u.properties.n'])
  assert.match(noted!.reason, /each step has an inverse, so the way back stays open/)
})

test('a step without an inverse is named: the way back will carry transformed documents', async (t) => {
  const transform = transformOf(t, rename, { kind: 'set', set: { x: 1 } })
  const { changes } = await planTransform({ transform }, 'shop', mapping)
  assert.match(changes.at(-1)!.reason, /set has no inverse .* will carry transformed documents/)
})

test('an index that the transform is not for is left alone', async (t) => {
  const transform = transformOf(t, rename)
  assert.deepEqual(await planTransform({ transform }, 'logs', mapping), { mapping, changes: [] })
})

test('an index whose mapping the transform fails on is refused with the reason', async (t) => {
  const transform = transformOf(t, { kind: 'rename', rename: { 'u.a': 'u.b' } })
  const { refused } = await planTransform({ transform }, 'shop', mapping)
  assert.match(refused!, /on the mapping of index shop: u.a cannot become u.b/)
})
