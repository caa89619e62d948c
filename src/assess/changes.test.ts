import assert from 'node:assert/strict'
import test from 'node:test'
import type { MetadataPlan } from '../metadata/plan.ts'
import { rules } from '../metadata/rules/table.ts'
import { ChangeGroups, changesOf, staysBehind } from './changes.ts'
import { FeatureCount } from './features.ts'
import { noGlobalMetadata } from '../snapshot/snapshot.ts'

const rule = rules[0]!
const change = (path: string, what: 'dropped' | 'changed' | 'cannot', loss: boolean) => ({
  rule: rule.name,
  path,
  what,
  loss,
  reason: 'because',
})

test('the same change of several objects is one group, with the paths of each', () => {
  const groups = new ChangeGroups()
  groups.add({ kind: 'index', name: 'a' }, [
    change('x', 'dropped', true),
    change('y', 'dropped', true),
  ])
  groups.add({ kind: 'index', name: 'b' }, [change('x', 'dropped', true)])
  const [group, ...others] = groups.groups
  assert.deepEqual(others, [])
  assert.equal(group!.link, rule.link)
  assert.equal(group!.severity, 'dropped')
  assert.deepEqual(
    group!.objects.map(({ name, paths }) => [name, paths]),
    [
      ['a', ['x', 'y']],
      ['b', ['x']],
    ],
  )
})

test('the worst comes first, and what loses nothing last', () => {
  const groups = new ChangeGroups()
  groups.add({ kind: 'index', name: 'a' }, [
    change('w', 'changed', false),
    change('x', 'changed', true),
    change('y', 'dropped', true),
    change('z', 'cannot', true),
  ])
  assert.deepEqual(
    groups.groups.map(({ severity }) => severity),
    ['cannot', 'dropped', 'changed', 'none'],
  )
})

test('pipelines count as all else: what changes in them, what stays behind, that there are some', () => {
  const of = (name: string, more: object) => ({
    ...{ kind: 'ingest-pipeline', name, action: 'create', changes: [], body: {} },
    ...more,
  })
  const plan = {
    pipelines: [
      of('enriched', { action: 'refused', reason: 'no processor enrich' }),
      of('scripted', { changes: [change('processors[0]', 'changed', true)] }),
    ],
    ...{ componentTemplates: [], legacyTemplates: [], indexTemplates: [] },
    indices: [{ ...of('.ds-logs-1', { kind: 'index' }), dataStream: 'logs' }],
    notCarried: [{ kind: 'watch', name: 'w', reason: 'Alerting' }],
  } as unknown as MetadataPlan
  assert.deepEqual(staysBehind(plan), [
    { kind: 'ingest-pipeline', name: 'enriched', reason: 'no processor enrich' },
    { kind: 'watch', name: 'w', reason: 'Alerting' },
  ])
  const [changed] = changesOf(plan)
  assert.deepEqual(changed!.objects, [
    { kind: 'ingest-pipeline', name: 'scripted', paths: ['processors[0]'] },
  ])
  const counted = new FeatureCount()
  counted.addGlobal(noGlobalMetadata, plan)
  assert.deepEqual(
    counted.features.map(({ feature, objects }) => [feature, objects]),
    [
      ['ingest pipeline', ['enriched', 'scripted']],
      ['data stream', ['logs']],
      ['watch', ['w']],
    ],
  )
})
