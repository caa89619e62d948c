import assert from 'node:assert/strict'
import { test } from 'node:test'
import { streamStatus, wholeLag, type StreamFacts } from './lag.ts'
import { Meter } from './meter.ts'
import type { StreamProgress } from '../traffic/stream-progress.ts'

const nowMs = 1_000_000

function facts(given: Partial<StreamFacts>, at: object = {}): StreamFacts {
  const progress = { stream: 's', readAt: 0, oldestAt: undefined, unsettled: 0, unanswered: 0 }
  return {
    progress: { ...progress, ...at } as unknown as StreamProgress,
    ...{ log: 'log', behind: undefined, read: { records: 0, bytes: 0 } },
    ...given,
  }
}

const lagOf = (given: Partial<StreamFacts>, at?: object) =>
  streamStatus(facts(given, at), nowMs).lag

test('nothing behind and nothing under way is no lag', () => {
  const lag = lagOf({ behind: { bytes: 0 } }, { readAt: 5e8 })
  assert.deepEqual(lag, { records: 0, isEstimate: false, bytes: 0, seconds: 0 })
})

test('what is under way is counted, and dates the lag', () => {
  const at = { readAt: 9.99e8, oldestAt: 9.9e8, unsettled: 7 }
  const lag = lagOf({ behind: { bytes: 0 } }, at)
  assert.deepEqual(lag, { records: 7, isEstimate: false, bytes: 0, seconds: 10 })
})

test('records are reckoned from bytes by what was read so far, and the newest that was read dates the lag', () => {
  const read = { records: 10, bytes: 5000 }
  const lag = lagOf({ behind: { bytes: 100_000 }, read }, { readAt: 9.7e8 })
  assert.deepEqual(lag, { records: 200, isEstimate: true, bytes: 100_000, seconds: 30 })
})

test('what no log tells is not known, and neither is the whole', () => {
  const unknown = streamStatus(facts({}), nowMs)
  assert.equal(unknown.lag.records, null)
  const known = streamStatus(facts({ behind: { messages: 4 } }), nowMs)
  assert.equal(known.lag.records, 4)
  assert.deepEqual(wholeLag([unknown, known]).records, null)
  assert.deepEqual(wholeLag([known, known]).records, 8)
  assert.deepEqual(wholeLag([]), { records: 0, isEstimate: false, bytes: 0, seconds: 0 })
})

test('a rate is that of the last ten seconds', () => {
  let now = 0
  const meter = new Meter<{ written: number }>(() => now)
  assert.equal(meter.perSecond('written'), 0)
  for (let second = 0; second <= 60; second++) {
    now = second * 1000
    meter.take({ written: second < 40 ? 0 : (second - 40) * 100 })
  }
  assert.equal(meter.perSecond('written'), 100)
})
