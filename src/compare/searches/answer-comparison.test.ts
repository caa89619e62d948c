import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../base/json.ts'
import { askedSearches } from './answer-asked.ts'
import { compareAnswers } from './answer-comparison.ts'
import { differs, type AnswerDifference, type AnswerOptions } from './answer-difference.ts'
import { withoutNoise } from './answer-noise.ts'
import { parseAnswer, type SearchAnswer } from './search-request.ts'

function answer(body: unknown, status = 200): SearchAnswer {
  return { status, body, ms: 1, bytes: 1 }
}

function page(
  hits: readonly (readonly [string, number | null, object?])[],
  more: object = {},
): { hits: object; [member: string]: unknown } {
  return {
    took: Math.trunc(Math.random() * 100),
    timed_out: false,
    _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
    hits: {
      total: { value: hits.length, relation: 'eq' },
      max_score: hits[0]?.[1] ?? null,
      hits: hits.map(([id, score, members]) => ({
        _index: 'shop',
        _id: id,
        _score: score,
        ...members,
      })),
    },
    ...more,
  }
}

function compare(
  source: unknown,
  target: unknown,
  options?: Partial<AnswerOptions>,
): AnswerDifference {
  return compareAnswers(answer(source), answer(target), options)
}

/** What counts, as `what where`. */
function counted({ findings }: AnswerDifference): string[] {
  return findings
    .filter(({ noise }) => noise === undefined)
    .map(({ what, where }) => `${what} ${where}`)
}

const three = page([
  ['1', 3, { _source: { price: 1, tags: ['a', 'b'] } }],
  ['2', 2, { _source: { price: 2 } }],
  ['3', 1, { _source: { price: 3 } }],
])

