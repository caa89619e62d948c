import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  changesContext,
  loggedExchange,
  outcomeText,
  sourceIndex,
} from '../../test/support/logged-exchanges.ts'
import { randomJson, randomSource, randomString, respell } from '../../test/support/random-json.ts'
import { changesOf } from './changes-of.ts'

const indices = ['i', 'j'].map((name) =>
  sourceIndex(name, { aliases: new Map([[`${name}-routed`, { indexRouting: name }]]) }),
)
const context = changesContext(indices)

interface RandomBulk {
  readonly body: string
  readonly answer: string
  /** As outcomeText() has them. */
  readonly expected: readonly string[]
}

/** A bulk as a client may write it, the answer of an engine, and what both come to. */
function randomBulk(random: () => number): RandomBulk {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const between = (): string => (random() < 0.2 ? pick(['\n', ' \n', '\r\n']) : '')
  const end = (): string => (random() < 0.2 ? '\r\n' : '\n')
  let body = ''
  const items: object[] = []
  const expected: string[] = []
  for (let i = 0, count = Math.floor(random() * 12) + 1; i < count; i++) {
    const op = pick(['index', 'create', 'update', 'delete'])
    const index = pick(['i', 'j'])
    const isRouted = random() < 0.2
    const given = op === 'index' && random() < 0.3 ? undefined : randomString(random, 5) + String(i)
    const routing = random() < 0.3 ? randomString(random, 3) + String(i) : undefined
    const action = {
      _index: isRouted ? `${index}-routed` : index,
      ...(given !== undefined && { _id: given }),
      ...(routing !== undefined && { [pick(['routing', '_routing'])]: routing }),
    }
    const shuffled = Object.fromEntries(Object.entries(action).sort(() => random() - 0.5))
    const source = respell(random, { s: randomJson(random, 2) }).replaceAll(/[\r\n]/g, ' ')
    const [plain] = [source.trim()]
    body += between() + respell(random, { [op]: shuffled }).replaceAll(/[\r\n]/g, ' ') + end()
    if (op !== 'delete') body += source + end()

    const id = given ?? `made${i}`
    const fate = pick(['done', 'done', 'done', 'refused', 'rejected'])
    const place = { _index: index, _id: id }
    const text = routing ?? (isRouted ? index : undefined)
    const where = `${index}/${id}`
    const routed = text === undefined ? '' : ` routing=${text}`
    if (fate !== 'done') {
      const status = fate === 'refused' ? 409 : 429
      items.push({ [op]: { ...place, status, error: { type: 'e', reason: 'r' } } })
      if (status === 429) expected.push(`read ${where} v?${routed}`)
      continue
    }
    const result =
      op === 'delete'
        ? pick(['deleted', 'not_found'])
        : op === 'create'
          ? 'created'
          : pick(['created', 'updated', 'noop'])
    const isNoop = result === 'noop' && op === 'update'
    const told = result === 'noop' && !isNoop ? 'updated' : result
    items.push({ [op]: { ...place, _version: 1, result: told, _seq_no: i, status: 200 } })
    if (isNoop) continue
    const what = op === 'delete' ? 'delete' : op === 'update' ? 'read' : 'write'
    const isNew = given === undefined && told === 'created' ? ' new' : ''
    expected.push(`${what} ${where} #${i}${routed}${isNew}${what === 'write' ? ` ${plain}` : ''}`)
  }
  return { body, answer: JSON.stringify({ took: 1, errors: true, items }), expected }
}

test('of any bulk exactly what succeeded is changed', () => {
  for (let seed = 0; seed < 400; seed++) {
    const { body, answer, expected } = randomBulk(randomSource(seed))
    const exchange = loggedExchange({ line: 'POST /_bulk', body, status: 200, answer })
    assert.deepEqual(outcomeText(changesOf(exchange, context)), expected, `seed ${seed}`)
  }
})

test('of any bulk without an answer every document that it names is read', () => {
  for (let seed = 0; seed < 200; seed++) {
    const { body, answer } = randomBulk(randomSource(seed))
    const { items } = JSON.parse(answer) as {
      items: Record<string, { _index: string; _id: string }>[]
    }
    const named = items
      .map((item) => Object.values(item)[0]!)
      .filter(({ _id }) => !_id.startsWith('made'))
    const { changes } = changesOf(loggedExchange({ line: 'POST /_bulk', body }), context)
    assert.ok(changes.every(({ what, seqNo }) => what === 'read' && seqNo === undefined))
    assert.deepEqual(
      changes.map(({ index, id }) => [index, id]),
      named.map(({ _index, _id }) => [_index, _id]),
      `seed ${seed}`,
    )
  }
})
