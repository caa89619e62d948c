import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { answerDefaults } from './answer-difference.ts'
import { scoreTolerance } from './deleted-documents.ts'

test('where nothing is deleted scores are compared exactly, and more deleted documents blur them more', () => {
  assert.equal(scoreTolerance({ live: 1000, deletedShare: 0 }), answerDefaults.scoreTolerance)
  const shares = [0.0001, 0.001, 0.01, 0.1, 0.3, 1]
  const found = shares.map((deletedShare) => scoreTolerance({ live: 10_000, deletedShare }))
  assert.deepEqual(
    found,
    [...found].sort((a, b) => a - b),
  )
  assert.ok(found[1]! < 0.03 && found[4]! > 0.2 && found[5]! <= 1, found.join())
})

test('what deletes by chance do to the weight of a word is within the tolerance', () => {
  const random = seededRandom(7)
  const idf = (count: number, having: number): number =>
    Math.log(1 + (count - having + 0.5) / (having + 0.5))
  for (let round = 0; round < 2000; round++) {
    const live = 100 + Math.floor(random() * 3000)
    const having = Math.min(live, Math.ceil(live ** random()))
    const side = (): { weight: number; deletedShare: number } => {
      const deleted = Math.floor(random() * 0.4 * live)
      let stale = 0
      for (let one = 0; one < deleted; one++) if (random() < having / live) stale++
      return { weight: idf(live + deleted, having + stale), deletedShare: deleted / live }
    }
    const [one, other] = [side(), side()]
    const tolerance = Math.max(
      ...[one, other].map(({ deletedShare }) => scoreTolerance({ live, deletedShare })),
    )
    const extent = Math.abs(one.weight - other.weight) / Math.max(one.weight, other.weight)
    assert.ok(extent <= tolerance, `${live} ${having}: ${extent} > ${tolerance}`)
  }
})
