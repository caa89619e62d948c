import assert from 'node:assert/strict'
import test from 'node:test'
import { rules } from '../metadata/rules/table.ts'
import { ChangeGroups } from './changes.ts'

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
