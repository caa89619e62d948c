import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { CorruptData, FormatTooNew, FormatTooOld, MigrationError } from '../base/errors.ts'
import {
  checkFooter,
  checkFooterOf,
  footerBytes,
  readAnyHeader,
  readFooter,
  readHeader,
  readIndexHeader,
} from './codec.ts'
import { Cursor } from './cursor.ts'

const id = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

function file({ codec = 'Codec', version = 2, suffix = 'sfx', body = 'body' } = {}): Buffer {
  const head = Buffer.concat([
    Buffer.from('3fd76c17', 'hex'),
    Buffer.from([codec.length]),
    Buffer.from(codec),
    int32(version),
    id,
    Buffer.from([suffix.length]),
    Buffer.from(suffix),
    Buffer.from(body),
    Buffer.from('c02893e8 00000000 00000000'.replaceAll(' ', ''), 'hex'),
  ])
  return Buffer.concat([head, int32(crc32(head.subarray(0, -4)))])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

const expected = { codec: 'Codec', minVersion: 1, maxVersion: 3, id, suffix: 'sfx' }

/** Reads the whole of `bytes` the way a reader of a small file does. */
function read(bytes: Buffer): string {
  const body = new Cursor('f', checkFooter('f', bytes))
  readIndexHeader(body, expected)
  return body.readBytes(body.remaining).toString()
}

test('header, index header and footer of a good file are read', () => {
  const bytes = file()
  assert.equal(read(bytes), 'body')
  assert.deepEqual(readAnyHeader(new Cursor('f', bytes)), { codec: 'Codec', version: 2 })
  assert.deepEqual(readHeader(new Cursor('f', bytes), expected), { codec: 'Codec', version: 2 })
  const header = readIndexHeader(new Cursor('f', bytes), expected)
  assert.deepEqual(
    { ...header, id: header.id.toString('hex') },
    {
      codec: 'Codec',
      version: 2,
      id: id.toString('hex'),
      suffix: 'sfx',
    },
  )
})

test('versions outside the bounds are FormatTooOld and FormatTooNew, other codecs CorruptData', () => {
  assert.throws(() => read(file({ version: 0 })), FormatTooOld)
  assert.throws(() => read(file({ version: 4 })), FormatTooNew)
  assert.throws(() => read(file({ codec: 'Kodec' })), CorruptData)
  assert.throws(() => read(file({ suffix: 'sfy' })), CorruptData)
})

test('another segment id is CorruptData', () => {
  const other = { ...expected, id: Buffer.alloc(16) }
  assert.throws(() => readIndexHeader(new Cursor('f', file()), other), /id 0000/)
})

test('every truncation and every flipped bit is a typed error', () => {
  const good = file()
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => read(good.subarray(0, length)), MigrationError)
  }
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = Buffer.from(good)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => read(bytes), CorruptData)
  }
})

test('a footer is checked for a file that was read in pieces', () => {
  const good = file()
  const crc = crc32(good.subarray(10, -8), crc32(good.subarray(0, 10)))
  const footer = good.subarray(-footerBytes)
  checkFooterOf('f', footer, crc, good.length)
  assert.throws(() => checkFooterOf('f', footer, crc ^ 1, good.length), CorruptData)
})

test('readFooter() gives the checksum unchecked and refuses bytes after it', () => {
  const footer = file().subarray(-footerBytes)
  assert.equal(readFooter(new Cursor('f', footer)), footer.readUInt32BE(12))
  assert.throws(() => readFooter(new Cursor('f', Buffer.concat([footer, id]))), CorruptData)
  const wide = Buffer.from(footer)
  wide[8] = 1
  assert.throws(() => readFooter(new Cursor('f', wide)), /32 bits/)
})
