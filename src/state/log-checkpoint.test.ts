import assert from 'node:assert/strict'
import { test } from 'node:test'
import { neededFrom, type LogCheckpoint } from './log-checkpoint.ts'

const now = Date.parse('2026-05-01T12:00:00Z')

function at(
  consumer: LogCheckpoint['consumer'],
  offset: number,
  minutesAgo: number,
): LogCheckpoint {
  const time = new Date(now - minutesAgo * 60_000).toISOString()
  return { stream: 'edge.0', consumer, offset, recordedAt: 0, at: time }
}

test('the log keeps what its last consumer needs, and a replay that is gone holds up nothing', () => {
  assert.equal(neededFrom([], now), undefined)
  assert.equal(neededFrom([at('sync', 900, 0), at('shadow', 100, 1)], now), 100)
  assert.equal(neededFrom([at('sync', 900, 0), at('shadow', 100, 11)], now), 900)
  assert.equal(neededFrom([at('sync', 100, 600), at('shadow', 900, 0)], now), 100)
  assert.equal(neededFrom([at('shadow', 100, 11)], now), undefined)
})
