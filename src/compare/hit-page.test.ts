import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CanonicalDigest } from './canonical.ts'
import { HitPageReader, scrollIdOf } from './hit-page.ts'

interface Seen {
  id: string
  routing?: string
  whole: string
  bytes: number
}

function pageOf(
  hits: string[],
  rest = '"timed_out":false,"_shards":{"total":1,"failed":0}',
): Buffer {
  const list = `{"total":{"value":${hits.length},"relation":"eq"},"max_score":null,"hits":[${hits.join(',')}]}`
  return Buffer.from(`{"_scroll_id":"abc==","took":3,${rest},"hits":${list}}`)
}

function readAll(answer: Buffer): { seen: Seen[]; hits: number; total: number | undefined } {
  const reader = new HitPageReader(new CanonicalDigest())
  const seen: Seen[] = []
  const page = reader.read(answer, 'test', (document) => {
    const { whole1, whole2, sourceBytes } = document
    seen.push({ ...document.name(), whole: `${whole1}/${whole2}`, bytes: sourceBytes })
  })
  return { seen, ...page }
}

test('each hit is visited with its names and the digest of its source', () => {
  const { seen, hits, total } = readAll(
    pageOf([
      '{"_index":"i","_id":"a","_score":null,"_source":{"n":1,"hits":{"hits":[{"_id":"no"}]}},"sort":[0]}',
      ' {"_index":"i","_id":"q\\"\\u00e9","_routing":"r/1","_source": {"hits":{"hits":[{"_id":"no"}]},"n":1.0}}',
      '{"_index":"i","_id":"a","_routing":"r","_source":{"n":1,"hits":{"hits":[{"_id":"no"}]}}}',
      '{"_index":"i","_id":"bare"}',
    ]),
  )
  assert.equal(hits, 4)
  assert.equal(total, 4)
  assert.deepEqual(
    seen.map(({ id, routing }) => [id, routing]),
    [
      ['a', undefined],
      ['q"é', 'r/1'],
      ['a', 'r'],
      ['bare', undefined],
    ],
  )
  assert.deepEqual(
    seen.map((one) => one.bytes),
    [38, 40, 38, 0],
  )
  assert.equal(new Set(seen.map((one) => one.whole)).size, 4)
})

test('the digest covers id, routing and source, and a source by value', () => {
  const whole = (hit: string): string => readAll(pageOf([hit])).seen[0]!.whole
  const first = whole('{"_id":"a","_source":{"a":1,"b":"é"}}')
  assert.equal(whole('{"_source":{ "b":"\\u00e9","a":1e0},"_id":"\\u0061"}'), first)
  for (const other of [
    '{"_id":"b","_source":{"a":1,"b":"é"}}',
    '{"_id":"a","_routing":"","_source":{"a":1,"b":"é"}}',
    '{"_id":"a","_routing":"a","_source":{"a":1,"b":"é"}}',
    '{"_id":"a","_source":{"a":2,"b":"é"}}',
    '{"_id":"a","_source":{}}',
    '{"_id":"a"}',
  ])
    assert.notEqual(whole(other), first, other)
})

test('a source that is no strict JSON counts by its bytes, and the page goes on behind it', () => {
  const { seen } = readAll(
    pageOf([
      '{"_id":"a","_source":{"n":NaN,"s":"}\\"{"}}',
      '{"_id":"a","_source": {"n":NaN,"s":"}\\"{"}}',
      '{"_id":"a","_source":{"n":NaN,"s":"}\\"{ "}}',
      '{"_id":"b","_source":{"n":1}}',
    ]),
  )
  assert.equal(seen.length, 4)
  assert.equal(seen[0]!.whole, seen[1]!.whole)
  assert.notEqual(seen[0]!.whole, seen[2]!.whole)
})

test('comments behind a source are none of its value', () => {
  const hits = ['', ' /* end } */', ' // end\n', '\n'].map(
    (end) => `{"_id":"a","_source":{"n":1}${end}}`,
  )
  const { seen } = readAll(pageOf(hits))
  assert.equal(seen.length, hits.length)
  assert.equal(new Set(seen.map(({ whole }) => whole)).size, 1)
})

test('an answer in part is refused', () => {
  const failed = '"timed_out":false,"_shards":{"total":1,"failed":1,"failures":[{"reason":"x"}]}'
  assert.throws(() => readAll(pageOf([], failed)), {
    code: 'MA_CLUSTER_RESPONSE',
    message: /shards failed/,
  })
  const timedOut = '"timed_out":true,"_shards":{"failed":0}'
  assert.throws(() => readAll(pageOf([], timedOut)), {
    code: 'MA_CLUSTER_RESPONSE',
    message: /timed out/,
  })
  assert.throws(() => readAll(Buffer.from('{"took":1}')), { message: /no hits/ })
  assert.throws(() => readAll(pageOf(['{"_source":{}}'])), { message: /no _id/ })
})

test('every cut of an answer is refused', () => {
  const answer = pageOf([
    '{"_id":"a","_routing":"r","_source":{"a":[1,{"b":"c"}]},"sort":[1]}',
    '{"_id":"b","_source":{}}',
  ])
  for (let end = 0; end < answer.length; end++)
    assert.throws(
      () => readAll(answer.subarray(0, end)),
      { name: /CorruptData|MigrationError/ },
      String(end),
    )
})

test('scrollIdOf() finds the id at the head of an answer and nowhere else', () => {
  assert.equal(scrollIdOf(pageOf([])), 'abc==')
  assert.equal(scrollIdOf(Buffer.from('{"took":1,"hits":{"_scroll_id":"no"}}')), undefined)
})
