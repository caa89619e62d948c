import assert from 'node:assert/strict'
import { createHistogram } from 'node:perf_hooks'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { addCounts, LatencyHistogram, noCounts, quantileOf } from './latency-histogram.ts'

test('percentiles are those of the histogram of Node.js, to one percent', () => {
  const random = seededRandom(3)
  const own = new LatencyHistogram()
  const judge = createHistogram({ highest: 2 ** 40, figures: 4 })
  for (let i = 0; i < 20_000; i++) {
    // Six decades, from 10 µs to 10 s.
    const ms = 0.01 * 10 ** (6 * random())
    own.record(ms)
    judge.record(Math.round(ms * 1000))
  }
  const counts = own.take()
  for (const percent of [1, 10, 50, 90, 99, 99.9]) {
    const expected = judge.percentile(percent) / 1000
    const found = quantileOf(counts, percent / 100)
    assert.ok(Math.abs(found / expected - 1) < 0.01, `p${percent}: ${found} for ${expected}`)
  }
})

test('what is below 128 µs is known to the microsecond', () => {
  const histogram = new LatencyHistogram()
  for (const ms of [0, 0.001, 0.127]) histogram.record(ms)
  const counts = histogram.take()
  assert.deepEqual([...counts.buckets], [0, 1, 127])
  assert.equal(quantileOf(counts, 1), 0.127)
})

test('what is beyond the scale counts as its end, and before it as its beginning', () => {
  const histogram = new LatencyHistogram()
  histogram.record(1e12)
  histogram.record(-1)
  const counts = histogram.take()
  assert.equal(counts.total, 2)
  assert.equal(quantileOf(counts, 0.5), 0)
  assert.ok(quantileOf(counts, 1) > 2_000_000)
})

test('a histogram is empty once it was taken, and taken ones add up', () => {
  const histogram = new LatencyHistogram()
  histogram.record(5)
  histogram.record(7)
  const first = histogram.take()
  assert.equal(histogram.take(), noCounts)
  histogram.record(5)
  const both = addCounts([first, histogram.take(), noCounts])
  assert.deepEqual([...both.counts], [2, 1])
  assert.equal(both.total, 3)
  assert.equal(quantileOf(noCounts, 0.5), 0)
})
