import type { JsonObject } from '../../base/json.ts'
import {
  anyVersion,
  done,
  dropKeys,
  elasticsearch,
  objectOf,
  openSearch,
  textOf,
  type BodyRule,
  type Done,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const aggregations5 = `${es}/5.6/breaking_50_aggregations_changes.html`
const aggregations6 = `${es}/6.8/breaking_60_aggregations_changes.html`
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`

/** Aggregations: parameters that are gone, and formats of dates. */
export const aggregationRules: readonly BodyRule[] = [
  {
    at: 'aggregation',
    of: ['terms', 'significant_terms', 'geohash_grid'],
    name: 'size-of-all',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: ['"size"'],
    loses: 'nothing',
    why: 'a size of 0 does not stand for all buckets since 5',
    link: aggregations5,
    does: (body) => {
      if (body.size !== 0) return false
      body.size = allBuckets
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { terms: { field: 'color', size: 0 } },
        after: { terms: { field: 'color', size: 2147483647 } },
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['terms', 'significant_terms'],
    name: 'include-as-object',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: ['"pattern"'],
    loses: 'nothing',
    why: 'the pattern of include and exclude is a text since 5, without flags',
    link: aggregations5,
    does: (body) => {
      const fired = ['include', 'exclude'].map((key) => patternAsText(body, key))
      return (
        fired.find((one) => one !== false && one.loses !== undefined) ??
        fired.find((one) => one !== false) ??
        false
      )
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { terms: { field: 'color', include: { pattern: 'r.*' } } },
        after: { terms: { field: 'color', include: 'r.*' } },
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['terms', 'significant_terms', 'cardinality'],
    name: 'execution-hints',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: ['global_ordinals_', '"ordinals"', '"rehash"'],
    loses: 'nothing',
    why: 'how ordinals are used is chosen by the engine since 7, and what is hashed once is not hashed again',
    link: breaking7,
    does: (body, type) => {
      const fired = type === 'cardinality' && dropKeys(body, ['rehash'])
      if (!/^(global_ordinals_|ordinals$)/.test(textOf(body.execution_hint))) return fired
      body.execution_hint = 'global_ordinals'
      return done
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { terms: { field: 'color', execution_hint: 'global_ordinals_low_cardinality' } },
        after: { terms: { field: 'color', execution_hint: 'global_ordinals' } },
      },
      {
        on: '2.4 > 3.6',
        before: { cardinality: { field: 'color', rehash: true } },
        after: { cardinality: { field: 'color' } },
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['date_histogram'],
    name: 'fractional-interval',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    mentions: ['interval'],
    loses: 'nothing',
    why: 'an interval is a whole number of its unit since 5',
    link: aggregations5,
    does: (body) => {
      const [, count, unit] = /^(\d+\.\d+)([smhdw])$/.exec(textOf(body.interval)) ?? []
      if (count === undefined) return false
      body.interval = `${Math.round(Number(count) * secondsOf[unit!]!)}s`
      return done
    },
    cases: [
      {
        on: '2.4 > 3.6',
        before: { date_histogram: { field: 'at', interval: '1.5d', min_doc_count: 1 } },
        after: { date_histogram: { field: 'at', interval: '129600s', min_doc_count: 1 } },
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['date_histogram'],
    name: 'zones-and-offsets',
    source: elasticsearch({ before: '2' }),
    target: anyVersion,
    mentions: ['_zone', '_offset'],
    loses: 'nothing',
    why: 'time_zone and offset stand for these parameters since 2',
    link: `${es}/2.4/breaking_20_aggregation_changes.html`,
    does: (body) => {
      const { pre_zone: zone, pre_offset: offset } = body
      const fired = dropKeys(body, [
        ...['pre_zone', 'post_zone', 'pre_zone_adjust_large_interval', 'pre_offset', 'post_offset'],
      ])
      if (zone !== undefined) body.time_zone ??= zone
      if (offset !== undefined) body.offset ??= offset
      return fired
    },
    cases: [
      {
        on: '1.7 > 3.6',
        before: {
          date_histogram: { field: 'at', interval: 'day', pre_zone: '+02:00', min_doc_count: 1 },
        },
        after: {
          date_histogram: { field: 'at', interval: 'day', min_doc_count: 1, time_zone: '+02:00' },
        },
        untried: 'keys of buckets are in local time on the source',
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['geo_distance'],
    name: 'geo-distance-type',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    mentions: ['sloppy_arc'],
    loses: 'nothing',
    why: 'distances are exact since 6',
    link: aggregations6,
    does: (body) => {
      if (body.distance_type !== 'sloppy_arc') return false
      body.distance_type = 'arc'
      return done
    },
    cases: [
      {
        on: '5.6 > 3.6',
        before: {
          geo_distance: {
            ...{
              field: 'place',
              origin: { lat: 50, lon: 8 },
              unit: 'km',
              distance_type: 'sloppy_arc',
            },
            ranges: [{ to: 150 }],
          },
        },
        after: {
          geo_distance: {
            ...{ field: 'place', origin: { lat: 50, lon: 8 }, unit: 'km', distance_type: 'arc' },
            ranges: [{ to: 150 }],
          },
        },
      },
    ],
  },
  {
    at: 'aggregation',
    of: [
      ...[
        'top_metrics',
        'string_stats',
        'boxplot',
        'rate',
        't_test',
        'cumulative_cardinality',
        'normalize',
      ],
      ...[
        'moving_percentiles',
        'random_sampler',
        'frequent_item_sets',
        'frequent_items',
        'categorize_text',
      ],
      ...['geo_line', 'time_series', 'inference', 'bucket_count_ks_test', 'bucket_correlation'],
      ...['change_point', 'ip_prefix'],
    ],
    name: 'aggregation-of-newer-sources',
    source: elasticsearch({ from: '7.4' }),
    target: anyVersion,
    mentions: [
      ...[
        '"top_metrics"',
        '"string_stats"',
        '"boxplot"',
        '"rate"',
        '"t_test"',
        '"cumulative_cardinality"',
      ],
      ...[
        '"normalize"',
        '"moving_percentiles"',
        '"random_sampler"',
        '"frequent_item',
        '"categorize_text"',
      ],
      ...[
        '"geo_line"',
        '"time_series"',
        '"inference"',
        '"bucket_co',
        '"change_point"',
        '"ip_prefix"',
      ],
    ],
    loses: 'cannot',
    why: 'OpenSearch has no such aggregation',
    link: 'https://docs.opensearch.org/latest/aggregations/',
    does: () => done,
    cases: [
      {
        on: '7.17 > 3.6',
        before: { boxplot: { field: 'n' } },
        after: { boxplot: { field: 'n' } },
        untried: 'the archives without the commercial modules have no such aggregation either',
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['multi_terms'],
    name: 'multi-terms',
    source: elasticsearch({ from: '7.12' }),
    target: openSearch({ before: '2.1' }),
    mentions: ['"multi_terms"'],
    loses: 'cannot',
    why: 'OpenSearch has multi_terms since 2.1',
    link: 'https://docs.opensearch.org/latest/aggregations/bucket/multi-terms/',
    does: () => done,
    cases: [
      {
        on: '8.19 > 1.3',
        before: { multi_terms: { terms: [{ field: 'color' }, { field: 'n' }] } },
        after: { multi_terms: { terms: [{ field: 'color' }, { field: 'n' }] } },
      },
    ],
  },
]

/** Integer.MAX_VALUE: all buckets that there are; those that come are counted against search.max_buckets. */
const allBuckets = 2 ** 31 - 1

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

function patternAsText(body: JsonObject, key: string): Done | false {
  const object = objectOf(body[key])
  const pattern = object?.pattern
  if (object === undefined || typeof pattern !== 'string') return false
  body[key] = pattern
  return object.flags === undefined
    ? done
    : { loses: 'meaning', note: 'the pattern has no flags any more: write it without them' }
}
