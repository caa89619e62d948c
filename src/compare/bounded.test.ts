import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manyDocuments } from '../../test/support/many-documents.ts'

test('a million documents a side take the memory of the sums, and each difference is found', async () => {
  const { counts, found, passes, grownMb } = await manyDocuments({
    ...{ documents: 1_000_000, shards: 4, slices: 2, differences: 60 },
  })
  assert.deepEqual(counts, { equal: 999_960, different: 20, missing: 20, extra: 20 })
  assert.equal(found, 60)
  assert.equal(passes, 1)
  assert.ok(grownMb < 150, `${grownMb} MB`)
})
