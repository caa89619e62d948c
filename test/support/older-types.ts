/** Indices with several mapping types, parents among them, on engines that had them. */
import type { JsonObject } from '../../src/base/json.ts'
import { send, type TestEngine } from './engines.ts'

/** How an engine has text that is searched, and text that is compared. */
export interface TypedFields {
  readonly text: JsonObject
  readonly keyword: JsonObject
}

const string = { type: 'string', norms: { enabled: false }, include_in_all: false }
const exact = { type: 'string', index: 'not_analyzed', ignore_above: 100 }

export const fieldsOf: { readonly [version: string]: TypedFields } = {
  5: { text: { type: 'text' }, keyword: { type: 'keyword' } },
  2: { text: string, keyword: exact },
  1: { text: string, keyword: exact },
}

/** Enough in each of three shards that the ids of parents lie in blocks which share beginnings. */
export const manyQuestions = 3900

/** Of many lengths, so that they do. */
const questionId = (n: number): string => `q${'-of-a-long-name'.slice(0, n % 14)}${n}`

/** Questions with answers, answers with votes, which are routed by the question, and users, whose ids are other ones. */
export async function makeForum(
  engine: TestEngine,
  index: string,
  { text, keyword }: TypedFields,
  { shards, questions }: { shards: number; questions: number },
): Promise<void> {
  await send(engine, 'PUT', `/${index}`, {
    settings: {
      number_of_shards: shards,
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
      vote: { _parent: { type: 'answer' }, properties: { points: { type: 'long' } } },
      user: { properties: { name: keyword } },
    },
  })
  const lines: string[] = []
  const add = (names: object, source: object): void => {
    lines.push(JSON.stringify({ index: { _index: index, ...names } }), JSON.stringify(source))
  }
  for (let n = 0; n < questions; n++) {
    add(
      { _type: 'question', _id: questionId(n) },
      { title: `What is ${n % 50}?`, at: '2016-05-06' },
    )
    if (n % 3 > 0) {
      add(
        { _type: 'answer', _id: `a${n}`, _parent: questionId(n) },
        { title: `It is ${n}`, by: `u${n % 3}` },
      )
    }
    if (n % 15 === 1) {
      const routing = questionId(n)
      add({ _type: 'vote', _id: `v${n}`, _parent: `a${n}`, _routing: routing }, { points: n % 7 })
    }
    if (n % 50 === 0) add({ _type: 'user', _id: `u${n}` }, { name: `u${n}` })
  }
  await send(engine, 'POST', '/_bulk?refresh=true', lines.join('\n') + '\n')
}

/** Searches over parents and children, as both sides take them. */
export const joins: readonly JsonObject[] = [
  { has_child: { type: 'answer', query: { match: { title: 'it' } } } },
  { has_child: { type: 'answer', query: { term: { by: 'u1' } } } },
  { has_parent: { parent_type: 'question', query: { match: { title: '7' } } } },
  {
    has_child: {
      type: 'answer',
      query: { has_child: { type: 'vote', query: { range: { points: { gte: 4 } } } } },
    },
  },
  {
    has_parent: {
      parent_type: 'answer',
      query: { has_parent: { parent_type: 'question', query: { match: { title: '1' } } } },
    },
  },
]

/** The ids that a search finds, in order. */
export async function findIds(
  engine: TestEngine,
  index: string,
  query: JsonObject,
): Promise<string[]> {
  const found = await send<{ hits: { hits: { _id: string }[] } }>(
    engine,
    'POST',
    `/${index}/_search`,
    { size: 5000, query },
  )
  return found.hits.hits.map(({ _id }) => _id).sort()
}

/** Three children among so many others that the engine lists who has a parent. */
export async function makeFew(engine: TestEngine, index: string): Promise<void> {
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0 },
    mappings: { question: {}, answer: { _parent: { type: 'question' } }, user: {} },
  })
  const lines: string[] = []
  for (let n = 0; n < 2000; n++) {
    lines.push(JSON.stringify({ index: { _index: index, _type: 'user', _id: `u${n}` } }), '{}')
    if (n % 700 !== 5) continue
    lines.push(JSON.stringify({ index: { _index: index, _type: 'question', _id: `q${n}` } }), '{}')
    const names = { _type: 'answer', _id: `a${n}`, _parent: `q${n}`, _routing: 'elsewhere' }
    lines.push(JSON.stringify({ index: { _index: index, ...names } }), '{}')
  }
  await send(engine, 'POST', '/_bulk?refresh=true', lines.join('\n') + '\n')
}

/** Two types that have the same ids, in both of which some documents are routed; and an alias for one of them. */
export async function makeTwins(engine: TestEngine, index: string, shards: number): Promise<void> {
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: shards, number_of_replicas: 0 },
    mappings: {
      order: { dynamic: false, properties: { n: { type: 'long' } } },
      Invoice: { dynamic: false, properties: { n: { type: 'long' } } },
    },
    aliases: { [`${index}-by-type`]: { filter: { type: { value: 'order' } } } },
  })
  const lines: string[] = []
  for (let n = 0; n < 60; n++) {
    for (const _type of n < 50 ? ['order', 'Invoice'] : ['order']) {
      const routed = n % 10 === 0 ? { _routing: `r${n}` } : {}
      lines.push(JSON.stringify({ index: { _index: index, _type, _id: `${n}`, ...routed } }))
      lines.push(JSON.stringify({ n, of: _type }))
    }
  }
  await send(engine, 'POST', '/_bulk?refresh=true', lines.join('\n') + '\n')
}
