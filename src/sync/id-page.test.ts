import assert from 'node:assert/strict'
import test from 'node:test'
import { IdPageReader, type ScannedId } from './id-page.ts'

function read(reader: IdPageReader, hits: object[], rest: object = {}): ScannedId[] {
  const found: ScannedId[] = []
  const answer = {
    timed_out: false,
    _shards: { failed: 0 },
    hits: { total: hits.length, hits },
    ...rest,
  }
  reader.read(Buffer.from(JSON.stringify(answer)), 'here', (document) =>
    found.push({ ...document }),
  )
  return found
}

test('reads names and numbers, by the field that holds them', () => {
  const hits = [
    { _id: 'a', _seq_no: 7, _version: 2 },
    { _id: 'b', _routing: 'r', fields: { _seq_no: [2 ** 40 + 3] }, _version: 5 },
    { _id: 'c', _seq_no: -2, _version: 1 },
  ]
  const numbers = (reader: IdPageReader): number[] => read(reader, hits).map(({ number }) => number)
  assert.deepEqual(numbers(new IdPageReader('seqNo')), [7, 2 ** 40 + 3, -1])
  assert.deepEqual(numbers(new IdPageReader('version', (version) => version - 1)), [1, 4, 0])
  assert.deepEqual(numbers(new IdPageReader('none')), [-1, -1, -1])
  assert.equal(read(new IdPageReader('seqNo'), hits)[1]!.routing, 'r')
})

test('documents that differ in id, routing or number have other digests; those that do not have the same', () => {
  const reader = new IdPageReader('seqNo')
  const digests = (hit: object): string => {
    const [{ id1, id2, whole1, whole2 }] = read(reader, [hit]) as [ScannedId]
    return [id1, id2, whole1, whole2].join()
  }
  const hits = [
    { _id: 'a', _seq_no: 7 },
    { _id: 'a', _seq_no: 8 },
    { _id: 'a', _seq_no: 7 + 2 ** 32 },
    { _id: 'a', _seq_no: -1 },
    { _id: 'a', _routing: 'a', _seq_no: 7 },
    { _id: '["a",null]', _seq_no: 7 },
  ]
  assert.equal(new Set(hits.map(digests)).size, hits.length)
  assert.deepEqual(hits.map(digests), hits.map(digests))
})

test('a part does not pass for the whole', () => {
  const reader = new IdPageReader('seqNo')
  for (const rest of [
    { timed_out: true },
    { _shards: { failed: 1 } },
    { hits: {} },
    { _shards: null },
  ]) {
    assert.throws(() => read(reader, [], rest), { code: 'MA_CLUSTER_RESPONSE' })
  }
  assert.throws(() => read(reader, [{ _seq_no: 1 }]), { code: 'MA_CLUSTER_RESPONSE' })
  assert.throws(() => reader.read(Buffer.from('<html>'), 'here', () => {}), {
    code: 'MA_CLUSTER_RESPONSE',
  })
})
