import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareRankings, type RankedList, type RankingComparison } from './answer-ranking.ts'

/** `a b c`: no ties; `a (b c) d`: b and c tie. */
function list(text: string, open = false): RankedList {
  const ids: string[] = []
  const groups: number[] = []
  text
    .split(/\s+|(?=\()|(?<=\))/)
    .filter((word) => word !== '')
    .reduce(
      (group, word) => {
        const isFirst = !word.includes('(') && groups.length > 0 && group.inside
        ids.push(word.replace(/[()]/g, ''))
        groups.push(isFirst ? groups.at(-1)! : ids.length)
        return {
          inside: word.includes('(') ? !word.includes(')') : group.inside && !word.includes(')'),
        }
      },
      { inside: false },
    )
  return { ids, ties: (a, b) => groups[a] === groups[b], openEnd: open, openStart: false }
}

function compare(
  source: string,
  target: string,
  { k = 10, open = false, endsTie = open }: { k?: number; open?: boolean; endsTie?: boolean } = {},
): RankingComparison {
  return compareRankings(list(source, open), list(target, open), { k, endsTie, startsTie: endsTie })
}

const close = (actual: number | null, expected: number): void => {
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`)
}

// With k = 10 and gains 3, 2, 1: the ideal gain of three hits is 3/log2(2) + 2/log2(3) + 1/log2(4) = 3 + 1.261860 + 0.5 = 4.761860.
// RBO, p = 0.9: (0.1/0.9) · Σ X(d)/d·0.9^d + X(l)/l·0.9^l, X(d) = hits that both have down to depth d.
const figures: {
  why: string
  source: string
  target: string
  k?: number
  overlap: number
  rbo: number
  ndcg: number
  tau: number | null
}[] = [
  // RBO: X = 1, 1, 3: (0.9 + 0.405 + 0.729) / 9 + 0.729 = 0.226 + 0.729. Gain: 3 + 1/log2(3) + 2/2 = 4.630930. 1 of 3 pairs: 1 - 2/3.
  {
    why: 'the last two swapped',
    source: 'a b c',
    target: 'a c b',
    overlap: 1,
    rbo: 0.955,
    ndcg: 4.630929754 / 4.761859507,
    tau: 1 / 3,
  },
  // RBO: X = 0, 2, 3: (0 + 0.81 + 0.729) / 9 + 0.729 = 0.171 + 0.729. Gain: 2 + 3/log2(3) + 0.5 = 4.392789.
  {
    why: 'the first two swapped',
    source: 'a b c',
    target: 'b a c',
    overlap: 1,
    rbo: 0.9,
    ndcg: 4.392789261 / 4.761859507,
    tau: 1 / 3,
  },
  // RBO: X = 0, 1, 3: (0 + 0.405 + 0.729) / 9 + 0.729. Gain: 1 + 2/log2(3) + 3/2 = 3.761860. All 3 pairs.
  {
    why: 'reversed',
    source: 'a b c',
    target: 'c b a',
    overlap: 1,
    rbo: 0.126 + 0.729,
    ndcg: 3.761859507 / 4.761859507,
    tau: -1,
  },
  // RBO: X = 1, 2, 2: (0.9 + 0.81 + 0.486) / 9 + 2/3·0.729 = 0.244 + 0.486. Gain: 3 + 1.261860. Both have a and b, in order.
  {
    why: 'the last another',
    source: 'a b c',
    target: 'a b x',
    overlap: 2 / 3,
    rbo: 0.73,
    ndcg: 4.261859507 / 4.761859507,
    tau: 1,
  },
  // Lengths 1 and 2, X(1) = 0, X(2) = 1: (1/2·0.81) / 9 + ((1 - 0)/2 + 0)·0.81 = 0.045 + 0.405. Gain of a (1) at rank 2: 1/log2(3).
  {
    why: 'one more before',
    source: 'a',
    target: 'b a',
    overlap: 0.5,
    rbo: 0.45,
    ndcg: 0.63092975357,
    tau: null,
  },
  // Lengths 2 and 1, X = 1, 1: (0.9 + 1/2·0.81 + 1·1/(1·2)·0.81) / 9 + ((1-1)/2 + 1/1)·0.81 = 0.19 + 0.81. Gain: 2 of 2 + 1/log2(3).
  {
    why: 'one less behind',
    source: 'a b',
    target: 'a',
    overlap: 0.5,
    rbo: 1,
    ndcg: 2 / 2.63092975357,
    tau: null,
  },
  // 2 of 6 pairs: 1 - 4/6. RBO: X = 0, 2, 2, 4: (0.81 + 0.486 + 0.6561) / 9 + 0.6561. k = 2: gains 2, 1: (1 + 2·0.63093) / 2.63093.
  {
    why: 'two swaps, k = 2',
    source: 'a b c d',
    target: 'b a d c',
    k: 2,
    overlap: 1,
    rbo: 0.2169 + 0.6561,
    ndcg: 2.26185950714 / 2.63092975357,
    tau: 1 / 3,
  },
  // k = 1: b is none of the first.
  {
    why: 'k = 1',
    source: 'a b',
    target: 'b a',
    k: 1,
    overlap: 0,
    rbo: 0.09 + 0.81,
    ndcg: 0,
    tau: -1,
  },
  { why: 'nothing alike', source: 'a b', target: 'x y', overlap: 0, rbo: 0, ndcg: 0, tau: null },
  {
    why: 'nothing on the target',
    source: 'a b',
    target: '',
    overlap: 0,
    rbo: 0,
    ndcg: 0,
    tau: null,
  },
  {
    why: 'nothing on the source',
    source: '',
    target: 'a b',
    overlap: 0,
    rbo: 0,
    ndcg: 0,
    tau: null,
  },
]

for (const { why, source, target, k = 10, overlap, rbo, ndcg, tau } of figures) {
  test(`figures computed by hand: ${why}`, () => {
    const found = compare(source, target, { k })
    close(found.overlapAtK, overlap)
    close(found.rankBiasedOverlap, rbo)
    close(found.ndcg, ndcg)
    if (tau === null) assert.equal(found.kendallTau, null)
    else close(found.kendallTau, tau)
  })
}

test('two empty rankings have no figures', () => {
  const { overlapAtK, rankBiasedOverlap, ndcg, kendallTau } = compare('', '')
  assert.deepEqual([overlapAtK, rankBiasedOverlap, ndcg, kendallTau], [null, null, null, null])
})

test('what ties on either side may stand in any order', () => {
  for (const [source, target] of [
    ['a (b c d)', 'a (d c b)'],
    ['a (b c)', 'a c b'],
    ['a c b', 'a (b c)'],
    ['(a b) c', 'b (a c)'],
  ] as const) {
    const found = compare(source, target, { k: 2 })
    assert.equal(found.discordantPairs, 0, `${source} / ${target}`)
    assert.equal(found.overlapAtK, 1, `${source} / ${target}`)
    assert.equal(found.ndcg, 1, `${source} / ${target}`)
    close(found.rankBiasedOverlap, 1)
  }
})

test('hits of one score that a page cut off stand for one another, others do not', () => {
  const cut = compare('a (b c)', 'a (d e)', { open: true })
  assert.deepEqual([cut.missing, cut.extra, cut.tied, cut.overlapAtK], [[], [], 2, 1])
  const whole = compare('a (b c)', 'a (d e)')
  assert.deepEqual(
    [whole.missing, whole.extra],
    [
      ['b', 'c'],
      ['d', 'e'],
    ],
  )
  const otherScore = compare('a (b c)', 'a (d e)', { open: true, endsTie: false })
  assert.deepEqual(otherScore.missing, ['b', 'c'])
  const above = compare('a b (c d)', 'x b (c e)', { open: true })
  assert.deepEqual([above.missing, above.extra, above.tied], [['a'], ['x'], 1])
})

/** Ids with groups that do not fall: ties lie together. */
const ranking = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }).chain((ids) =>
  fc
    .array(fc.boolean(), { minLength: ids.length, maxLength: ids.length })
    .map((starts): RankedList => {
      let group = 0
      const groups = starts.map((starts) => (starts ? ++group : group))
      return {
        ids: ids.map(String),
        ties: (a, b) => groups[a] === groups[b],
        openEnd: false,
        openStart: false,
      }
    }),
)
const options = { k: 10, endsTie: false, startsTie: false }

test('a ranking agrees with itself', () => {
  fc.assert(
    fc.property(ranking, (one) => {
      const found = compareRankings(one, one, options)
      assert.deepEqual([found.missing, found.extra, found.discordantPairs], [[], [], 0])
      if (one.ids.length === 0) return
      close(found.overlapAtK, 1)
      close(found.rankBiasedOverlap, 1)
      close(found.ndcg, 1)
    }),
  )
})

test('but for the gain all figures are the same the other way round, and within their bounds', () => {
  fc.assert(
    fc.property(ranking, ranking, (source, target) => {
      const one = compareRankings(source, target, options)
      const other = compareRankings(target, source, options)
      assert.deepEqual([one.missing, one.extra], [other.extra, other.missing])
      assert.equal(one.discordantPairs, other.discordantPairs)
      assert.equal(one.kendallTau, other.kendallTau)
      assert.equal(one.overlapAtK, other.overlapAtK)
      if (one.rankBiasedOverlap === null || one.ndcg === null) return
      close(one.rankBiasedOverlap, other.rankBiasedOverlap!)
      for (const figure of [one.overlapAtK!, one.rankBiasedOverlap, one.ndcg])
        assert.ok(figure >= 0 && figure <= 1 + 1e-9)
      assert.ok((one.kendallTau ?? 1) >= -1 && (one.kendallTau ?? 1) <= 1)
    }),
  )
})

test('any order of what ties gives the same figures', () => {
  fc.assert(
    fc.property(ranking, fc.integer(), (one, seed) => {
      const shuffled = [...one.ids.keys()].sort((a, b) =>
        one.ties(a, b) ? hash(a, seed) - hash(b, seed) : a - b,
      )
      const other = { ...one, ids: shuffled.map((rank) => one.ids[rank]!) }
      const found = compareRankings(one, other, options)
      assert.deepEqual([found.missing, found.extra, found.discordantPairs], [[], [], 0])
      if (one.ids.length > 0) {
        close(found.overlapAtK, 1)
        close(found.rankBiasedOverlap, 1)
        close(found.ndcg, 1)
      }
    }),
  )
})

function hash(number: number, seed: number): number {
  return Math.imul(number + 1, seed | 1) >>> 3
}

test('pairs in another order are counted as a count of all pairs would', () => {
  fc.assert(
    fc.property(ranking, ranking, (source, target) => {
      let discordant = 0
      const ranks = source.ids
        .map((id, rank) => [rank, target.ids.indexOf(id)] as const)
        .filter(([, other]) => other >= 0)
      for (const [a, otherA] of ranks)
        for (const [b, otherB] of ranks)
          if (a < b && !source.ties(a, b) && otherB < otherA && !target.ties(otherA, otherB))
            discordant++
      assert.equal(compareRankings(source, target, options).discordantPairs, discordant)
    }),
  )
})
