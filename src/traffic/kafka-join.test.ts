import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeRecord } from './record-encode.ts'
import { MessageJoiner } from './kafka-join.ts'
import { buildMessage, parseMessage, recordsMax, splitFrames } from './kafka-message.ts'

const place = { file: 'log-0', offset: 7 }
const frame = (text: string): Buffer =>
  encodeRecord({ kind: 'started', proxy: text, at: 1, version: '1' })

interface Sent {
  readonly key?: string
  readonly writer?: number
  readonly sequence: number
  readonly begins?: boolean
  readonly ends?: boolean
  readonly content: readonly Buffer[]
  readonly at?: number
}

function feed(joiner: MessageJoiner, sent: Sent, offset: number): Buffer[] {
  const { key = 'p1', writer = 5, sequence, begins = true, ends = true, content, at = 0 } = sent
  const value = buildMessage({ writer, sequence, begins, ends }, content)
  return joiner.accept({ key, value, offset, at })
}

test('a message holds whole records, or a part of one that its others make up', () => {
  const joiner = new MessageJoiner('log-0')
  const [a, b, c] = [frame('a'), frame('b'), frame('c'.repeat(100))]
  assert.deepEqual(feed(joiner, { sequence: 1, content: [a, b] }, 0), [a, b])
  const parts = [c.subarray(0, 10), c.subarray(10, 11), c.subarray(11)]
  assert.deepEqual(feed(joiner, { sequence: 2, ends: false, content: [parts[0]!] }, 1), [])
  assert.equal(joiner.nextOffset(1), 1)
  assert.deepEqual(feed(joiner, { key: 'p2', sequence: 1, content: [a] }, 2), [a])
  assert.equal(joiner.nextOffset(2), 1)
  const middle = { sequence: 3, begins: false, ends: false, content: [parts[1]!] }
  assert.deepEqual(feed(joiner, middle, 3), [])
  assert.deepEqual(feed(joiner, { sequence: 4, begins: false, content: [parts[2]!] }, 4), [c])
  assert.equal(joiner.nextOffset(4), 5)
})

test('what a writer sent twice counts once, also behind younger messages; writers do not mix', () => {
  const joiner = new MessageJoiner('log-0')
  const [a, b] = [frame('a'), frame('b')]
  assert.deepEqual(feed(joiner, { sequence: 1, content: [a] }, 0), [a])
  assert.deepEqual(feed(joiner, { sequence: 1, content: [a] }, 1), [])
  assert.deepEqual(feed(joiner, { sequence: 2, content: [b] }, 2), [b])
  assert.deepEqual(feed(joiner, { sequence: 1, content: [a] }, 3), [])
  assert.deepEqual(feed(joiner, { writer: 6, sequence: 1, content: [a] }, 4), [a])
  assert.deepEqual(feed(joiner, { writer: 5, sequence: 3, content: [b] }, 5), [b])
  assert.deepEqual(feed(joiner, { key: 'p2', sequence: 1, content: [b] }, 6), [b])
})

test('a record whose beginning or end is missing is none, and holds nothing up', () => {
  const joiner = new MessageJoiner('log-0')
  const a = frame('a')
  const begin = { ends: false, content: [a.subarray(0, 5)] }
  const end = { begins: false, content: [a.subarray(5)] }
  assert.deepEqual(feed(joiner, { sequence: 8, ...end }, 0), [])
  assert.deepEqual(feed(joiner, { sequence: 9, ...begin }, 1), [])
  assert.deepEqual(feed(joiner, { sequence: 11, ...end }, 2), [], 'the middle is missing')
  assert.equal(joiner.nextOffset(2), 3)
  assert.deepEqual(feed(joiner, { sequence: 12, ...begin }, 3), [])
  assert.deepEqual(feed(joiner, { sequence: 13, content: [a] }, 4), [a])
  assert.equal(joiner.nextOffset(4), 5)
  assert.deepEqual(feed(joiner, { sequence: 14, ...begin, at: 1000 }, 5), [])
  assert.equal(joiner.nextOffset(5), 5)
  const later = { key: 'p2', sequence: 1, content: [a], at: 1000 + 11 * 60_000 }
  assert.deepEqual(feed(joiner, later, 6), [a])
  assert.equal(joiner.nextOffset(6), 7, 'a writer that is gone does not hold others up')
})

test('every truncation and every flipped bit of a message is noticed', () => {
  const head = { writer: 2 ** 41, sequence: 2 ** 40, begins: true, ends: true }
  const message = buildMessage(head, [frame('a')])
  assert.deepEqual(parseMessage(message, place), { ...head, content: frame('a') })
  const refused = { code: 'MA_CAPTURE_LOG', message: /log-0 at byte 7/ }
  for (let length = 0; length < message.length; length++) {
    assert.throws(() => parseMessage(message.subarray(0, length), place), refused)
  }
  for (let bit = 0; bit < message.length * 8; bit++) {
    const flipped = Buffer.from(message)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => parseMessage(flipped, place), refused)
  }
})

test('frames that do not fill a message, or are too many, are refused', () => {
  const refused = { code: 'MA_CAPTURE_LOG' }
  const one = frame('a')
  assert.deepEqual(splitFrames(Buffer.concat([one, one]), place), [one, one])
  for (const length of [1, 7, 8, one.length - 1, one.length + 1, one.length + 9]) {
    const bytes = Buffer.concat([one, one]).subarray(0, length)
    assert.throws(() => splitFrames(bytes, place), refused, `${length} bytes`)
  }
  const many = Buffer.concat(Array.from({ length: recordsMax + 1 }, () => one))
  assert.throws(() => splitFrames(many, place), refused)
})
