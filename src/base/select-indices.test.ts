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

const select = (selection: Selection, withStreams = true): string[] => [
  ...selectIndices({ indices, streams }, selection, { withStreams }).names,
]

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

test('what is hidden or the engines own is left out, and listed, unless a pattern other than * names it', () => {
  const apart = new Map([
    ['past', 'hidden'],
    ['security', 'system'],
  ] as const)
  const all = ['.own', 'past', 'security', 'shop']
  const of = (selection: Selection) =>
    selectIndices({ indices: all, streams: [], apart }, selection, { withStreams: true })
  assert.deepEqual(of({}).names, ['shop'])
  assert.deepEqual(of({}).leftOut, [
    { index: '.own', reason: 'system' },
    { index: 'past', reason: 'hidden' },
    { index: 'security', reason: 'system' },
  ])
  assert.deepEqual(of({ include: ['*', 'pa*', '.own'] }).names, ['.own', 'past', 'shop'])
  assert.deepEqual(of({ include: ['*', 'pa*', '.own'] }).leftOut.length, 1)
  assert.deepEqual(of({ include: ['shop'] }).leftOut, [])
  assert.deepEqual(
    of({ exclude: ['past'] }).leftOut.map(({ index }) => index),
    ['security'],
  )
})

test('where each index has to be asked whether it is hidden, those that only * names are told', () => {
  const of = (selection: Selection) =>
    selectIndices({ indices, streams }, selection, { withStreams: true })
  assert.deepEqual([...of({}).onlyPlain], ['shop'])
  assert.deepEqual([...of({ include: ['*', 'sh*'] }).onlyPlain], [])
})

test('hidden data streams are left out unless they are named', () => {
  const names = (selection: Selection): string[] =>
    selectStreams(streams, selection).map(({ name }) => name)
  assert.deepEqual(names({}), ['app', 'orders'])
  assert.deepEqual(names({ include: ['*', 'hist*'] }), ['app', 'history', 'orders'])
})
