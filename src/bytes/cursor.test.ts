import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { Cursor } from './cursor.ts'

const cursor = (...bytes: number[]): Cursor => new Cursor('a file', Uint8Array.from(bytes))
const hex = (text: string, options?: ConstructorParameters<typeof Cursor>[2]): Cursor =>
  new Cursor('a file', Buffer.from(text.replaceAll(' ', ''), 'hex'), options)

test('readVInt() reads one to five bytes, negatives too', () => {
  assert.equal(cursor(0).readVInt(), 0)
  assert.equal(cursor(0x7f).readVInt(), 127)
  assert.equal(cursor(0x80, 0x01).readVInt(), 128)
  assert.equal(cursor(0xff, 0xff, 0xff, 0xff, 0x07).readVInt(), 0x7fffffff)
  assert.equal(cursor(0xff, 0xff, 0xff, 0xff, 0x0f).readVInt(), -1)
})

test('readVInt() refuses a sixth byte, and bits beyond 32', () => {
  assert.throws(() => cursor(0xff, 0xff, 0xff, 0xff, 0x8f, 0x01).readVInt(), CorruptData)
  assert.throws(() => cursor(0xff, 0xff, 0xff, 0xff, 0x1f).readVInt(), CorruptData)
})

test('readVLong() reads up to 2^53 - 1 and refuses more', () => {
  assert.equal(cursor(0x80, 0x80, 0x04).readVLong(), 65536)
  const largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  assert.equal(cursor(...largest).readVLong(), Number.MAX_SAFE_INTEGER)
  assert.throws(() => cursor(...largest.with(-1, 0x1f)).readVLong(), /2\^53/)
  assert.throws(() => cursor(...new Array<number>(10).fill(0x80)).readVLong(), /tenth byte/)
})

test('readZInt() and readZLong() undo zigzag', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((byte) => cursor(byte).readZInt()),
    [0, -1, 1, -2],
  )
  assert.equal(cursor(0xff, 0xff, 0xff, 0xff, 0x0f).readZInt(), -2147483648)
  assert.deepEqual(
    [0, 1, 2, 3].map((byte) => cursor(byte).readZLong()),
    [0, -1, 1, -2],
  )
  assert.equal(cursor(0xfe, 0xff, 0xff, 0xff, 0x1f).readZLong(), 0xffffffff)
  assert.throws(() => cursor(...new Array<number>(9).fill(0xff), 0x01).readZLong(), /2\^53/)
  assert.throws(() => cursor(...new Array<number>(9).fill(0xff), 0x02).readZLong(), /64 bits/)
})

test('fixed-size integers are big-endian, little-endian on request', () => {
  assert.equal(hex('0102').readInt16(), 0x0102)
  assert.equal(hex('0102', { littleEndian: true }).readInt16(), 0x0201)
  assert.equal(hex('fffffffe').readInt32(), -2)
  assert.equal(hex('feffffff', { littleEndian: true }).readInt32(), -2)
  assert.equal(hex('fffffffe', { littleEndian: true }).readInt32BE(), -2)
  assert.equal(hex('ffffffff fffffffe').readInt64(), -2)
  assert.equal(hex('feffffff ffffffff', { littleEndian: true }).readInt64(), -2)
  assert.equal(hex('001fffff ffffffff').readInt64(), Number.MAX_SAFE_INTEGER)
  assert.equal(hex('ffe00000 00000001').readInt64(), Number.MIN_SAFE_INTEGER)
  assert.equal(hex('7fffffff ffffffff').readBigInt64(), 2n ** 63n - 1n)
})

test('readInt64() refuses what a number cannot hold', () => {
  assert.throws(() => hex('00200000 00000000').readInt64(), CorruptData)
  assert.throws(() => hex('7fffffff ffffffff').readInt64(), CorruptData)
  assert.throws(() => hex('80000000 00000000').readInt64(), CorruptData)
})

test('readString() reads UTF-8 and refuses other bytes', () => {
  assert.equal(hex('04 c5bc c3b3').readString(), 'żó')
  assert.throws(() => hex('02 c5 41').readString(), /UTF-8/)
})

test('maps and sets of strings are read, names like __proto__ included', () => {
  const proto = '09 5f5f70726f746f5f5f'
  assert.deepEqual(
    [...hex(`02 ${proto} 0131 0161 0132`).readMapOfStrings()],
    [
      ['__proto__', '1'],
      ['a', '2'],
    ],
  )
  assert.deepEqual([...hex(`02 ${proto} 0161`).readSetOfStrings()], ['__proto__', 'a'])
})

test('a wild length or count fails before anything is allocated, naming file and offset', () => {
  const wild = 'ffffffff07'
  for (const read of [
    (c: Cursor) => c.readString(),
    (c: Cursor) => c.readMapOfStrings(),
    (c: Cursor) => c.readSetOfStrings(),
    (c: Cursor) => c.readCount('things', 3),
  ]) {
    assert.throws(() => read(hex(`${wild} 00 00`)), CorruptData)
    assert.throws(() => read(hex('ffffffff0f')), CorruptData)
  }
  const at = hex(`00 ${wild}`, { baseOffset: 100 })
  at.skip(1)
  assert.throws(
    () => at.readString(),
    (error: CorruptData) => error.details['offset'] === 101 && error.message.includes('a file'),
  )
})

test('every truncation of every read is CorruptData', () => {
  const samples: [string, (c: Cursor) => unknown][] = [
    ['00', (c) => c.readByte()],
    ['0001', (c) => c.readInt16()],
    ['00000001', (c) => c.readInt32()],
    ['00000001', (c) => c.readInt32BE()],
    ['0000000000000001', (c) => c.readInt64()],
    ['0000000000000001', (c) => c.readBigInt64()],
    ['8080808001', (c) => c.readVInt()],
    ['8080808001', (c) => c.readVLong()],
    ['8080808001', (c) => c.readZInt()],
    ['8080808001', (c) => c.readZLong()],
    ['03616263', (c) => c.readString()],
    ['020161016201630164', (c) => c.readMapOfStrings()],
    ['0201610162', (c) => c.readSetOfStrings()],
  ]
  for (const [good, read] of samples) {
    const bytes = Buffer.from(good, 'hex')
    const whole = new Cursor('whole', bytes)
    read(whole)
    whole.expectEnd()
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => read(new Cursor('cut', bytes.subarray(0, length))), CorruptData)
    }
  }
})

test('seek(), skip() and readBytes() stay within the bytes', () => {
  const c = cursor(1, 2, 3)
  c.seek(3)
  assert.equal(c.remaining, 0)
  for (const bad of [-1, 4, 1.5, NaN]) assert.throws(() => c.seek(bad), CorruptData)
  for (const bad of [1, -1, 0.5, NaN]) {
    assert.throws(() => c.skip(bad), CorruptData)
    assert.throws(() => c.readBytes(bad), CorruptData)
  }
  c.seek(1)
  assert.deepEqual([...c.readBytes(2)], [2, 3])
})