const pages: {
  why: string
  source: unknown
  target: unknown
  found: string[]
  options?: Partial<AnswerOptions>
}[] = [
  { why: 'the same', source: three, target: three, found: [] },
  {
    why: 'times, shards, versions and types',
    source: {
      ...page([['1', 1, { _type: 'doc', _version: 3 }]]),
      took: 1,
      _shards: { total: 5, successful: 5, failed: 0 },
    },
    target: { ...page([['1', 1, { _version: 1099511627780 }]]), took: 9 },
    found: [],
  },
  {
    why: 'a total before 7.0 is one after',
    source: { hits: { total: 1, hits: [] } },
    target: { hits: { total: { value: 1, relation: 'eq' }, hits: [] } },
    found: [],
  },
  {
    why: 'another total',
    source: { hits: { total: 1, hits: [] } },
    target: { hits: { total: { value: 2, relation: 'eq' }, hits: [] } },
    found: ['total hits.total'],
  },
  {
    why: 'exact here, a bound there',
    source: { hits: { total: 20000, hits: [] } },
    target: { hits: { total: { value: 10000, relation: 'gte' }, hits: [] } },
    found: ['relation hits.total'],
  },
  {
    why: 'a bound above what there is',
    source: { hits: { total: 9000, hits: [] } },
    target: { hits: { total: { value: 10000, relation: 'gte' }, hits: [] } },
    found: ['total hits.total'],
  },
  {
    why: 'two bounds are not compared',
    source: { hits: { total: { value: 10000, relation: 'gte' }, hits: [] } },
    target: { hits: { total: { value: 10004, relation: 'gte' }, hits: [] } },
    found: [],
  },
  {
    why: 'not counted there',
    source: { hits: { total: 1, hits: [] } },
    target: { hits: { hits: [] } },
    found: ['total hits.total'],
  },
  {
    why: 'a hit is missing',
    source: page([
      ['1', 2],
      ['2', 1],
    ]),
    target: page([['1', 2]]),
    found: ['total hits.total', 'ids hits.hits'],
  },
  {
    why: 'another order',
    source: page([
      ['1', 2],
      ['2', 1],
    ]),
    target: page([
      ['2', 2],
      ['1', 1],
    ]),
    found: ['order hits.hits'],
  },
  {
    why: 'another order of what ties',
    source: page([
      ['1', 2],
      ['2', 2],
    ]),
    target: page([
      ['2', 2],
      ['1', 2],
    ]),
    found: [],
  },
  {
    why: 'scores within the tolerance',
    source: page([['1', 2.00001]]),
    target: page([['1', 2]]),
    found: [],
  },
  {
    why: 'another score',
    source: page([
      ['1', 3],
      ['2', 2],
    ]),
    target: page([
      ['1', 3],
      ['2', 2.5],
    ]),
    found: ['scores hits.hits._score'],
  },
  {
    why: 'all scores by one factor',
    source: page([
      ['1', 2.2],
      ['2', 1.1],
    ]),
    target: page([
      ['1', 1],
      ['2', 0.5],
    ]),
    found: [],
  },
  {
    why: 'one score alone by another factor than that of BM25',
    source: page([['1', 2]]),
    target: page([['1', 1]]),
    found: ['scores hits.hits._score'],
  },
  {
    why: 'one score alone by the factor of BM25',
    source: page([['1', 2.2]]),
    target: page([['1', 1]]),
    found: [],
  },
  {
    why: 'a field changed',
    source: page([['1', 1, { _source: { a: { b: 1 } } }]]),
    target: page([['1', 1, { _source: { a: { b: 2 } } }]]),
    found: ['fields hits.hits["shop/1"]._source.a.b'],
  },
  {
    why: 'order of keys, spelling of numbers',
    source: parseAnswer(
      '{"hits":{"total":1,"hits":[{"_index":"shop","_id":"1","_source":{"a":1.0,"b":[1e2]}}]}}',
    ),
    target: parseAnswer(
      '{"hits":{"total":1,"hits":[{"_index":"shop","_id":"1","_source":{"b":[100],"a":1}}]}}',
    ),
    found: [],
  },
  {
    why: 'order in a list',
    source: page([['1', 1, { _source: { a: [1, 2] } }]]),
    target: page([['1', 1, { _source: { a: [2, 1] } }]]),
    found: ['fields hits.hits["shop/1"]._source.a[0]', 'fields hits.hits["shop/1"]._source.a[1]'],
  },
  {
    why: 'whole numbers beyond 2^53',
    source: parseAnswer(
      '{"hits":{"total":1,"hits":[{"_id":"1","_source":{"a":9007199254740993}}]}}',
    ),
    target: parseAnswer(
      '{"hits":{"total":1,"hits":[{"_id":"1","_source":{"a":9007199254740992}}]}}',
    ),
    found: ['fields hits.hits["/1"]._source.a'],
  },
  {
    why: 'routing',
    source: page([['1', 1, { _routing: 'x' }]]),
    target: page([['1', 1]]),
    found: ['fields hits.hits["shop/1"]._routing'],
  },
  {
    why: 'matched queries are a set',
    source: page([['1', 1, { matched_queries: ['a', 'b'] }]]),
    target: page([['1', 1, { matched_queries: ['b', 'a'] }]]),
    found: [],
  },
  {
    why: 'highlights',
    source: page([['1', 1, { highlight: { name: ['<em>a</em>'] } }]]),
    target: page([['1', 1, { highlight: { name: ['a'] } }]]),
    found: ['highlight hits.hits["shop/1"].highlight.name[0]'],
  },
  {
    why: 'sort values',
    source: page([['1', null, { sort: [5] }]]),
    target: page([['1', null, { sort: [6] }]]),
    found: ['sort hits.hits["shop/1"].sort'],
  },
  {
    why: 'sort values that tell of places',
    source: page([['1', null, { sort: [5, 17] }]]),
    target: page([['1', null, { sort: [5, 3] }]]),
    options: { asked: askedSearches({ path: '/shop/_search', body: '{"sort":["price","_doc"]}' }) },
    found: [],
  },
  {
    why: 'the tie-breaker that a point in time adds',
    source: page([['1', null, { sort: [5, 17] }]]),
    target: page([['1', null, { sort: [5, 3] }]]),
    options: { asked: askedSearches({ path: '/_search?sort=price:desc' }) },
    found: [],
  },
  {
    why: 'a hit of a renamed index',
    source: page([['1', 1]]),
    target: page([['1', 1, { _index: 'shop-2' }]]),
    options: { sourceIndexOf: (index) => (index === 'shop-2' ? 'shop' : index) },
    found: [],
  },
  {
    why: 'a hit of another index',
    source: page([['1', 1]]),
    target: page([['1', 1, { _index: 'shop-2' }]]),
    found: ['ids hits.hits'],
  },
  {
    why: 'inner hits',
    source: page([
      [
        '1',
        1,
        {
          inner_hits: {
            lines: {
              hits: page([
                ['1', 2, { _nested: { field: 'lines', offset: 0 } }],
                ['1', 1, { _nested: { field: 'lines', offset: 1 } }],
              ]).hits,
            },
          },
        },
      ],
    ]),
    target: page([
      [
        '1',
        1,
        {
          inner_hits: {
            lines: {
              hits: page([
                ['1', 2, { _nested: { field: 'lines', offset: 1 } }],
                ['1', 1, { _nested: { field: 'lines', offset: 0 } }],
              ]).hits,
            },
          },
        },
      ],
    ]),
    found: ['order hits.hits["shop/1"].inner_hits.lines.hits'],
  },
  {
    why: 'failed shards',
    source: three,
    target: { ...three, _shards: { total: 2, successful: 1, failed: 1 } },
    found: ['partial _shards'],
  },
  {
    why: 'out of time',
    source: three,
    target: { ...three, timed_out: true },
    found: ['partial _shards'],
  },
  {
    why: 'counts',
    source: { count: 3, _shards: {} },
    target: { count: 4, _shards: {} },
    found: ['total count'],
  },
  {
    why: 'documents by id',
    source: {
      docs: [{ _index: 'a', _id: '1', _version: 1, found: true, _source: { version: 1 } }],
    },
    target: {
      docs: [{ _index: 'a', _id: '1', _version: 2, found: true, _source: { version: 2 } }],
    },
    found: ['fields docs[0]._source.version'],
  },
  {
    why: 'a document that is not found',
    source: { _index: 'a', _id: '1', found: true, _source: {} },
    target: { _index: 'a', _id: '1', found: false },
    found: ['ids found', 'fields _source'],
  },
  {
    why: 'times and ids of an asynchronous search',
    source: { id: 'FmR', took: 1, _shards: {} },
    target: { id: 'Gx3', took: 2, _shards: {} },
    found: [],
  },
  {
    why: 'a document as such, whatever its members are called',
    source: { id: 1, status: 2, took: 3 },
    target: { id: 2, status: 3, took: 3 },
    found: ['other id', 'other status'],
  },
  {
    why: 'anything else',
    source: { fields: { a: { long: { searchable: true } } } },
    target: { fields: { a: { long: { searchable: false } } } },
    found: ['fields fields.a.long.searchable'],
  },
  {
    why: 'suggestions',
    source: {
      suggest: {
        s: [{ text: 'fox', offset: 0, length: 3, options: [{ text: 'box', score: 0.6, freq: 2 }] }],
      },
    },
    target: { suggest: { s: [{ text: 'fox', offset: 0, length: 3, options: [] }] } },
    found: ['suggest suggest.s[0].options[0]', 'suggest suggest.s[0].options[0].score'],
  },
  {
    why: 'suggestions of one score',
    source: {
      suggest: {
        s: [
          {
            text: 'x',
            options: [
              { text: 'a', score: 1 },
              { text: 'b', score: 1 },
            ],
          },
        ],
      },
    },
    target: {
      suggest: {
        s: [
          {
            text: 'x',
            options: [
              { text: 'b', score: 1 },
              { text: 'a', score: 1 },
            ],
          },
        ],
      },
    },
    found: [],
  },
]

