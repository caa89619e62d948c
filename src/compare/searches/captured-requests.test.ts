import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { CaptureLogReader, LogPosition } from '../../traffic/capture-log.ts'
import type { CapturedRequest, CaptureRecord } from '../../traffic/exchange.ts'
import { readCapturedRequests } from './captured-requests.ts'
import { RequestReservoir } from './chosen-requests.ts'

function captured(target: string, more: Partial<CapturedRequest> = {}): CapturedRequest {
  const body = more.body ?? new Uint8Array(0)
  return {
    ...{ kind: 'request', exchange: { proxy: 'p', number: 1 }, connection: 1, method: 'POST' },
    ...{ target, headers: [], body, bodyBytes: body.length, firstByteAt: 1, lastByteAt: 1 },
    ...{ mayWrite: false, ...more },
  }
}

/** Streams of records, as a log has them. */
function logOf(streams: Readonly<Record<string, readonly CaptureRecord[]>>): CaptureLogReader {
  return {
    streams: async () =>
      Object.entries(streams).map(([stream, records]) => ({
        oldest: { stream, offset: 0 },
        end: { stream, offset: records.length },
      })),
    async *read({ stream, offset }: LogPosition) {
      for (const [at, record] of streams[stream]!.entries()) {
        if (at >= offset) yield { record, next: { stream, offset: at + 1 } }
      }
    },
    behind: async () => ({}),
    release: async () => {},
    close: async () => {},
  }
}

test('the sampled reads of all streams are requests, unpacked; writes and what is cut are not', async () => {
  const body = Buffer.from('{"size":1}')
  const packed = gzipSync(body)
  const reader = logOf({
    a: [
      captured('/s/_search', { body }),
      captured('/s/_bulk', { mayWrite: true }),
      captured('/s/_search?cut', { body, bodyBytes: 100 }),
      { kind: 'started', proxy: 'p', at: 1, version: '1' },
    ],
    b: [
      captured('http://host:9200/s/_count?q=1', { method: 'GET' }),
      captured('/s/_search?packed', { body: packed, headers: ['Content-Encoding', 'gzip'] }),
      captured('/s/_search?broken', { body, headers: ['Content-Encoding', 'gzip'] }),
      captured('/s/_search?smile', { body, headers: ['Content-Type', 'application/smile'] }),
    ],
  })
  const into = new RequestReservoir(10, () => 0)
  let seen = 0
  const signal = new AbortController().signal
  await readCapturedRequests({ reader, into, signal, onRequest: () => seen++ })
  const { requests, leftOut } = into.chosen()
  assert.deepEqual(requests, [
    { method: 'POST', path: '/s/_search', body: '{"size":1}', origin: 'captured' },
    { method: 'GET', path: '/s/_count?q=1', origin: 'captured' },
    { method: 'POST', path: '/s/_search?packed', body: '{"size":1}', origin: 'captured' },
  ])
  assert.equal(seen, 6)
  assert.equal(
    Object.values(leftOut).reduce((sum, count) => sum + count),
    3,
  )
})
