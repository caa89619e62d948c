import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import type { AnswerDifference, FindingKind } from './answer-difference.ts'
import { redactExample } from './search-details.ts'
import { SearchTally, type ComparedSearch } from './search-tally.ts'
import type { SearchVerdict } from './search-verdict.ts'
import { searchesDiffer } from './searches-gate.ts'

const answer = { status: 200, body: {}, ms: 5, bytes: 2 }

function compared(
  path: string,
  whats: readonly FindingKind[],
  overlapAtK: number | null,
): ComparedSearch {
  const difference: AnswerDifference = {
    findings: whats.map((what) => ({ what, where: 'hits', source: '1', target: '2' })),
    ...{ findingsLeftOut: 0, rankingIsNoise: false, overlapAtK },
    ...{ rankBiasedOverlap: overlapAtK, ndcg: overlapAtK, kendallTau: overlapAtK },
  }
  const request = { method: 'POST', path, body: '{"size":5}', origin: 'file' } as const
  const status = whats.includes('status') ? 500 : 200
  return {
    ...{ request, target: request, rules: ['types-in-path'], difference, scoreTolerance: 1e-4 },
    answers: { source: answer, again: answer, target: { ...answer, status } },
  }
}

function verdictOf(all: readonly ComparedSearch[]): SearchVerdict {
  const tally = new SearchTally(seededRandom(1), (example) => example)
  for (const one of all) tally.add(one)
  const about = { startedAt: 'a', endedAt: 'b', method: 'm', cannotSee: [], leftOut: {} }
  return tally.verdict(about)
}

const none = { overlapAt10: undefined, errorRateMax: undefined }

test('shapes are told worst first, with counts that add up and an example that differs', () => {
  const verdict = verdictOf([
    ...Array.from({ length: 8 }, () => compared('/good/_search', [], 1)),
    compared('/bad/_search', [], 1),
    compared('/bad/_search', ['ids'], 0.5),
    compared('/broken/_search', ['status'], null),
  ])
  assert.deepEqual(
    verdict.shapes.map(({ example, requests, different }) => [example.path, requests, different]),
    [
      ['/broken/_search', 1, 1],
      ['/bad/_search', 2, 1],
      ['/good/_search', 8, 0],
    ],
  )
  assert.equal(verdict.shapes[1]!.example.findings[0]!.what, 'ids')
  assert.deepEqual([verdict.requests, verdict.different, verdict.errors.target], [11, 2, 1])
  assert.deepEqual(verdict.overlapClasses, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9])
  assert.equal(verdict.overlapAt10, 0.95)
  assert.deepEqual(verdict.rulesFired, { 'types-in-path': 11 })
  assert.equal(verdict.latencyPairs.length, 11)
  assert.deepEqual(verdict.latency.target, { p50: 5, p90: 5, p99: null, max: 5 })
})

test('any difference counts, but for those that a threshold allows', () => {
  const ranked = verdictOf([
    compared('/a/_search', ['ids', 'order'], 0.9),
    compared('/a/_search', [], 1),
  ])
  assert.equal(searchesDiffer(ranked, none).length, 2)
  assert.deepEqual(searchesDiffer(ranked, { ...none, overlapAt10: 0.95 }), [])
  assert.match(
    searchesDiffer(ranked, { ...none, overlapAt10: 0.96 }).join(),
    /overlap@10 is 0\.950/,
  )
  const counted = verdictOf([compared('/a/_search', ['aggregation'], null)])
  assert.equal(searchesDiffer(counted, { overlapAt10: 0.1, errorRateMax: 1 }).length, 1)
  const broken = verdictOf([
    compared('/a/_search', ['status'], null),
    compared('/b/_search', [], 1),
  ])
  assert.equal(searchesDiffer(broken, none).length, 1)
  assert.deepEqual(searchesDiffer(broken, { ...none, errorRateMax: 0.5 }), [])
  assert.equal(searchesDiffer(broken, { ...none, errorRateMax: 0.4 }).length, 2)
})

test('what capture.redact names is in no example', () => {
  const redact = redactExample(['user.email'])
  const finding = {
    what: 'fields',
    where: 'hits',
    source: 'a@b',
    target: 'c@d',
    noise: null,
  } as const
  const example = {
    method: 'POST',
    path: '/s/_search?q=user.email:a%40b',
    body: null,
    target: null,
  }
  const asked = JSON.stringify(redact({ ...example, findings: [finding] }))
  assert.ok(!/a%40b|a@b|c@d/.test(asked), asked)
  const found = redact({
    ...{ method: 'POST', path: '/s/_search', body: '{"size":1}', target: null },
    findings: [finding, { ...finding, where: 'hits["1"]._source.user.email' }],
  })
  assert.deepEqual(
    found.findings.map(({ source }) => source),
    ['a@b', '***'],
  )
  assert.equal(found.body, '{"size":1}')
})