for (const { why, source, target, found, options } of pages) {
  test(`compareAnswers(): ${why}`, () => {
    assert.deepEqual(counted(compare(source, target, options)), found)
  })
}

const terms = (
  buckets: readonly (readonly [string, number, object?])[],
  more: object = {},
): object => ({
  hits: { total: 1, hits: [] },
  aggregations: {
    brands: {
      doc_count_error_upper_bound: 0,
      sum_other_doc_count: 0,
      buckets: buckets.map(([key, count, below]) => ({ key, doc_count: count, ...below })),
      ...more,
    },
  },
})
const figure = (members: object): object => ({
  hits: { total: 1, hits: [] },
  aggregations: { price: members },
})
const visitors = askedSearches({
  path: '/_search',
  body: '{"aggs":{"price":{"cardinality":{"field":"ip"}}}}',
})

const aggregations: typeof pages = [
  {
    why: 'the same',
    source: terms([
      ['a', 2],
      ['b', 1],
    ]),
    target: terms([
      ['a', 2],
      ['b', 1],
    ]),
    found: [],
  },
  {
    why: 'a count',
    source: terms([
      ['a', 2],
      ['b', 1],
    ]),
    target: terms([
      ['a', 3],
      ['b', 1],
    ]),
    found: [
      'aggregation aggregations.brands["a"].doc_count',
      'aggregation aggregations.brands.sum_other_doc_count',
    ],
  },
  {
    why: 'a bucket is missing',
    source: terms([
      ['a', 2],
      ['b', 1],
    ]),
    target: terms([['a', 2]], { sum_other_doc_count: 1 }),
    found: [],
  },
  {
    why: 'a bucket is missing, and nothing was cut off',
    source: terms([
      ['a', 2],
      ['b', 1],
    ]),
    target: terms([['a', 2]]),
    found: [
      'aggregation aggregations.brands["b"]',
      'aggregation aggregations.brands.sum_other_doc_count',
    ],
  },
  {
    why: 'a bucket with more than the last one is missing',
    source: terms(
      [
        ['a', 3],
        ['b', 2],
      ],
      { sum_other_doc_count: 1 },
    ),
    target: terms(
      [
        ['a', 3],
        ['c', 1],
      ],
      { sum_other_doc_count: 2 },
    ),
    found: ['aggregation aggregations.brands["b"]'],
  },
  {
    why: 'a count within the error that the engine names',
    source: terms([['a', 100]], { doc_count_error_upper_bound: 5 }),
    target: terms([['a', 97]]),
    found: [],
  },
  {
    why: 'a count beyond it',
    source: terms([['a', 100]], { doc_count_error_upper_bound: 5 }),
    target: terms([['a', 94]]),
    found: [
      'aggregation aggregations.brands["a"].doc_count',
      'aggregation aggregations.brands.sum_other_doc_count',
    ],
  },
  {
    why: 'order among equal counts',
    source: terms([
      ['a', 2],
      ['b', 2],
    ]),
    target: terms([
      ['b', 2],
      ['a', 2],
    ]),
    found: [],
  },
  {
    why: 'order of different counts',
    source: terms([
      ['a', 2],
      ['b', 1],
    ]),
    target: terms([
      ['b', 1],
      ['a', 2],
    ]),
    found: ['aggregation aggregations.brands.order'],
  },
  {
    why: 'order among equal figures below',
    source: terms([
      ['a', 2, { p: { value: 5 } }],
      ['b', 1, { p: { value: 5 } }],
    ]),
    target: terms([
      ['b', 1, { p: { value: 5 } }],
      ['a', 2, { p: { value: 5 } }],
    ]),
    found: [],
  },
  {
    why: 'keys by value',
    source: terms([[1 as unknown as string, 2]]),
    target: parseAnswer(
      '{"hits":{"total":1,"hits":[]},"aggregations":{"brands":{"buckets":[{"key":1.0,"doc_count":2}]}}}',
    ),
    found: [],
  },
  {
    why: 'a figure below',
    source: terms([['a', 2, { p: { value: 5 } }]]),
    target: terms([['a', 2, { p: { value: 6 } }]]),
    found: ['aggregation aggregations.brands["a"].p.value'],
  },
  {
    why: 'named buckets',
    source: figure({ buckets: { cheap: { doc_count: 1 } } }),
    target: figure({ buckets: { cheap: { doc_count: 2 } } }),
    found: ['aggregation aggregations.price["cheap"].doc_count'],
  },
  {
    why: 'sums that differ in the last place',
    source: figure({ value: 0.30000000000000004 }),
    target: figure({ value: 0.3 }),
    found: [],
  },
  {
    why: 'an average',
    source: figure({ value: 1.5 }),
    target: figure({ value: 1.6 }),
    found: ['aggregation aggregations.price.value'],
  },
  {
    why: 'nothing to average',
    source: figure({ value: null }),
    target: figure({ value: 0 }),
    found: ['aggregation aggregations.price.value'],
  },
  {
    why: 'percentiles are estimates',
    source: figure({ values: { '99.0': 100 } }),
    target: figure({ values: { '99.0': 102 } }),
    found: [],
  },
  {
    why: 'percentiles far apart',
    source: figure({ values: { '99.0': 100 } }),
    target: figure({ values: { '99.0': 150 } }),
    found: ['aggregation aggregations.price.values["99.0"]'],
  },
  {
    why: 'cardinality, when it was asked for',
    source: figure({ value: 1000 }),
    target: figure({ value: 1010 }),
    options: { asked: visitors },
    found: [],
  },
  {
    why: 'a count of values, though near',
    source: figure({ value: 1000 }),
    target: figure({ value: 1010 }),
    found: ['aggregation aggregations.price.value'],
  },
  {
    why: 'typed keys',
    source: { hits: { hits: [] }, aggregations: { 'sterms#a': { buckets: [] } } },
    target: { hits: { hits: [] }, aggregations: { 'lterms#a': { buckets: [] } } },
    found: [],
  },
  {
    why: 'top hits',
    source: figure({ hits: { total: 1, hits: [{ _id: '1', _score: 1 }] } }),
    target: figure({ hits: { total: 1, hits: [{ _id: '2', _score: 1 }] } }),
    found: ['ids aggregations.price.hits.hits'],
  },
  {
    why: 'an aggregation that the target lacks',
    source: figure({ value: 1 }),
    target: { hits: { total: 1, hits: [] } },
    found: ['aggregation aggregations.price'],
  },
  {
    why: 'dates as text',
    source: figure({ value: 1e12, value_as_string: '2001-09-09' }),
    target: figure({ value: 1e12, value_as_string: '2001-09-09T01:46:40Z' }),
    found: ['aggregation aggregations.price.value_as_string'],
  },
]

