import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeLatency, speedOf, type Evidence } from './judge.ts'
import type { Speed } from './record.ts'

const same = { ratio: 1.1, belowMs: 1 }

function at(
  percentile: Evidence['percentile'],
  [low, value, high]: [number, number, number],
  more: Partial<Evidence> = {},
): Evidence {
  const source = 100
  const ratio = { low, value, high }
  return { percentile, source, target: source * value, ratio, ownDelay: 0, ...more }
}

function verdict(...evidence: Evidence[]): Speed {
  return judgeLatency(evidence, same).verdict
}

test('an interval on one side of the margin is told, one that reaches over it is not', () => {
  assert.equal(verdict(at('p50', [1.11, 1.2, 1.3])), 'slower')
  assert.equal(verdict(at('p50', [1.09, 1.2, 1.3])), 'cannot tell')
  assert.equal(verdict(at('p50', [0.7, 0.8, 0.9])), 'faster')
  assert.equal(verdict(at('p50', [0.7, 0.8, 0.92])), 'cannot tell')
  assert.equal(verdict(at('p50', [0.92, 1, 1.09])), 'same')
})

test('one percentile that is slower is enough; the same must be p50 and p90', () => {
  const even = [0.95, 1, 1.05] as [number, number, number]
  const wide = [0.5, 1, 2] as [number, number, number]
  assert.equal(verdict(at('p50', even), at('p90', even), at('p99', [1.2, 2, 4])), 'slower')
  assert.equal(verdict(at('p50', [0.5, 0.6, 0.7]), at('p99', [1.2, 2, 4])), 'slower')
  assert.equal(verdict(at('p50', even), at('p90', wide)), 'cannot tell')
  assert.equal(verdict(at('p50', even), at('p90', even), at('p99', wide)), 'same')
  assert.equal(verdict(), 'cannot tell')
})

test('a difference of less than belowMs is none, whatever its ratio', () => {
  const short = { source: 2, target: 2.6 }
  assert.equal(verdict(at('p50', [1.25, 1.3, 1.35], short)), 'same')
  assert.equal(verdict(at('p50', [2, 2.1, 2.2], { source: 2, target: 4.2 })), 'slower')
})

test('what the load generator may have made itself is not told', () => {
  const late = { ownDelay: 30 }
  const small = judgeLatency([at('p50', [1.15, 1.2, 1.25], late)], same)
  assert.equal(small.verdict, 'cannot tell')
  assert.match(small.why, /load generator itself was late by 30\.0 ms/)
  assert.equal(verdict(at('p50', [1.4, 1.5, 1.6], late)), 'slower')
  assert.equal(verdict(at('p50', [0.95, 1, 1.05], late)), 'cannot tell')
})

test('too few rounds tell nothing', () => {
  assert.equal(verdict(at('p50', [1, 1, 1], { ratio: null })), 'cannot tell')
})

test('of a rate more is faster', () => {
  assert.equal(speedOf({ low: 1.2, value: 1.3, high: 1.4 }, 1.1), 'faster')
  assert.equal(speedOf({ low: 0.6, value: 0.7, high: 0.8 }, 1.1), 'slower')
})
