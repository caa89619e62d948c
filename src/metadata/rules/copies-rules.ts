import type { Json } from '../../base/json.ts'
import { textOf } from '../json-objects.ts'
import { anyVersion, type SettingRule } from './rule.ts'

const os = 'https://docs.opensearch.org/latest'

/** How many copies of each shard there are. */
export const copiesRules: readonly SettingRule[] = [
  {
    kind: 'setting',
    name: 'awareness',
    source: anyVersion,
    target: anyVersion,
    names: ['index.number_of_replicas', 'index.auto_expand_replicas'],
    matches: (value, { awarenessCopies }) =>
      mostReplicas.test(textOf(value)) && balancedReplicas(value, awarenessCopies) !== value,
    does: (settings, name, { awarenessCopies }) =>
      settings.set(name, balancedReplicas(settings.get(name) ?? null, awarenessCopies)),
    loses: 'nothing',
    why: "the target balances copies over its awareness attribute's values, and takes only multiples of their number",
    link: `${os}/tuning-your-cluster/cluster-manager/`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { 'index.number_of_replicas': '1' },
        after: { 'index.number_of_replicas': '2' },
        changes: ['index.number_of_replicas changed'],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { 'index.number_of_replicas': '2' },
        after: { 'index.number_of_replicas': '2' },
        changes: [],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 2.19',
        before: { 'index.number_of_replicas': '0' },
        after: { 'index.number_of_replicas': '1' },
        changes: ['index.number_of_replicas changed'],
        awarenessCopies: 2,
        without: 'accepted',
      },
      {
        on: '7.10 > 3.6',
        before: { 'index.auto_expand_replicas': '0-1' },
        after: { 'index.auto_expand_replicas': '0-2' },
        changes: ['index.auto_expand_replicas changed'],
        awarenessCopies: 3,
        without: 'accepted',
      },
      {
        on: '7.10 > 3.6',
        before: { 'index.auto_expand_replicas': '0-all' },
        after: { 'index.auto_expand_replicas': '0-all' },
        changes: [],
        awarenessCopies: 3,
        without: 'accepted',
      },
    ],
  },
]

/** The last number of `2`, and of `0-2`; none in `0-all`, which is never refused, and in `false`. */
const mostReplicas = /\d+$/

/** A number of replicas, or a range of it, rounded up such that there is a multiple of so many copies. */
export function balancedReplicas(value: Json, awarenessCopies: number): string {
  return textOf(value).replace(mostReplicas, (most) => {
    const copies = Math.ceil((Number(most) + 1) / awarenessCopies) * awarenessCopies
    return String(copies - 1)
  })
}
