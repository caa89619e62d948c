import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData, MigrationError } from '../base/errors.ts'
import { readMgetAnswer, readSearchAnswer } from './read-answer.ts'

const answer =
  '{"docs":[' +
  '{"_index":"i","_type":"_doc","_id":"a","_version":3,"_seq_no":7,"_primary_term":1,"_routing":"r","found":true,' +
  '"_source":{"z":1.0,"n":12345678901234567890,"s":"}]\\"{","deep":[[{"_source":{}}]]}},' +
  '{"_index":"i","_id":"gone","found":false},' +
  '{"_index":"i","_id":"bad","error":{"type":"index_not_found_exception","reason":"no such index"}},' +
  '{"_index":"i","_id":"old","_version":2,"exists":true,"fields":{"_routing":"p","_parent":"p"},"_source" : {\n "a": 1 // why\n}},' +
  '{"_index":"i","_id":"none","_version":1,"_seq_no":-2,"_primary_term":0,"found":true}' +
  ']}'

test('the documents of _mget, with the text of their sources as it stands, on one line', () => {
  const found = readMgetAnswer(Buffer.from(answer), 'test', 5)
  assert.deepEqual(
    found.map(({ source, ...one }) => ({ ...one, source: source?.toString() })),
    [
      {
        ...{ id: 'a', type: '_doc', routing: 'r', found: true, seqNo: 7, primaryTerm: 1 },
        ...{ version: 3 },
        source: '{"z":1.0,"n":12345678901234567890,"s":"}]\\"{","deep":[[{"_source":{}}]]}',
      },
      { id: 'gone', routing: null, found: false, source: undefined },
      {
        ...{ id: 'bad', routing: null, found: false, source: undefined },
        error: { type: 'index_not_found_exception', reason: 'no such index' },
      },
      {
        ...{ id: 'old', routing: 'p', parent: 'p', found: true, version: 2 },
        source: '{  "a": 1   }',
      },
      {
        ...{ id: 'none', routing: null, found: true, primaryTerm: 0, version: 1 },
        source: undefined,
      },
    ],
  )
})

test('another number of documents than was asked for is no answer', () => {
  const refused = (error: unknown): boolean =>
    error instanceof MigrationError && error.code === 'MA_CLUSTER_RESPONSE'
  assert.throws(() => readMgetAnswer(Buffer.from(answer), 'test', 4), refused)
  assert.throws(() => readMgetAnswer(Buffer.from('{}'), 'test', 1), refused)
})

test('hits of a search are documents; numbers may stand among the fields', () => {
  const body =
    '{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"total":{"value":2,"relation":"eq"},' +
    '"max_score":1.0,"hits":[{"_index":"i","_type":"t","_id":"a","_score":1.0,"_version":4,"_routing":"r","_source":{"n":1},"fields":{"_seq_no":[9]}}]}}'
  const { documents, total } = readSearchAnswer(Buffer.from(body), 'test')
  assert.equal(total, 2)
  const [{ source, ...hit }] = documents as [(typeof documents)[0]]
  assert.equal(source?.toString(), '{"n":1}')
  const expected = { id: 'a', type: 't', routing: 'r', found: true, seqNo: 9, version: 4 }
  assert.deepEqual(hit, expected)
})

test('a search that is not whole does not pass for the whole', () => {
  for (const part of ['"timed_out":true', '"_shards":{"failed":1}']) {
    const body = Buffer.from(`{${part},"hits":{"total":0,"hits":[]}}`)
    assert.throws(() => readSearchAnswer(body, 'test'), MigrationError)
  }
})

test('what is cut off anywhere, or no JSON, is refused', () => {
  const bytes = Buffer.from(answer)
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => readMgetAnswer(bytes.subarray(0, end), 'test', 5), CorruptData, `at ${end}`)
  }
  for (const text of ['[]', '{"docs":{}}', '{"docs":[1]}', '{"docs":[{"_id":}]}', '{docs:[]}']) {
    assert.throws(() => readMgetAnswer(Buffer.from(text), 'test', 1), MigrationError, text)
  }
})
