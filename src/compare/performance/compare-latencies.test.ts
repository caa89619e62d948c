import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idle, judgeSimulated, type SimulatedLoad } from '../../../test/support/simulated-load.ts'

const load = { shapes: 4, rounds: 16, answers: 25, turnSpread: 0.06 }
const runs = 60

function each(change: Partial<SimulatedLoad>, ratio?: number) {
  return Array.from({ length: runs }, (_, i) =>
    judgeSimulated({ ...load, seed: 1 + i, ...change }, ratio),
  )
}

test('equal sides are called slower or faster in at most one of twenty runs', () => {
  const alarms = each({}).filter((shapes) =>
    shapes.some(({ verdict }) => verdict === 'slower' || verdict === 'faster'),
  )
  assert.ok(alarms.length <= runs / 20, `${alarms.length} of ${runs}`)
})

test('the intervals of all shapes together miss equal sides in about one of twenty runs, without any margin', () => {
  const missed = each({}, 1).filter((shapes) =>
    shapes.some(({ verdict }) => verdict === 'slower' || verdict === 'faster'),
  )
  assert.ok(missed.length <= runs / 10, `${missed.length} of ${runs}`)
})

test('a shape that is slower by 30 % is found, and that shape alone', () => {
  const all = each({ rounds: 30, answers: 40, slowdown: { 2: 1.3 } })
  const slower = all.map((shapes) => shapes.filter(({ verdict }) => verdict === 'slower'))
  const found = slower.filter((shapes) => shapes.some(({ key }) => key === '2'))
  const wrong = slower.filter((shapes) => shapes.some(({ key }) => key !== '2'))
  assert.ok(found.length >= 0.9 * runs, `found in ${found.length} of ${runs}`)
  assert.ok(wrong.length <= runs / 20, `others in ${wrong.length} of ${runs}`)
})

test('sides that are quiet and equal are the same', () => {
  const shapes = judgeSimulated({ ...load, seed: 5, rounds: 30, answers: 400, turnSpread: 0.005 })
  const told = JSON.stringify(shapes.map(({ verdict, why }) => [verdict, why]))
  assert.ok(shapes.filter(({ verdict }) => verdict === 'same').length >= 3, told)
})

test('the worst shape stands first, with classes that hold every answer', () => {
  const [worst, ...others] = judgeSimulated({ ...load, seed: 9, slowdown: { 1: 3 } })
  assert.equal(worst!.key, '1')
  assert.equal(others.length, 3)
  const { boundsMs, source, target } = worst!.histogram
  assert.ok(boundsMs.length <= 60 && boundsMs.length === source.length)
  const sum = (counts: number[]): number => counts.reduce((all, one) => all + one, 0)
  assert.equal(sum(source), load.rounds * load.answers)
  assert.equal(sum(target), load.rounds * load.answers)
})

test('a shape whose answers are errors on one side is neither faster nor slower', () => {
  const shapes = judgeSimulated({ ...load, seed: 2, errors: { 0: 5 }, slowdown: { 0: 0.1 } })
  const failing = shapes.find(({ key }) => key === '0')!
  assert.equal(failing.verdict, 'cannot tell')
  assert.match(failing.why, /^80 of 480 answers of the target were errors, 0 of 400/)
})

test('nothing is told where the load generator was the limit', () => {
  const bottleneck = 'the load generator was at work 97 % of the time'
  const shapes = judgeSimulated({ ...load, seed: 4, slowdown: { 0: 3 } }, 1.1, {
    ...idle,
    bottleneck,
  })
  assert.ok(shapes.every(({ verdict }) => verdict === 'cannot tell'))
  assert.match(shapes.find(({ key }) => key === '0')!.why, /97 % of the time/)
})
