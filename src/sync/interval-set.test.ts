import assert from 'node:assert/strict'
import test from 'node:test'
import { IntervalSet, type Interval } from './interval-set.ts'

/** Small and seeded, so that a failure can be had again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % below
  }
}

const numbers = 200

function missingOf(held: ReadonlySet<number>, from: number, to: number): Interval[] {
  const found: { from: number; to: number }[] = []
  for (let number = from; number <= to; number++) {
    if (held.has(number)) continue
    const last = found.at(-1)
    if (last?.to === number - 1) last.to = number
    else found.push({ from: number, to: number })
  }
  return found
}

function sameAs(set: IntervalSet, held: ReadonlySet<number>, what: string): void {
  assert.equal(set.size, held.size, what)
  assert.deepEqual([...set.missing(0, numbers + 20)], missingOf(held, 0, numbers + 20), what)
  for (let number = 0; number < numbers + 5; number++) {
    assert.equal(set.has(number), held.has(number), `${what}: ${number}`)
  }
}

test('holds what a set of numbers holds, whatever is added and taken out', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed)
    let set = new IntervalSet()
    const held = new Set<number>()
    for (let step = 0; step < 60; step++) {
      const what = `seed ${seed}, step ${step}`
      const from = random(numbers)
      const to = from + random(random(4) === 0 ? 30 : 3)
      switch (random(8)) {
        case 0: {
          const before = held.size
          for (const number of [...held]) if (number > from) held.delete(number)
          assert.equal(set.removeAbove(from), before - held.size, what)
          break
        }
        case 1: {
          const other = new IntervalSet()
          for (let i = 0; i < 5; i++) {
            const number = random(numbers)
            other.add(number)
            held.add(number)
          }
          set.merge(other)
          break
        }
        case 2:
          assert.equal(set.add(from), !held.has(from), what)
          held.add(from)
          break
        case 3:
          set = IntervalSet.fromJSON(JSON.parse(JSON.stringify(set)) as number[])
          break
        default: {
          const before = held.size
          for (let number = from; number <= to; number++) held.add(number)
          assert.equal(set.addRange(from, to), held.size - before, what)
        }
      }
      assert.deepEqual([...set.missing(from, to)], missingOf(held, from, to), what)
    }
    sameAs(set, held, `seed ${seed}`)
    let complete = -1
    while (held.has(complete + 1)) complete++
    assert.equal(set.completeTo, complete)
  }
})

test('with too many intervals it forgets, and never holds what was not added', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomOf(seed)
    const set = new IntervalSet({ intervalsMax: 10 })
    const added = new Set<number>()
    for (let step = 0; step < 80; step++) {
      const from = random(numbers)
      const to = from + random(4)
      set.addRange(from, to)
      for (let number = from; number <= to; number++) added.add(number)
      assert.ok(set.intervals <= 10)
      let held = 0
      for (let number = 0; number < numbers + 5; number++) {
        if (!set.has(number)) continue
        held++
        assert.ok(added.has(number), `seed ${seed}, step ${step}: ${number} was never added`)
      }
      assert.equal(set.size, held)
    }
  }
})

test('what is forgotten are the shortest intervals', () => {
  const set = new IntervalSet({ intervalsMax: 6 })
  set.addRange(0, 999)
  for (let at = 2000; at < 2012; at += 2) set.add(at)
  assert.equal(set.completeTo, 999)
  assert.equal(set.intervals, 3)
})

test('works at the far end of the numbers', () => {
  const set = new IntervalSet()
  const last = Number.MAX_SAFE_INTEGER - 2
  set.addRange(last - 1, last)
  set.add(5)
  assert.deepEqual(
    [...IntervalSet.fromJSON(set.toJSON())],
    [
      { from: 5, to: 5 },
      { from: last - 1, to: last },
    ],
  )
  assert.equal(set.removeAbove(last - 1), 1)
  assert.equal(set.size, 2)
})

test('a million numbers in order are one interval, and a hundredth missing costs a few bytes a hole', () => {
  const set = new IntervalSet()
  for (let number = 0; number < 1_000_000; number++) if (number % 100 !== 7) set.add(number)
  assert.equal(set.intervals, 10_001)
  assert.ok(JSON.stringify(set).length < 60_000)
  for (const { from, to } of [...set.missing(0, 999_999)]) set.addRange(from, to)
  assert.equal(set.intervals, 1)
  assert.equal(set.completeTo, 999_999)
})

test('refuses what it cannot have written', () => {
  for (const numbers of [[1], [-1, 0], [0, -1], [0, 1, 1, 0], [0, 1.5], [2 ** 53, 0], [NaN, 0]]) {
    assert.throws(() => IntervalSet.fromJSON(numbers), { code: 'MA_STATE' }, String(numbers))
  }
})
