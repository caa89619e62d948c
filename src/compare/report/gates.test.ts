import assert from 'node:assert/strict'
import test from 'node:test'
import {
  documentVerdict,
  metadataVerdict,
  performanceVerdict,
  searchShape,
  searchVerdict,
} from '../../../test/support/compare-records.ts'
import { areasOf } from './areas.ts'
import type { CompareRecords } from './compare-records.ts'
import { compareGateOptions, type CompareGateOptions } from './gate-options.ts'
import { evaluateGates, type GateLine } from './gates.ts'
import { timelineOf } from './timeline.ts'

const now = new Date(Date.UTC(2026, 0, 2, 5))
const day = 24 * 3_600_000

function records(more: Partial<CompareRecords> = {}): CompareRecords {
  return {
    indices: ['a', 'b'],
    documents: [documentVerdict('a'), documentVerdict('b')],
    metadata: [metadataVerdict()],
    selected: { include: ['*'], exclude: null },
    searches: [searchVerdict()],
    speed: [performanceVerdict(1)],
    shadow: undefined,
    ...more,
  }
}

const asked = compareGateOptions.parse({ overlapAt10: 0.98, p99Ratio: 1.2, errorRateMax: 0.01 })

/** The line of a gate alone; with the others not looked at. */
function line(
  gate: GateLine['gate'],
  more: Partial<CompareRecords>,
  gates = asked,
  at = now,
): GateLine {
  return evaluateGates(records(more), gates, at).lines.find((one) => one.gate === gate)!
}

const cases: {
  why: string
  gate: GateLine['gate']
  records: Partial<CompareRecords>
  gates?: Partial<CompareGateOptions>
  state: GateLine['state']
  reason?: RegExp
}[] = [
  { why: 'all equal', gate: 'documents', records: {}, state: 'met' },
  {
    why: 'one differs',
    gate: 'documents',
    records: {
      documents: [documentVerdict('a'), documentVerdict('b', { verdict: 'different', missing: 2 })],
    },
    state: 'not met',
    reason: /^b: 2 missing$/,
  },
  {
    why: 'one was not compared',
    gate: 'documents',
    records: { indices: ['a', 'b', 'c'] },
    state: 'unknown',
    reason: /^c: not compared yet$/,
  },
  {
    why: 'one is unknown',
    gate: 'documents',
    records: {
      documents: [
        documentVerdict('a'),
        documentVerdict('b', { verdict: 'unknown', note: 'no _source' }),
      ],
    },
    state: 'unknown',
    reason: /^b: unknown: no _source$/,
  },
  {
    why: 'one differs and one was not compared',
    gate: 'documents',
    records: { documents: [documentVerdict('b', { verdict: 'different', extra: 1 })] },
    state: 'not met',
  },
  {
    why: 'one is too old, though it differs',
    gate: 'documents',
    records: {
      documents: [
        documentVerdict('a'),
        documentVerdict('b', { verdict: 'different', endedAt: '2026-01-01T00:00:00.000Z' }),
      ],
    },
    state: 'unknown',
    reason: /^b: stale: 29 h old$/,
  },
  {
    why: 'one was written to since',
    gate: 'documents',
    records: { outdated: new Map([['a', 'stale: it was written to since']]) },
    state: 'unknown',
    reason: /^a: stale: it was written to since$/,
  },
  {
    why: 'nothing was compared',
    gate: 'documents',
    records: { indices: [], documents: [] },
    state: 'unknown',
  },
  { why: 'equal', gate: 'metadata', records: {}, state: 'met' },
  {
    why: 'announced',
    gate: 'metadata',
    records: { metadata: [metadataVerdict({ verdict: 'announced' })] },
    state: 'met',
  },
  {
    why: 'announced, and equal is asked for',
    gate: 'metadata',
    gates: { metadata: 'equal' },
    records: {
      metadata: [
        metadataVerdict({
          verdict: 'announced',
          findings: [{ kind: 'index', name: 'a', what: 'announced', why: 'x' }],
        }),
      ],
    },
    state: 'not met',
    reason: /^index a: announced: x$/,
  },
  {
    why: 'different',
    gate: 'metadata',
    records: { metadata: [metadataVerdict({ verdict: 'different' })] },
    state: 'not met',
  },
  {
    why: 'other indices alone',
    gate: 'metadata',
    records: { metadata: [metadataVerdict({ selected: { include: ['x'], exclude: null } })] },
    state: 'unknown',
    reason: /other indices/,
  },
  { why: 'not compared', gate: 'metadata', records: { metadata: [] }, state: 'unknown' },
  {
    why: 'just enough',
    gate: 'overlapAt10',
    records: { searches: [searchVerdict({ overlapAt10: 0.98 })] },
    state: 'met',
  },
  {
    why: 'too little',
    gate: 'overlapAt10',
    records: {
      searches: [
        searchVerdict({ overlapAt10: 0.97, shapes: [searchShape('GET /a', { overlapAt10: 0.5 })] }),
      ],
    },
    state: 'not met',
    reason: /^0\.500: GET \/a$/,
  },
  {
    why: 'nothing was found on either side',
    gate: 'overlapAt10',
    records: { searches: [searchVerdict({ overlapAt10: null })] },
    state: 'unknown',
  },
  {
    why: 'the newest run counts',
    gate: 'overlapAt10',
    records: { searches: [searchVerdict({ overlapAt10: 0.1 }), searchVerdict()] },
    state: 'met',
  },
  { why: 'not compared', gate: 'overlapAt10', records: { searches: [] }, state: 'unknown' },
  { why: 'as fast', gate: 'p99Ratio', records: {}, state: 'met' },
  {
    why: 'slower',
    gate: 'p99Ratio',
    records: { speed: [performanceVerdict(1.5)] },
    state: 'not met',
    reason: /^1\.50: GET/,
  },
  {
    why: 'too few answers',
    gate: 'p99Ratio',
    records: { speed: [performanceVerdict(1, { all: null })] },
    state: 'unknown',
    reason: /too few/,
  },
  { why: 'not measured', gate: 'p99Ratio', records: { speed: [] }, state: 'unknown' },
  { why: 'no errors', gate: 'errorRateMax', records: {}, state: 'met' },
  {
    why: 'errors of the target',
    gate: 'errorRateMax',
    records: { searches: [searchVerdict({ errors: { source: 0, target: 1 } })] },
    state: 'not met',
    reason: /1 errors of 20/,
  },
  {
    why: 'errors of the source alone',
    gate: 'errorRateMax',
    records: { searches: [searchVerdict({ errors: { source: 9, target: 0 } })] },
    state: 'met',
  },
  {
    why: 'nothing was measured',
    gate: 'errorRateMax',
    records: { searches: [], speed: [] },
    state: 'unknown',
  },
]

