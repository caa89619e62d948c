import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaptureRecord } from './exchange.ts'
import { StreamProgress } from './stream-progress.ts'

const proxy = 'edge.0'

function request(number: number): CaptureRecord {
  return {
    kind: 'request',
    exchange: { proxy, number },
    ...{ connection: 1, method: 'PUT', target: `/shop/_doc/${number}`, headers: [] },
    ...{ body: Buffer.from('{}'), bodyBytes: 2, mayWrite: true },
    ...{ firstByteAt: number * 1000, lastByteAt: number * 1000 },
  }
}

function response(number: number): CaptureRecord {
  const at = number * 1000 + 500
  return {
    kind: 'response',
    exchange: { proxy, number },
    ...{ status: 200, headers: [], body: Buffer.from('{}'), bodyBytes: 2 },
    ...{ firstByteAt: at, lastByteAt: at },
  }
}

test('a stream is done with up to the oldest exchange that is not settled', () => {
  const progress = new StreamProgress({ stream: proxy, offset: 100 })
  assert.deepEqual(progress.add(request(1), 110), [])
  assert.deepEqual(progress.add(request(2), 120), [])
  const [second] = progress.add(response(2), 130)
  const [first] = progress.add(response(1), 140)
  assert.equal(progress.settledTo, 100)
  assert.equal(progress.unsettled, 2)
  second!.settle()
  assert.equal(progress.settledTo, 100)
  assert.equal(second!.offset, 110)
  assert.deepEqual(progress.settledBeyond(10), [110])
  assert.deepEqual(progress.settledBeyond(0), [])
  first!.settle()
  assert.deepEqual(progress.settledBeyond(10), [])
  assert.equal(progress.settledTo, 140)
  assert.equal(progress.unsettled, 0)
})

test('a request without an answer holds its place, and is no lag', () => {
  const progress = new StreamProgress({ stream: proxy, offset: 0 })
  progress.add(request(1), 10)
  progress.add(request(2), 20)
  for (const work of progress.add(response(2), 30)) work.settle()
  assert.equal(progress.settledTo, 0)
  assert.equal(progress.unanswered, 1)
  assert.equal(progress.unsettled, 0)
  assert.equal(progress.oldestAt, undefined)
})

test('the end of a proxy, and its new beginning, give what it never answered', () => {
  for (const kind of ['started', 'stopped'] as const) {
    const progress = new StreamProgress({ stream: proxy, offset: 0 })
    progress.add(request(1), 10)
    const mark: CaptureRecord = { kind, proxy, at: 5000, version: '1' }
    const work = progress.add(mark, 20)
    assert.deepEqual(
      work.map(({ what, offset }) => [what.kind, offset]),
      [
        ['exchange', 0],
        [kind, 10],
      ],
    )
    assert.ok(work[0]!.what.kind === 'exchange' && work[0]!.what.response === undefined)
    for (const { settle } of work) settle()
    assert.equal(progress.settledTo, 20)
  }
})

test('the end of another proxy in the same stream ends nothing', () => {
  const progress = new StreamProgress({ stream: 'topic/0', offset: 0 })
  progress.add(request(1), 10)
  const work = progress.add({ kind: 'stopped', proxy: 'other.0', at: 1, version: '1' }, 20)
  assert.equal(work.length, 1)
  assert.equal(progress.unanswered, 1)
})

test('where nothing was recorded is passed over, and never backwards', () => {
  const progress = new StreamProgress({ stream: proxy, offset: 0 })
  progress.skip(50)
  progress.skip(20)
  assert.equal(progress.settledTo, 50)
})

test('settling twice counts once, and many tickets are let go of', () => {
  const progress = new StreamProgress({ stream: proxy, offset: 0 })
  for (let number = 1; number <= 5000; number++) {
    progress.add(request(number), number * 20 - 10)
    const [work] = progress.add(response(number), number * 20)
    work!.settle()
    work!.settle()
    assert.equal(progress.settledTo, number * 20)
  }
  assert.equal(progress.unsettled, 0)
})
