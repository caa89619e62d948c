/** Changes of a real source get to a real target: whatever their order, and however they were told of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertSame,
  deleteDocument,
  makeApplierWorld,
  putDocument,
  readOf,
} from '../support/applier-world.ts'
import { useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

test(
  'a write, a delete and a read reach the target under the numbers of the source',
  { skip },
  async (t) => {
    const world = await makeApplierWorld(t, { source, target })
    const { index } = world
    const written = await putDocument(world, 'written', { n: 1 })
    const gone = await putDocument(world, 'gone', { n: 2 })
    const deleted = await deleteDocument(world, 'gone')
    const unread = await putDocument(world, 'read', { n: 3.0, 'a.b': [1, 2] })
    assert.equal(await world.apply(deleted, written, gone, readOf(index, 'read')), true)
    assert.equal(await assertSame(world), 2)
    const numbers = [written, gone, deleted, unread].map(({ seqNo }) => seqNo!)
    assert.deepEqual(world.accounted.get(index)!.toSorted(), numbers.toSorted())
  },
)
