import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { numberedRequest, randomRecord } from '../../test/support/capture-records.ts'
import { randomSource } from '../../test/support/random-json.ts'
import { MigrationError } from '../base/errors.ts'
import type { CaptureRecord } from './exchange.ts'
import { decodeRecord } from './record-decode.ts'
import { encodeRecord, FrameBatch } from './record-encode.ts'
import { frameHeadBytes, kinds } from './record-layout.ts'

const place = { file: 'a.log', offset: 4000 }

function codeOf(decode: () => unknown): string {
  try {
    decode()
    return 'none'
  } catch (error) {
    if (error instanceof MigrationError) return error.code
    throw error
  }
}

/** The frame with another content, its length and checksum made right. */
function withContent(content: Buffer): Buffer {
  const frame = Buffer.concat([Buffer.alloc(frameHeadBytes), content])
  frame.writeUInt32BE(content.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(4)), 0)
  return frame
}

test('every record reads back as it was', (t) => {
  const seed = Date.now() % 1e6
  t.diagnostic(`seed ${seed}`)
  const random = randomSource(seed)
  for (let i = 0; i < 2000; i++) {
    const record = randomRecord(random)
    assert.deepEqual(decodeRecord(encodeRecord(record), place), record)
  }
})

test('a batch gives the frames of its records one after the other, and is empty after clear()', () => {
  const random = randomSource(7)
  const batch = new FrameBatch()
  for (let round = 0; round < 5; round++) {
    const records = Array.from({ length: 200 }, () => randomRecord(random))
    for (const record of records) batch.add(record)
    const bytes = Buffer.concat(batch.pieces())
    assert.equal(batch.bytes, bytes.length)
    assert.ok(bytes.equals(Buffer.concat(records.map(encodeRecord))), `round ${round}`)
    batch.clear()
    assert.equal(batch.bytes, 0)
    assert.deepEqual(batch.pieces(), [])
  }
})

test('a long body is not copied into a batch, and no body out of a frame', () => {
  const body = Buffer.alloc(1 << 20, 'b')
  const batch = new FrameBatch()
  batch.add({ ...numberedRequest(1), body })
  assert.ok(batch.pieces().some((piece) => piece.buffer === body.buffer))
  const frame = Buffer.concat(batch.pieces())
  const read = decodeRecord(frame, place)
  assert.ok(read.kind === 'request' && read.body.buffer === frame.buffer)
})

test('every truncation and every flipped byte of a frame is refused as damage, with its place', () => {
  const random = randomSource(3)
  for (let i = 0; i < 40; i++) {
    const frame = encodeRecord(randomRecord(random))
    for (let at = 0; at < frame.length; at += 1 + Math.floor(random() * 40)) {
      const cut = frame.subarray(0, at)
      assert.equal(
        codeOf(() => decodeRecord(cut, place)),
        'MA_CAPTURE_LOG',
      )
      const flipped = Buffer.from(frame)
      flipped[at]! ^= 1 << Math.floor(random() * 8)
      assert.throws(() => decodeRecord(flipped, place), {
        code: 'MA_CAPTURE_LOG',
        message: /a\.log at byte 4000/,
      })
    }
  }
})

test('a kind or a version that a newer program wrote is refused by name', () => {
  const newerVersion = withContent(Buffer.from([kinds.gap, 2, 0, 0]))
  assert.throws(() => decodeRecord(newerVersion, place), {
    code: 'MA_FORMAT_TOO_NEW',
    message: /a\.log at byte 4000: expected version 1 of kind 4 or an older one.*newer osmigrate/,
  })
  const newerKind = withContent(Buffer.from([77, 1, 0, 0]))
  assert.throws(() => decodeRecord(newerKind, place), { code: 'MA_FORMAT_TOO_NEW', message: /77/ })
  const noVersion = withContent(Buffer.from([kinds.gap, 0, 0, 0]))
  assert.equal(
    codeOf(() => decodeRecord(noVersion, place)),
    'MA_CAPTURE_LOG',
  )
})

test('fields that do not fit their frame are damage, though the checksum is right', () => {
  const random = randomSource(5)
  let refused = 0
  for (let i = 0; i < 3000; i++) {
    const content = encodeRecord(randomRecord(random)).subarray(frameHeadBytes)
    const wrong = Buffer.from(content.subarray(0, Math.min(content.length, 200)))
    wrong[2 + Math.floor(random() * (wrong.length - 2))] = Math.floor(random() * 256)
    const code = codeOf(() => decodeRecord(withContent(wrong), place))
    assert.ok(code === 'none' || code === 'MA_CAPTURE_LOG', code)
    if (code !== 'none') refused++
  }
  assert.ok(refused > 300, `${refused}`)
})

test('the bytes of version 1 stay as they are', () => {
  const record: CaptureRecord = {
    kind: 'request',
    exchange: { proxy: 'p1', number: 300 },
    connection: 2,
    method: 'PUT',
    target: '/a/_doc/ü',
    headers: ['k', 'v'],
    body: Buffer.from('{}'),
    bodyBytes: 2,
    firstByteAt: 1_700_000_000_000_000,
    lastByteAt: 1_700_000_000_000_009,
    mayWrite: true,
  }
  const bytes = encodeRecord(record)
  assert.equal(bytes.toString('hex'), golden)
  assert.deepEqual(decodeRecord(bytes, place), record)
})

/** By hand, after the grammar in record-layout.ts. */
const golden = [
  '9e780d3e 00000030', // checksum, length
  '01 01', // request, version 1
  '02 7031 ac02', // proxy, number
  '02 01', // connection, may write
  '03 505554', // method
  '0a 2f612f5f646f632fc3bc', // target
  '02 01 6b 01 76', // headers
  '00060a24181e4000 00060a24181e4009', // first and last byte at
  '02 7b7d', // length of the body as sent, body
]
  .join('')
  .replaceAll(' ', '')
