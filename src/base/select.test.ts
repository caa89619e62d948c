import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from './errors.ts'
import { selectExisting, selectNames } from './select.ts'

const names = ['.kibana', 'logs-1', 'logs-2', 'shop', 'tmp-a']

test('selectNames() leaves out names with a leading dot when nothing is said', () => {
  assert.deepEqual(selectNames(names), ['logs-1', 'logs-2', 'shop', 'tmp-a'])
})

test('selectNames() lets exclude win over include', () => {
  const selection = { include: ['logs-*', 'shop'], exclude: ['logs-2'] }
  assert.deepEqual(selectNames(names, selection), ['logs-1', 'shop'])
})

test('selectNames() takes a dotted name that include names, unless exclude is given', () => {
  assert.deepEqual(selectNames(names, { include: ['.kib*', 'shop'] }), ['.kibana', 'shop'])
  assert.deepEqual(selectNames(names, { include: ['.kibana'], exclude: ['.*'] }), [])
  assert.deepEqual(selectNames(names, { exclude: [] }), names)
})

test('selectNames() takes only * as special', () => {
  assert.deepEqual(selectNames(['a.b', 'axb', 'a+b'], { include: ['a.b', 'a+*'] }), ['a.b', 'a+b'])
})

test('selectExisting() refuses a pattern that names nothing and lists the names there are', () => {
  assert.throws(
    () => selectExisting(names, { include: ['shop', 'shopp'] }),
    (error: unknown) =>
      error instanceof MigrationError &&
      error.code === 'MA_CONFIG' &&
      /"shopp".*logs-1, logs-2/.test(error.message),
  )
  assert.deepEqual(selectExisting(names, { include: ['*'] }).length, 4)
})

test('selectNames() takes a regular expression for the whole name, in include and exclude', () => {
  const include = ['regex:(logs|shop)(-[0-9]+)?']
  assert.deepEqual(selectNames(names, { include }), ['logs-1', 'logs-2', 'shop'])
  assert.deepEqual(selectNames(names, { include: ['regex:logs'] }), [])
  assert.deepEqual(selectNames(names, { exclude: ['regex:.*-[12a]', '.*'] }), ['shop'])
  // One that begins with a dot names what begins with one; one that only lets it through does not.
  assert.deepEqual(selectNames(names, { include: ['regex:\\.kib.*'] }), ['.kibana'])
  assert.deepEqual(selectNames(names, { include: ['regex:.*'] }), selectNames(names))
})

test('a wrong regular expression is refused by name', () => {
  assert.throws(
    () => selectNames(names, { include: ['regex:('] }),
    (error: unknown) =>
      error instanceof MigrationError &&
      error.code === 'MA_CONFIG' &&
      error.message.includes('"regex:("'),
  )
})
