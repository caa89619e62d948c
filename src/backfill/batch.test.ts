import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documentBlock } from '../../test/support/document-block.ts'
import {
  createBatch,
  fillBatch,
  formOf,
  itemNames,
  resetBatch,
  versionOf,
  type BulkBatch,
  type BatchLimits,
} from './batch.ts'

const limits: BatchLimits = { bytesMax: 10_000, epochBase: 0, versionFrom: 'seqNo' }

function emptyBatch(bytesMax = limits.bytesMax): BulkBatch {
  const batch = createBatch(bytesMax)
  resetBatch(batch, 0, bytesMax)
  return batch
}

function lines(batch: BulkBatch): unknown[] {
  const text = batch.bytes.toString('utf8', 0, batch.itemStart[batch.count])
  assert.ok(text === '' || text.endsWith('\n'))
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown)
}

test('fillBatch() writes action and source of each document', () => {
  const batch = emptyBatch()
  const block = documentBlock([
    { doc: 3, id: 'a', seqNo: 0, source: '{"n":1}' },
    { doc: 5, id: 'b', seqNo: 41, source: '{"n": [1.0, 2]}', routing: 'r' },
  ])
  assert.equal(fillBatch(batch, block, 0, limits), 2)
  assert.equal(
    batch.bytes.toString('utf8', 0, batch.itemStart[2]),
    '{"index":{"_id":"a","version":1,"version_type":"external_gte"}}\n{"n":1}\n' +
      '{"index":{"_id":"b","routing":"r","version":42,"version_type":"external_gte"}}\n{"n": [1.0, 2]}\n',
  )
  assert.deepEqual([...batch.doc.subarray(0, 2)], [3, 5])
  assert.equal(batch.toDoc, 6)
  assert.equal(batch.sourceBytes, 7 + 15)
})

test('ids and routings come back as they were, whatever their characters', () => {
  const names = ['"', '\\', '\n\t\u0000\u001f', 'żółć☃😀\u2028', ' ', 'x'.repeat(512), '\u007f', '']
  const batch = emptyBatch()
  const documents = names.map((id, doc) => ({
    doc,
    id,
    routing: names[(doc + 1) % names.length]!,
    source: '{}',
    seqNo: doc,
  }))
  assert.equal(fillBatch(batch, documentBlock(documents), 0, limits), names.length)
  lines(batch)
  documents.forEach(({ id, routing }, item) => {
    assert.deepEqual(itemNames(batch, item), { id, routing })
  })
})

test('the version is epoch base + number + 1, for numbers up to 2^53', () => {
  const numbers = [0, 8, 9, 98, 99, 999_999_998, 999_999_999, 2 ** 31, 2 ** 32, 1e15, 2 ** 52]
  for (const epochBase of [0, 2 ** 40, 3 * 2 ** 40]) {
    const batch = emptyBatch()
    const documents = numbers.map((seqNo, doc) => ({ doc, id: 'a', seqNo, source: '{}' }))
    fillBatch(batch, documentBlock(documents), 0, { ...limits, epochBase })
    const versions = lines(batch).flatMap((line) => {
      const { index } = line as { index?: { version: number } }
      return index ? [index.version] : []
    })
    assert.deepEqual(
      versions,
      numbers.map((number) => epochBase + number + 1),
    )
  }
})

test('a document without number gets the epoch base, below every numbered one', () => {
  const numbers = block([-1, 0], [7, 7])
  for (const epochBase of [0, 2 ** 40]) {
    const rule = { epochBase, versionFrom: 'seqNo' } as const
    assert.equal(versionOf(numbers, 0, rule), epochBase)
    assert.equal(versionOf(numbers, 1, rule), epochBase + 1)
  }
})

test('of a source before 6.0 the version is epoch base + _version, whatever else is there', () => {
  const numbers = block([-1, -1, 5], [1, 12345, -1])
  for (const epochBase of [0, 2 ** 40]) {
    const versions = [0, 1, 2].map((i) => {
      return versionOf(numbers, i, { epochBase, versionFrom: 'version' })
    })
    assert.deepEqual(versions, [epochBase + 1, epochBase + 12345, epochBase])
  }
})

function block(seqNo: number[], version: number[]) {
  return { seqNo: Float64Array.from(seqNo), version: Float64Array.from(version) }
}

