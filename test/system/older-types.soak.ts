/** Indices with several types, parents and strings move from engines that had them, and compare equal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { assertEqual, backfill, makeReady, makeSnapshot } from '../support/backfill.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, evaluate, newState } from '../support/metadata.ts'

const engine = await useEngine('opensearch', '3', { own: true })
const { skip } = engine
const target = skip === false ? await connect('target', engine) : undefined!

const analyzed = { type: 'string', norms: { enabled: false }, include_in_all: false }
const exact = { type: 'string', index: 'not_analyzed', ignore_above: 100 }

const sources: { version: string; text: JsonObject; keyword: JsonObject }[] = [
  { version: '5', text: { type: 'text' }, keyword: { type: 'keyword' } },
  { version: '2', text: analyzed, keyword: exact },
  { version: '1', text: analyzed, keyword: exact },
]

for (const { version, text, keyword } of sources) {
  test(`Elasticsearch ${version}: several types become one mapping`, { skip }, async () => {
    const sourceEngine = await useEngine('elasticsearch', version, { own: true })
    const cluster = await connect('source', sourceEngine)
    const index = uniqueName('types')
    // One shard: of more, engines before 2 spread routed documents by another hash.
    await send(sourceEngine, 'PUT', `/${index}`, {
      settings: {
        number_of_shards: 1,
        number_of_replicas: 0,
        analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['standard', 'lowercase'] } } },
      },
      mappings: {
        question: {
          _all: { enabled: false },
          properties: {
            title: { ...text, analyzer: 'a' },
            at: { type: 'date', format: 'YYYY-MM-dd' },
          },
        },
        answer: {
          _parent: { type: 'question' },
          properties: {
            title: { ...text, analyzer: 'a' },
            by: { ...keyword, fields: { n: { ...text } } },
          },
        },
      },
    })
    const lines: string[] = []
    for (let n = 0; n < 50; n++) {
      lines.push(JSON.stringify({ index: { _index: index, _type: 'question', _id: `q${n}` } }))
      lines.push(JSON.stringify({ title: `What is ${n}?`, at: '2016-05-06' }))
      lines.push(
        JSON.stringify({
          index: { _index: index, _type: 'answer', _id: `a${n}`, _parent: `q${n % 7}` },
        }),
      )
      lines.push(JSON.stringify({ title: `It is ${n}`, by: `u${n % 3}` }))
    }
    await send(sourceEngine, 'POST', '/_bulk?refresh=true', lines.join('\n') + '\n')
    const taken = await makeSnapshot({ cluster, engine: sourceEngine }, [index])

    const plan = await evaluate({ snapshot: taken.snapshot, target, state: await newState() })
    const rules = new Set(plan.indices[0]!.changes.map(({ rule }) => rule))
    for (const rule of ['parent-join', 'types-union', 'filter-standard', 'joda-format']) {
      assert.ok(rules.has(rule), `${rule} in ${[...rules].join(', ')}`)
    }

    const ready = await makeReady({ ...taken, target, indices: [index] })
    assert.equal((await backfill(ready)).deadLetters, 0)
    await assertEqual(ready)
    const found = await send<{ hits: { total: { value: number } } }>(
      engine,
      'POST',
      `/${index}/_search`,
      {
        query: {
          bool: {
            must: [
              { match: { title: 'WHAT' } },
              { range: { at: { gte: '2016-05-06', lt: '2016-05-07' } } },
            ],
          },
        },
      },
    )
    assert.equal(found.hits.total.value, 50)
    await sourceEngine.stop()
  })
}
