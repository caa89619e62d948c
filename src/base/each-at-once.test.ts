import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { eachAtOnce } from './each-at-once.ts'

test('items are worked on a few at a time, and the results come in their order', async () => {
  let underWay = 0
  let most = 0
  const results = await eachAtOnce([5, 1, 4, 2, 3], 2, async (turns) => {
    most = Math.max(most, ++underWay)
    for (let i = 0; i < turns; i++) await turn()
    underWay--
    return turns * 10
  })
  assert.deepEqual(results, [50, 10, 40, 20, 30])
  assert.equal(most, 2)
  assert.deepEqual(await eachAtOnce([], 2, async () => 1), [])
})

test('after a failure nothing is begun, what is under way ends, and the first failure is thrown', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const work = async (item: number): Promise<void> => {
    begun.push(item)
    for (let i = 0; i < item; i++) await turn()
    if (item === 1) throw new Error('first')
    ended.push(item)
  }
  await assert.rejects(eachAtOnce([1, 4, 1, 1], 2, work), /first/)
  assert.deepEqual([begun, ended], [[1, 4], [4]])
})
