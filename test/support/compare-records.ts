import type {
  LatencyComparison,
  PerformanceVerdict,
  SideLatency,
} from '../../src/compare/performance/record.ts'
import type { SearchShape, SearchVerdict } from '../../src/compare/searches/search-verdict.ts'
import type { MetadataVerdict } from '../../src/state/metadata-verdict.ts'
import type { Verdict } from '../../src/state/records.ts'

/** Records as comparisons leave them, for tests of what is made from them. */

export const hostile = '<img src=x onerror=alert(1)>"\'`|&amp;\u202e'

export function at(minute: number): string {
  return new Date(Date.UTC(2026, 0, 2, 3, minute)).toISOString()
}

export function documentVerdict(index: string, more: Partial<Verdict> = {}): Verdict {
  return {
    ...{ index, verdict: 'equal', note: '', method: 'every document by value' },
    ...{ source: 1000, target: 1000, equal: 1000, different: 0, missing: 0, extra: 0 },
    ...{ examples: [], startedAt: at(0), endedAt: at(5) },
    ...more,
  }
}

export function metadataVerdict(more: Partial<MetadataVerdict> = {}): MetadataVerdict {
  return {
    ...{ startedAt: at(6), endedAt: at(7), method: 'by the plan', cannotSee: ['security'] },
    ...{ verdict: 'equal', counts: { equal: 12, announced: 0, different: 0, missing: 0 } },
    ...{ notCarried: 0, selected: { include: ['*'], exclude: null }, findings: [], findingsAll: 0 },
    ...more,
  }
}

const times = { p50: 4, p90: 9, p99: 31, max: 80 }

export function searchShape(template: string, more: Partial<SearchShape> = {}): SearchShape {
  return {
    ...{ key: template.slice(0, 12), template, requests: 20, different: 0, noise: 0 },
    ...{
      errors: { source: 0, target: 0 },
      findings: {},
      latency: { source: times, target: times },
    },
    ...{ overlapAt10: 1, rankBiasedOverlap: 1, ndcg: 1, kendallTau: 1 },
    example: {
      method: 'GET',
      path: '/shop/_search',
      body: '{"query":{}}',
      target: null,
      findings: [],
    },
    ...more,
  }
}

export function searchVerdict(more: Partial<SearchVerdict> = {}): SearchVerdict {
  const shapes = [searchShape('POST /shop/_search {"query":{"match":{"name":"?"}}}')]
  return {
    ...{ startedAt: at(10), endedAt: at(12), method: 'each request three times', cannotSee: [] },
    ...{ requests: 20, different: 0, noise: 0, errors: { source: 0, target: 0 }, findings: {} },
    ...{ overlapAt10: 1, rankBiasedOverlap: 1, ndcg: 1, kendallTau: 1 },
    overlapClasses: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20],
    ...{ latency: { source: times, target: times }, latencyPairs: [] },
    ...{ rulesFired: {}, leftOut: {}, shapes, shapesAll: 1 },
    ...more,
  }
}

function side(scale: number): SideLatency {
  const estimate = (value: number) => ({
    value: value * scale,
    low: value * scale * 0.9,
    high: value * scale * 1.1,
  })
  return {
    ...{ requests: 6000, errors: 0, p50: estimate(4), p90: estimate(9), p99: estimate(30) },
    ...{ p999: null, max: 90 * scale, tookP50: 3 * scale },
  }
}

/** A target that takes `scale` times as long. */
export function performanceVerdict(
  scale: number,
  more: Partial<PerformanceVerdict> = {},
): PerformanceVerdict {
  const ratio = { value: scale, low: scale * 0.95, high: scale * 1.05 }
  const verdict = scale > 1.1 ? 'slower' : 'same'
  const boundsMs = Array.from({ length: 30 }, (_, i) => 10 ** (i / 10 - 0.5))
  const bell = (middle: number): number[] =>
    boundsMs.map((bound) => Math.round(1000 * Math.exp(-((Math.log(bound / middle) / 0.6) ** 2))))
  const latency: LatencyComparison = {
    ...{
      verdict,
      why: `p99 is ${scale} times that of the source`,
      source: side(1),
      target: side(scale),
    },
    ratios: { p50: ratio, p90: ratio, p99: ratio },
    histogram: { boundsMs, source: bell(4), target: bell(4 * scale) },
  }
  const resources = {
    ...{ nodes: 1, cpuMs: 9000, cpuMsPerRequest: 1.5, cpuPercentMost: 80, heapPercentMost: 60 },
    ...{ gcMs: 120, gcCount: 3, diskReadBytes: null, diskWriteBytes: null, unknown: null },
  }
  const steps = [50, 100, 200].map((rate) => ({ rate, reached: rate, p99: rate / 4, errors: 0 }))
  return {
    ...{
      startedAt: at(15),
      endedAt: at(25),
      method: 'in turns, at a constant rate',
      cannotSee: ['other hours'],
    },
    ...{ verdict, why: latency.why, endedEarly: null, same: { ratio: 1.1, belowMs: 1 } },
    load: {
      ...{ connections: 8, rate: 100, rounds: { closed: 5, open: 5 }, turnMs: 5000, seed: 1 },
      requests: { source: 6000, target: 6000 },
    },
    shapes: [
      {
        ...latency,
        key: 'a',
        template: 'GET /shop/_search {"query":{"term":{"id":"?"}}}',
        share: 1,
      },
    ],
    ...{ leftOut: {}, all: latency, closedLoop: null, writes: null },
    saturation: {
      source: { steps, rate: 200, endedBy: 'p99 above 1 s' },
      target: { steps: steps.slice(0, 2), rate: 100, endedBy: 'errors' },
    },
    resources: {
      ...{ source: resources, target: resources },
      points: [0, 1, 2, 3].flatMap((i) =>
        (['source', 'target'] as const).map((one) => {
          return {
            at: at(15 + i),
            side: one,
            cpuPercent: 20 + 10 * i,
            heapPercent: 40 + i,
            gcMs: 1,
          }
        }),
      ),
    },
    generator: {
      ...{ delayP50: 0.1, delayP90: 0.2, delayP99: 1, startP99: 1, busy: 0.3, cpu: 0.4 },
      bottleneck: null,
    },
    ...more,
  }
}