for (const { why, gate, records: more, gates, state, reason } of cases) {
  test(`gate ${gate} is ${state}: ${why}`, () => {
    const found = line(gate, more, { ...asked, ...gates })
    assert.equal(found.state, state)
    if (reason) assert.match(found.reasons.join('\n'), reason)
    if (state === 'unknown') assert.match(found.how, /^osmigrate compare/)
  })
}

test('every gate is unknown once its verdict is older than freshFor', () => {
  const later = new Date(now.getTime() + day)
  const { state, lines } = evaluateGates(records(), asked, later)
  assert.equal(state, 'unknown')
  assert.deepEqual([...new Set(lines.map((one) => one.state))], ['unknown'])
  assert.equal(evaluateGates(records(), { ...asked, freshFor: 3 * day }, later).state, 'met')
})

test('only what is asked for is looked at, and what is not met counts before what is not known', () => {
  const nothing = compareGateOptions.parse({ documents: 'any', metadata: 'any' })
  assert.deepEqual(evaluateGates(records(), nothing, now), { state: 'met', lines: [] })
  const both = records({ metadata: [], speed: [performanceVerdict(2)] })
  assert.equal(evaluateGates(both, asked, now).state, 'not met')
})

test('areas tell what is known of each, and how to get what is not', () => {
  const when = { now, freshForMs: day }
  const of = (more: Partial<CompareRecords>): string[] =>
    areasOf(records(more), when).map(({ area, verdict }) => `${area} ${verdict}`)
  assert.deepEqual(of({}), ['documents equal', 'metadata equal', 'searches equal', 'speed same'])
  const nothing = { documents: [], metadata: [], searches: [], speed: [] }
  assert.deepEqual(
    of(nothing).map((one) => one.split(' ').slice(1).join(' ')),
    Array(4).fill('not compared'),
  )
  assert.deepEqual(of({ indices: ['a', 'b', 'c'] })[0], 'documents unknown')
  const areas = areasOf(
    records({
      documents: [documentVerdict('a', { verdict: 'different', equal: 997, missing: 3 })],
    }),
    when,
  )
  assert.equal(
    areas[0]?.summary,
    '0 of 2 indices equal, 997 documents equal, 3 missing, 1 index not compared.',
  )
})

test('the timeline joins verdicts on documents that follow one another, and names the worst of them', () => {
  const minute = (value: number): string => new Date(Date.UTC(2026, 0, 2, 3, value)).toISOString()
  const documents = [
    documentVerdict('a', { startedAt: minute(0), endedAt: minute(1) }),
    documentVerdict('b', { startedAt: minute(1), endedAt: minute(2), verdict: 'different' }),
    documentVerdict('c', { startedAt: minute(30), endedAt: minute(31) }),
  ]
  const events = timelineOf(records({ documents, metadata: [], searches: [], speed: [] }))
  assert.deepEqual(
    events.map(({ startedAt, endedAt, verdict }) => [startedAt, endedAt, verdict]),
    [
      [minute(0), minute(2), 'different'],
      [minute(30), minute(31), 'equal'],
    ],
  )
})