test('a full batch stops before the document that has no room, and the next one begins with it', () => {
  const documents = Array.from({ length: 50 }, (_, i) => ({
    doc: i * 2,
    id: `d${i}`,
    seqNo: i,
    source: `{"t":"${'x'.repeat(300)}"}`,
  }))
  const block = documentBlock(documents, { toDoc: 200 })
  const batch = emptyBatch(2000)
  let at = 0
  const ids: string[] = []
  while (at < block.count) {
    resetBatch(batch, block.doc[at]!, 2000)
    const next = fillBatch(batch, block, at, { ...limits, bytesMax: 2000 })
    assert.ok(batch.itemStart[batch.count]! <= 2000)
    assert.equal(batch.toDoc, next === block.count ? 200 : block.doc[next - 1]! + 1)
    for (let i = 0; i < batch.count; i++) ids.push(itemNames(batch, i).id)
    at = next
  }
  assert.deepEqual(
    ids,
    documents.map(({ id }) => id),
  )
})

test('a document larger than a bulk goes alone, and the buffer shrinks again', () => {
  const large = { doc: 1, id: 'large', seqNo: 1, source: `{"t":"${'x'.repeat(5000)}"}` }
  const small = (doc: number) => ({ doc, id: `s${doc}`, seqNo: doc, source: '{}' })
  const block = documentBlock([small(0), large, small(2)])
  const batch = emptyBatch(1000)
  const bulk = { ...limits, bytesMax: 1000 }
  assert.equal(fillBatch(batch, block, 0, bulk), 1)
  resetBatch(batch, 1, 1000)
  assert.equal(fillBatch(batch, block, 1, bulk), 2)
  assert.equal(batch.count, 1)
  assert.equal(lines(batch).length, 2)
  resetBatch(batch, 2, 1000)
  assert.equal(batch.bytes.length, 1000)
  assert.equal(fillBatch(batch, block, 2, bulk), 3)
})

test('a document without _source is kept apart by name, never skipped', () => {
  const batch = emptyBatch()
  const block = documentBlock([
    { doc: 0, id: 'a', seqNo: 0, source: '{}' },
    { doc: 1, id: 'b', seqNo: 7, routing: 'r' },
  ])
  assert.equal(fillBatch(batch, block, 0, limits), 2)
  assert.equal(batch.count, 1)
  assert.deepEqual(batch.missing, [{ doc: 1, id: 'b', routing: 'r', version: 8 }])
})

test('an empty block carries the batch to its end', () => {
  const batch = emptyBatch()
  assert.equal(fillBatch(batch, documentBlock([], { fromDoc: 0, toDoc: 77 }), 0, limits), 0)
  assert.equal(batch.toDoc, 77)
})

test('into an index behind a data stream documents are inserted, whole where an update keeps them', () => {
  const batch = emptyBatch()
  const block = documentBlock([
    { doc: 0, id: 'a', seqNo: 0, source: '{"@timestamp":1,"n": 2}' },
    { doc: 1, id: 'b', seqNo: 1, source: '{"@timestamp":1,"n":1e400}', routing: 'r"' },
  ])
  const inserts = { ...limits, ...formOf({ stream: { ...stream, timestampField: '@timestamp' } }) }
  assert.equal(fillBatch(batch, block, 0, inserts), 2)
  assert.equal(
    batch.bytes.toString('utf8', 0, batch.itemStart[2]),
    '{"update":{"_id":"a"}}\n{"doc":{},"upsert":{"@timestamp":1,"n": 2}}\n' +
      '{"update":{"_id":"b","routing":"r\\""}}\n{"doc":{},"upsert":{"@timestamp":1}}\n',
  )
  assert.deepEqual(
    batch.placeholders.map(({ item, source }) => [item, source.toString()]),
    [[1, '{"@timestamp":1,"n":1e400}']],
  )
  assert.deepEqual(itemNames(batch, 1), { id: 'b', routing: 'r"' })
  const small = emptyBatch(450)
  const many = Array.from({ length: 5 }, (_, doc) => {
    return {
      doc,
      id: `${doc}`,
      seqNo: doc,
      source: `{"@timestamp":1,"n":1e400,"x":"${'x'.repeat(100)}"}`,
    }
  })
  assert.equal(fillBatch(small, documentBlock(many), 0, { ...inserts, bytesMax: 450 }), 2)
})

const stream = { index: '.ds-logs-000001', uuid: 'u', pipeline: 'osmigrate-u-0' }
