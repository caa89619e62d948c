import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import { nameConflict, nameFault } from './target-names.ts'

const inUse = {
  indices: new Set(['there', 'app-000001', 'made-before']),
  aliases: new Map([
    ['app', ['app-000001']],
    ['osmigrate-S1-0', ['made-before']],
  ]),
  writtenTo: new Map([['app', 'app-000001']]),
}
const conflict = (targetIndex: string, aliases: JsonObject = {}, fenceAlias = 'osmigrate-S2-0') =>
  nameConflict({ targetIndex, fenceAlias }, aliases, inUse)

test('nameConflict() finds names that are taken, and a second index that an alias would write to', () => {
  assert.match(conflict('app')!, /name of an alias/)
  assert.match(conflict('x', { there: {} })!, /name of an index/)
  assert.match(conflict('x', { app: { is_write_index: true } })!, /writes to app-000001/)
  assert.equal(conflict('x', { app: { is_write_index: false } }), undefined)
  assert.equal(conflict('there', { app: { is_write_index: true } }), undefined)
})

test('nameConflict() finds the index that was made for the same source under another name', () => {
  assert.match(conflict('x', {}, 'osmigrate-S1-0')!, /^made-before .* under another name/)
  assert.equal(conflict('made-before', {}, 'osmigrate-S1-0'), undefined)
})

test('nameFault() says what OpenSearch allows in no name of an index', () => {
  for (const name of [
    'Shop',
    '_shop',
    '-shop',
    '+shop',
    '',
    '.',
    '..',
    'a b',
    'a,b',
    'a:b',
    'a*',
  ]) {
    assert.ok(nameFault(name), name)
  }
  assert.match(nameFault('ü'.repeat(128))!, /at most 255 bytes.* has 256/)
  for (const name of ['shop', '.shop', 'ü'.repeat(127), 'a-b_c+d', '店', '2024.01']) {
    assert.equal(nameFault(name), undefined, name)
  }
})
