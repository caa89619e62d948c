import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, retryAfterMs } from './backoff.ts'

test('backoffMs() doubles its ceiling with each attempt up to the limit, and takes a random part of it', () => {
  const at = (attempt: number, random: number): number =>
    backoffMs({ attempt, baseMs: 100, maxMs: 1_000 }, () => random)
  assert.deepEqual(
    [1, 2, 3, 4, 5, 400].map((attempt) => at(attempt, 0.5)),
    [50, 100, 200, 400, 500, 500],
  )
  assert.equal(at(3, 0), 0)
})

test('backoffMs() waits at least as long as the server asks for, but never above the limit', () => {
  const at = (asked: number): number =>
    backoffMs({ attempt: 1, baseMs: 100, maxMs: 1_000, retryAfterMs: asked }, () => 0.5)
  assert.equal(at(700), 700)
  assert.equal(at(60_000), 1_000)
})

test('retryAfterMs() reads seconds and dates, and nothing else', () => {
  assert.equal(retryAfterMs('2'), 2_000)
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:00:00 GMT'), 0)
  assert.equal(retryAfterMs('soon'), undefined)
  assert.equal(retryAfterMs(undefined), undefined)
})