for (const { why, source, target, found, options } of aggregations) {
  test(`compareAnswers(), aggregations: ${why}`, () => {
    assert.deepEqual(counted(compare(source, target, options)), found)
  })
}

test('compareAnswers() counts an answer that did not come, or is an error, as nothing found', () => {
  const error = {
    error: {
      root_cause: [{ type: 'query_shard_exception' }],
      type: 'search_phase_execution_exception',
    },
    status: 400,
  }
  const failed = compareAnswers(answer(three), answer(error, 400))
  assert.deepEqual(
    [counted(failed), failed.overlapAtK, failed.findings[0]?.target],
    [['status status'], 0, '"400 query_shard"'],
  )
  const lost = compareAnswers(answer(three), {
    status: 0,
    body: undefined,
    ms: 1,
    bytes: 0,
    error: 'timed out',
  })
  assert.equal(lost.findings[0]?.target, '"timed out"')
})

test('compareAnswers() tells errors apart by the type of their cause alone', () => {
  const error = (type: string, reason: string): SearchAnswer =>
    answer({ error: { root_cause: [{ type, reason }], type }, status: 400 }, 400)
  assert.deepEqual(
    counted(compareAnswers(error('parsing_exception', 'a'), error('parsing_exception', 'b'))),
    [],
  )
  assert.deepEqual(
    counted(
      compareAnswers(error('parsing_exception', 'a'), error('x_content_parse_exception', 'a')),
    ),
    ['error error'],
  )
  const old = answer({ error: 'ParsingException[no query]', status: 400 }, 400)
  assert.deepEqual(counted(compareAnswers(old, error('parsing_exception', 'a'))), [])
})

