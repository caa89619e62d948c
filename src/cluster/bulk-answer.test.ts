import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBulkAnswer } from './bulk-answer.ts'

const read = (text: string, sent: number) => readBulkAnswer('target', Buffer.from(text), sent)
const unusable = { code: 'MA_CLUSTER_RESPONSE' }

const good = '{"errors":false,"items":[{"index":{"status":200}},{"index":{"status":201}}]}'

test('readBulkAnswer() finds nothing amiss where all was written', () => {
  assert.deepEqual(read(good, 2), [])
  assert.deepEqual(read(good.replaceAll(',', ' , '), 2), [])
  assert.deepEqual(read('{"errors":false,"items":[{"delete":{"status":404}}]}', 1), [])
})

test('readBulkAnswer() gives each item that was not written, by its position', () => {
  // Recorded from OpenSearch 3.6.0.
  const text =
    '{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n] of type [long] in document with id \'2\'. Preview of field\'s value: \'x\'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \\"x\\""}}}},{"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[3]: version conflict, current version [5] is higher than the one provided [3]","index":"i1","shard":"0","index_uuid":"rRRObuOiRX--oIbE0r9tZA"}}}]}'
  assert.deepEqual(read(text, 3), [
    {
      item: 1,
      status: 400,
      type: 'mapper_parsing_exception',
      reason: `failed to parse field [n] of type [long] in document with id '2'. Preview of field's value: 'x': For input string: "x"`,
    },
    {
      item: 2,
      status: 409,
      type: 'version_conflict_engine_exception',
      reason: '[3]: version conflict, current version [5] is higher than the one provided [3]',
    },
  ])
})

test('an update inserts a document, or finds one there', () => {
  const item = (status: number): string => `{"update":{"status":${status}}}`
  const answer = (...items: string[]): string => `{"errors":false,"items":[${items.join()}]}`
  assert.deepEqual(read(answer(item(201), item(201)), 2), [])
  assert.deepEqual(
    read(answer(item(201), item(200)), 2).map((problem) => [problem.item, problem.status]),
    [[1, 200]],
  )
  assert.throws(() => read(answer(item(201)), 2), unusable)
})

test('readBulkAnswer() takes no answer with another number of items', () => {
  assert.throws(() => read(good, 1), unusable)
  assert.throws(() => read(good, 3), unusable)
  assert.throws(() => read('{"errors":false,"items":[]}', 1), unusable)
})

test('readBulkAnswer() refuses a good answer that is cut at any byte, or changed where it counts', () => {
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => read(good.slice(0, length), 2), unusable, `cut at ${length}`)
  }
  const others = [
    '<html>ok</html>',
    '{"took":1}',
    'null',
    '{"items":[{"index":{}},{"index":{"status":200}}]}',
    '{"items":[{"index":{"status":500}},{"index":{"status":200}}]}',
    '{"items":[{"index":{"status":400,"error":"x"}},{"index":{"status":200}}]}',
  ]
  for (const text of others) assert.throws(() => read(text, 2), unusable, text)
})

test('readBulkAnswer() never takes a flipped bit for a written item', () => {
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = Buffer.from(good)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    let problems
    try {
      problems = readBulkAnswer('target', bytes, 2)
    } catch {
      continue
    }
    // What still reads as success must hold two statuses of 2xx.
    const statuses = [...bytes.toString('latin1').matchAll(/:2\d\d/g)]
    assert.ok(problems.length > 0 || statuses.length === 2, bytes.toString('latin1'))
  }
})
