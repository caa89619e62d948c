import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '../base/json.ts'
import {
  bodiesOf,
  onlyPlanFile,
  parsePlanFile,
  planFileText,
  requireSameOrigin,
} from './plan-file.ts'
import type { MetadataPlan } from './plan.ts'

const index = (name: string, sourceUuid: string): JsonObject => ({
  kind: 'index',
  name,
  sourceUuid,
  action: 'create',
  changes: [],
  body: { settings: {}, mappings: {}, aliases: {} },
})
const plan = {
  source: { kind: 'snapshot', repository: '/r', snapshot: 's', uuid: 'U' },
  target: { version: '3.1.0', url: 'http://t' },
  pipelines: [{ kind: 'ingest-pipeline', name: 'p', action: 'create', changes: [], body: {} }],
  componentTemplates: [],
  legacyTemplates: [],
  indexTemplates: [],
  indices: [index('a', 'A'), index('b', 'B')],
  notCarried: [],
  templatesNotSelected: [],
  notSelected: ['.z'],
} as unknown as MetadataPlan

const edited = (edit: (json: Record<string, unknown>) => void): string => {
  const json = JSON.parse(planFileText(plan)) as Record<string, unknown>
  edit(json)
  return JSON.stringify(json)
}

test('parsePlanFile() reads what planFileText() writes', () => {
  const file = parsePlanFile(planFileText(plan), 'plan.json')
  assert.deepEqual(onlyPlanFile(plan, file), plan)
  assert.deepEqual([...bodiesOf(file).keys()], ['ingest-pipeline p', 'index a', 'index b'])
  requireSameOrigin(file, plan.source, '3.1.4')
})

test('parsePlanFile() says what is wrong in a file', () => {
  const cases: [string, RegExp][] = [
    ['{', /plan.json cannot be used as a plan: it is no JSON/],
    ['{}', /has not written it/],
    [edited((json) => (json.version = 2)), /its version is 2; this osmigrate reads 1/],
    [edited((json) => delete json.indices), /indices: /],
    [
      edited((json) => (json.indices = [{ ...index('a', 'A'), body: [] }])),
      /indices.0.body: expected an object/,
    ],
    [
      edited((json) => (json.indices = [index('a', 'A'), index('a', 'A')])),
      /index a stands in it twice/,
    ],
  ]
  for (const [text, message] of cases) {
    assert.throws(() => parsePlanFile(text, 'plan.json'), message)
  }
})

test('a plan of another snapshot, target version or incarnation is refused by name', () => {
  const file = parsePlanFile(planFileText(plan), 'plan.json')
  const other = { kind: 'snapshot', repository: '/r', snapshot: 's', uuid: 'V' } as const
  assert.throws(
    () => requireSameOrigin(file, other, '3.1.0'),
    /made from the snapshot s \(uuid U\), and this migration is from the snapshot s \(uuid V\)/,
  )
  assert.throws(
    () => requireSameOrigin(file, { kind: 'cluster', url: 'http://s' }, '3.1.0'),
    /is from the live cluster http:\/\/s/,
  )
  assert.throws(
    () => requireSameOrigin(file, plan.source, '2.19.0'),
    /OpenSearch 3.1.0, and the target is OpenSearch 2.19.0/,
  )
  const anew = { ...plan, indices: [{ ...plan.indices[0]!, sourceUuid: 'A2' }, plan.indices[1]!] }
  assert.throws(
    () => onlyPlanFile(anew, file),
    /another incarnation of a \(uuid A\) than there is \(uuid A2\)/,
  )
  assert.throws(
    () => onlyPlanFile({ ...plan, indices: [plan.indices[0]!] }, file),
    /not to be read: index b/,
  )
})

test('what is deleted from the file is left out, and named as not selected', () => {
  const text = edited((json) => {
    json.pipelines = []
    json.indices = [index('b', 'B')]
  })
  const only = onlyPlanFile(plan, parsePlanFile(text, 'plan.json'))
  assert.deepEqual(
    only.indices.map(({ name }) => name),
    ['b'],
  )
  assert.deepEqual([only.notSelected, only.templatesNotSelected], [['.z', 'a'], ['p']])
})