test('compareAnswers() compares the searches of _msearch one by one, and averages their figures', () => {
  const { hits } = three
  const source = {
    took: 1,
    responses: [
      { hits, status: 200 },
      { hits, status: 200 },
    ],
  }
  const other = page([
    ['9', 3],
    ['8', 2],
    ['7', 1],
  ])
  const target = {
    took: 2,
    responses: [
      { hits, status: 200 },
      { hits: other.hits, status: 200 },
    ],
  }
  const found = compare(source, target)
  assert.deepEqual(counted(found), ['ids responses[1].hits.hits'])
  assert.equal(found.overlapAtK, 0.5)
  const failed = { error: { type: 'index_not_found_exception' }, status: 404 }
  assert.deepEqual(counted(compare(source, { responses: [{ hits, status: 200 }, failed] })), [
    'status responses[1].status',
  ])
})

test('a page that begins later, or is cut off, may show others of one score', () => {
  const cut = (ids: readonly string[]): object => ({
    hits: {
      total: { value: 100, relation: 'eq' },
      hits: ids.map((id) => ({ _index: 'shop', _id: id, _score: 1 })),
    },
  })
  assert.deepEqual(counted(compare(cut(['1', '2']), cut(['3', '4']))), [])
  assert.deepEqual(
    counted(
      compare(
        page([
          ['1', 1],
          ['2', 1],
        ]),
        page([
          ['3', 1],
          ['4', 1],
        ]),
      ),
    ),
    ['ids hits.hits'],
  )
})

