import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { drawPercentiles, drawRate, estimateOf, ratioOf, Rounds } from './bootstrap.ts'
import { LatencyHistogram, noCounts, type BucketCounts } from './latency-histogram.ts'
import { studentQuantile, studentTail } from './student.ts'

test("Student's quantiles are those of the tables", () => {
  const table: [number, number, number][] = [
    [0.975, 1, 12.7062],
    [0.975, 5, 2.5706],
    [0.975, 30, 2.0423],
    [0.995, 10, 3.1693],
    [0.9995, 10, 4.5869],
    [0.975, 249, 1.9695],
  ]
  for (const [p, degrees, expected] of table) {
    assert.ok(Math.abs(studentQuantile(p, degrees) - expected) < 5e-5, `${p}, ${degrees}`)
  }
  assert.equal(studentTail(0, 7), 0.5)
})

const random = seededRandom(11)

function turn(...ms: number[]): BucketCounts {
  const histogram = new LatencyHistogram()
  for (const one of ms) histogram.record(one)
  return histogram.take()
}

test('a percentile is told only where ten answers lie beyond it', () => {
  const rounds = new Rounds(2, random)
  const of = (count: number) =>
    Object.keys(drawPercentiles([turn(...new Array<number>(count).fill(3)), noCounts], rounds))
  assert.deepEqual(of(19), [])
  assert.deepEqual(of(20), ['p50'])
  assert.deepEqual(of(100), ['p50', 'p90'])
  assert.deepEqual(of(1000), ['p50', 'p90', 'p99'])
  assert.deepEqual(of(10_000), ['p50', 'p90', 'p99', 'p999'])
})

test('whole rounds are drawn, not answers: alike answers of a round are no proof', () => {
  const count = 8
  const rounds = new Rounds(count, random)
  const turns = Array.from({ length: count }, (_, i) =>
    turn(...new Array<number>(500).fill(i < count / 2 ? 1 : 2)),
  )
  const { low, high } = estimateOf(drawPercentiles(turns, rounds).p50!)
  assert.ok(low < 1.01 && high > 1.99, `${low} to ${high}`)
})

test('what disturbs both sides of a round cancels out of the ratio', () => {
  const count = 20
  const rounds = new Rounds(count, random)
  const disturbed = (factor: number) =>
    Array.from({ length: count }, (_, i) =>
      turn(...Array.from({ length: 50 }, (_, k) => (1 + i) * factor * (1 + k / 500))),
    )
  const source = drawPercentiles(disturbed(1), rounds).p50!
  const target = drawPercentiles(disturbed(1.5), rounds).p50!
  const { low, high } = ratioOf({ source, target }, { rounds: count, comparisons: 1 })!
  assert.ok(low > 1.45 && high < 1.55, `${low} to ${high}`)
  const own = estimateOf(source)
  assert.ok(own.high / own.low > 1.4, 'though each side by itself is hardly known')
})

test('more comparisons and fewer rounds make wider intervals, and too few rounds none', () => {
  const rounds = new Rounds(10, random)
  const noisy = () =>
    drawRate(
      Array.from({ length: 10 }, () => ({ done: 100 + 20 * random(), ms: 1000 })),
      rounds,
    )
  const sides = { source: noisy(), target: noisy() }
  const width = (about: { rounds: number; comparisons: number }): number => {
    const { low, high } = ratioOf(sides, about)!
    return high - low
  }
  const one = width({ rounds: 10, comparisons: 1 })
  assert.ok(width({ rounds: 10, comparisons: 50 }) > 1.5 * one)
  assert.ok(width({ rounds: 5, comparisons: 1 }) > one)
  assert.equal(ratioOf(sides, { rounds: 4, comparisons: 1 }), null)
})

test('the same seed draws the same rounds', () => {
  const drawn = () => drawRate([turnRate(1), turnRate(9)], new Rounds(2, seededRandom(5))).draws
  assert.deepEqual(drawn(), drawn())
})

function turnRate(done: number): { done: number; ms: number } {
  return { done, ms: 1000 }
}
