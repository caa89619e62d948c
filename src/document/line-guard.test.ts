import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Memory } from '../bytes/memory.ts'
import { LineGuard } from './line-guard.ts'

function joined(text: string): string {
  const memory = new Memory(1000)
  const length = memory.bytes.write(text)
  const end = new LineGuard(memory).joinLines(0, length, length)
  return memory.bytes.toString('utf8', length, end)
}

test('line breaks between values become blanks', () => {
  assert.equal(joined('{\n  "a": 1,\r\n  "b": 2\n}'), '{   "a": 1,    "b": 2 }')
})

test('line breaks inside strings, which the engines take, become escapes', () => {
  assert.equal(joined('{"a":"x\ny\rz"}'), '{"a":"x\\ny\\rz"}')
  assert.equal(joined('{"a":"\\"\n\\\\","b":\n1}'), '{"a":"\\"\\n\\\\","b": 1}')
})

test('comments, which the engines take, become a blank', () => {
  assert.equal(joined('{"a":1, // all of it\n"b":"//no"}'), '{"a":1,   "b":"//no"}')
  assert.equal(joined('{/* one\n two */"a":1}'), '{ "a":1}')
  assert.equal(joined('{/**/"a":\n1}'), '{ "a": 1}')
})

test('hasBreak() is true for the documents that hold one, asked in order', () => {
  const memory = new Memory(100)
  memory.bytes.write('aaa\nbbbccc\rddd')
  const guard = new LineGuard(memory)
  guard.begin(0, 14)
  assert.deepEqual(
    [
      [0, 3],
      [3, 4],
      [4, 10],
      [10, 11],
      [11, 14],
    ].map(([start, end]) => guard.hasBreak(start!, end!)),
    [false, true, false, true, false],
  )
})