test('withoutNoise() marks what the source differs in from itself, and not what goes far beyond it', () => {
  const of = (ids: readonly string[]): object => page(ids.map((id, i) => [id, 10 - i]))
  const source = of(['1', '2', '3', '4'])
  const again = compare(source, of(['1', '2', '3', '5']))
  const noisy = withoutNoise(compare(source, of(['1', '2', '3', '6'])), again)
  assert.deepEqual([differs(noisy), noisy.rankingIsNoise], [false, true])
  const other = withoutNoise(compare(source, of(['6', '7', '8', '9'])), again)
  assert.deepEqual([differs(other), other.rankingIsNoise], [true, false])
  const elsewhere = withoutNoise(compare(source, page([['1', 1, { _source: {} }]])), again)
  assert.equal(differs(elsewhere), true)
})

/** Answers of three documents at most, few values: differences and ties are frequent. */
const anyPage = fc
  .uniqueArray(
    fc.record({
      id: fc.constantFrom('1', '2', '3', '4'),
      score: fc.constantFrom(3, 2, 1),
      value: fc.constantFrom(0, 1),
    }),
    { selector: ({ id }) => id, maxLength: 4 },
  )
  .map((hits) =>
    page(
      [...hits]
        .sort((a, b) => b.score - a.score)
        .map(({ id, score, value }) => [id, score, { _source: { value } }]),
      {
        aggregations: {
          values: {
            sum_other_doc_count: 0,
            buckets: [0, 1].map((key) => ({
              key,
              doc_count: hits.filter(({ value }) => value === key).length,
            })),
          },
        },
      },
    ),
  )

test('an answer does not differ from itself, nor from one with equal scores in another order', () => {
  fc.assert(
    fc.property(anyPage, (one) => {
      assert.deepEqual(compare(one, one).findings, [])
      const copy = structuredClone(one) as { hits: { hits: { _score: number }[] } }
      copy.hits.hits.reverse().sort((a, b) => b._score - a._score)
      assert.deepEqual(compare(one, copy).findings, [])
    }),
  )
})

test('what differs one way differs the other way, in the same places by the same extent', () => {
  const turned = ({ findings }: AnswerDifference): string[] =>
    findings.map(({ what, where, extent }) => `${what} ${where} ${extent?.toFixed(9)}`).sort()
  fc.assert(
    fc.property(anyPage, anyPage, (source, target) => {
      assert.deepEqual(turned(compare(source, target)), turned(compare(target, source)))
    }),
  )
})

test('any JSON is compared without failing, and nothing is found in equal bodies', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      assert.deepEqual(compare(one, structuredClone(one)).findings, [])
      compare(one, other)
      const wrapped = (value: Json): object => ({
        hits: value,
        aggregations: value,
        suggest: value,
        docs: value,
        responses: value,
      })
      compare(wrapped(one as Json), wrapped(other as Json))
      assert.deepEqual(
        compare(wrapped(one as Json), wrapped(structuredClone(one) as Json)).findings,
        [],
      )
    }),
  )
})
