import assert from 'node:assert/strict'
import test from 'node:test'
import { selectIndices, selectStreams } from './select-indices.ts'
import type { Selection } from './select.ts'

const plain = { hidden: false, system: false }
const streams = [
  { name: 'app', indices: ['.ds-app-000001', '.ds-app-000002'], ...plain },
  { name: 'history', indices: ['.ds-history-000001'], ...plain, hidden: true },
  { name: 'orders', indices: ['orders-000001'], ...plain },
]
const indices = [...streams.flatMap((stream) => stream.indices), '.own', 'shop']

const select = (selection: Selection, withStreams = true): string[] =>
  selectIndices(indices, streams, selection, { withStreams })

test('a data stream is selected by its name, and brings its indices along', () => {
  const carried = ['.ds-app-000001', '.ds-app-000002', 'orders-000001', 'shop']
  assert.deepEqual(select({}), carried)
  assert.deepEqual(select({ include: ['*'] }), carried)
  assert.deepEqual(select({ include: ['a*'] }), ['.ds-app-000001', '.ds-app-000002'])
  assert.deepEqual(select({ exclude: ['.own', 'app'] }), ['orders-000001', 'shop'])
  assert.throws(() => select({ include: ['ap'] }), /no index is named "ap"/)
})

test('an index behind a data stream is selected alone where a pattern names it', () => {
  assert.deepEqual(select({ include: ['.ds-app-*1'] }), ['.ds-app-000001'])
  assert.deepEqual(select({ include: ['orders-*'] }, false), ['orders-000001'])
  assert.deepEqual(select({}, false), ['shop'])
  assert.deepEqual(select({ exclude: [] }, false), ['.own', 'shop'])
})

test('a hidden index is left out unless a pattern other than * names it', () => {
  const names = (selection: Selection): string[] =>
    selectIndices(['past', 'shop'], [], selection, { withStreams: true, hidden: ['past'] })
  assert.deepEqual(names({}), ['shop'])
  assert.deepEqual(names({ include: ['*', 'pa*'] }), ['past', 'shop'])
})

test('hidden data streams are left out unless they are named', () => {
  const names = (selection: Selection): string[] =>
    selectStreams(streams, selection).map(({ name }) => name)
  assert.deepEqual(names({}), ['app', 'orders'])
  assert.deepEqual(names({ include: ['*', 'hist*'] }), ['app', 'history', 'orders'])
})
