import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import {
  aliveEntry,
  endEntry,
  errorEntry,
  parseLogStream,
  recordHead,
  type LogStreamEntry,
} from './log-stream.ts'
import { encodeRecord } from './record-encode.ts'

const frame = encodeRecord({ kind: 'started', proxy: 'edge-1.0', at: 1, version: '1' })
const next = { stream: 'edge-1.0', offset: 2 ** 40 + 5 }
const whole = Buffer.concat([
  aliveEntry,
  recordHead(next),
  frame,
  aliveEntry,
  recordHead(next),
  frame,
  endEntry,
])

async function parse(bytes: Buffer, size = bytes.length): Promise<LogStreamEntry[]> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let start = 0; start < bytes.length; start += size)
      yield bytes.subarray(start, start + size)
  }
  return Array.fromAsync(parseLogStream(chunks(), 'edge-1.0 at proxy'))
}

test('entries are the same however the network cuts them', async () => {
  const record = { kind: 'record', next: next.offset, frame }
  const expected = [{ kind: 'alive' }, record, { kind: 'alive' }, record, { kind: 'end' }]
  for (const size of [1, 2, 3, 16, 17, 1000]) assert.deepEqual(await parse(whole, size), expected)
})

test('a stream that breaks off has no end, and only whole records', async () => {
  for (let length = 0; length < whole.length; length++) {
    const entries = await parse(whole.subarray(0, length), 7)
    assert.ok(entries.every(({ kind }) => kind !== 'end'))
    for (const entry of entries) if (entry.kind === 'record') assert.deepEqual(entry.frame, frame)
  }
})

test('an error of the proxy comes as the error that it is', async () => {
  const error = new MigrationError('MA_CAPTURE_LOG', 'the disk is gone', { retryable: true })
  const [found] = await parse(errorEntry(error), 3)
  assert.ok(found?.kind === 'error')
  const { code, message, retryable } = found.error
  assert.deepEqual([code, message, retryable], ['MA_CAPTURE_LOG', 'the disk is gone', true])
})

test('other bytes are refused before they are waited for', async () => {
  const hostile = [
    Buffer.of(9),
    Buffer.concat([Buffer.of(4), Buffer.alloc(4, 255)]),
    Buffer.concat([recordHead(next), Buffer.alloc(8, 255)]),
    Buffer.concat([Buffer.of(1), Buffer.alloc(8, 255), frame]),
  ]
  for (const bytes of hostile) {
    await assert.rejects(parse(bytes), { code: 'MA_CORRUPT_DATA', message: /edge-1.0 at proxy/ })
  }
})
