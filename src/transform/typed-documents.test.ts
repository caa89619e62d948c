import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DocumentTypes } from '../base/document-types.ts'
import { documentAt, type DocumentBlock } from '../document/document-block.ts'
import { documentBlock, type BlockDocument } from '../../test/support/document-block.ts'
import { typedBlocks } from './typed-documents.ts'

const nothing: DocumentTypes = { only: null, keepIn: null, routeById: false, join: null }
const join = { field: 'join', parents: { answer: 'question', vote: 'answer' } }

/** As `id routing type source`, or why it is not sent. */
async function typed(
  documents: readonly Omit<BlockDocument, 'doc'>[],
  types: Partial<DocumentTypes>,
): Promise<string[]> {
  const block = documentBlock(documents.map((one, i) => ({ doc: i * 2, seqNo: i, ...one })))
  const shown: string[] = []
  for await (const out of typedBlocks(only(block), { ...nothing, ...types })) {
    for (let i = 0; i < out.count; i++) {
      const { id, routing = '-', type = '-', source, seqNo } = documentAt(out, i)
      assert.equal(out.doc[i], seqNo! * 2, 'its number in the segment and its version go with it')
      const what = source ? Buffer.from(source).toString() : out.unsent.get(i)?.reason
      shown.push(`${id} ${routing} ${type} ${what}`)
    }
  }
  return shown
}

async function* only(block: DocumentBlock): AsyncIterable<DocumentBlock> {
  yield block
}

test('only: documents of other types are left out', async () => {
  const documents = [
    { id: '1', type: 'a', source: '{"n":1}' },
    { id: '1', type: 'b', source: '{"n":2}' },
    { id: '2', type: 'ä', routing: 'r', source: '{}' },
    { id: '3', type: 'a' },
  ]
  assert.deepEqual(await typed(documents, { only: ['a', 'ä'] }), [
    '1 - a {"n":1}',
    '2 r ä {}',
    '3 - a undefined',
  ])
})

test('keepIn: the type is written into a field and before the id, and no byte else is changed', async () => {
  const documents = [
    { id: '1', type: 'a', source: ' { "n" : 1.0, "é": 12345678901234567890 } ' },
    { id: '1', type: 'b"', source: '{}' },
    { id: '2', type: 'a', source: '{  }' },
    { id: '3', type: 'a', source: '[1]' },
    { id: '4', type: 'a', source: '\ufeff{"n":1}' },
  ]
  assert.deepEqual(await typed(documents, { keepIn: 'kind' }), [
    'a#1 - a {"kind":"a", "n" : 1.0, "é": 12345678901234567890 } ',
    'b"#1 - b" {"kind":"b\\""}',
    'a#2 - a {"kind":"a"  }',
    'a#3 - a mapping types: _source is no JSON object',
    'a#4 - a {"kind":"a","n":1}',
  ])
})

test('routeById: what has no routing stays in its shard under its new id', async () => {
  const documents = [
    { id: '1', type: 'a', source: '{}' },
    { id: '1', type: 'a', routing: 'x', source: '{}' },
  ]
  assert.deepEqual(await typed(documents, { keepIn: 'kind', routeById: true }), [
    'a#1 1 a {"kind":"a"}',
    'a#1 x a {"kind":"a"}',
  ])
})

test('join: parents get the name, children their parent, also where they are both', async () => {
  const documents = [
    { id: 'q', type: 'question', source: '{"t":1}' },
    { id: 'a', type: 'answer', routing: 'q', parent: 'q', source: '{}' },
    { id: 'v', type: 'vote', routing: 'q', parent: 'a"', source: '{}' },
    { id: 'u', type: 'user', source: '{}' },
    { id: 'o', type: 'answer', source: '{}' },
  ]
  assert.deepEqual(await typed(documents, { join }), [
    'q - question {"join":"question","t":1}',
    'a q answer {"join":{"name":"answer","parent":"q"}}',
    'v q vote {"join":{"name":"vote","parent":"a\\""}}',
    'u - user {}',
    'o - answer mapping types: it is of type answer and has no _parent',
  ])
  const [question, answer] = await typed(documents, { join, keepIn: 'kind', routeById: true })
  assert.equal(question, 'question#q q question {"kind":"question","join":"question","t":1}')
  assert.match(answer!, /^answer#a q answer .*"parent":"question#q"/)
})
