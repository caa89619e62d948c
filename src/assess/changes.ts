import { plannedObjects, type MetadataPlan, type PlannedChange } from '../metadata/plan.ts'
import { rules } from '../metadata/rules/table.ts'
import type { ChangeGroup, LeftBehind, TouchedObject } from './assessment.ts'

/** What is changed of all that the plan has, the worst first. */
export function changesOf(plan: MetadataPlan): ChangeGroup[] {
  const groups = new ChangeGroups()
  for (const object of plannedObjects(plan)) groups.add(object, object.changes)
  return groups.groups
}

/** What the target will not have, or has otherwise. */
export function staysBehind(plan: MetadataPlan): LeftBehind[] {
  const refused = plannedObjects(plan)
    .filter(({ action }) => action === 'refused' || action === 'exists-different')
    .map(({ kind, name, reason = 'it cannot be made' }) => ({ kind, name, reason }))
  return [...refused, ...plan.notCarried]
}

const pathsMax = 200

interface Group {
  readonly change: PlannedChange
  readonly objects: Map<string, { kind: string; name: string; paths: string[] }>
}

/** Collects the changes of many objects: the same change of several is one group. Keeps names and paths, no bodies. */
export class ChangeGroups {
  readonly #groups = new Map<string, Group>()

  /** At most 200 paths of an object are kept in a group. */
  add(object: { kind: string; name: string }, changes: readonly PlannedChange[]): void {
    const { kind, name } = object
    for (const change of changes) {
      const key = JSON.stringify([change.rule, change.what, change.loss, change.reason])
      let group = this.#groups.get(key)
      if (!group) {
        group = { change, objects: new Map() }
        this.#groups.set(key, group)
      }
      const touched = group.objects.get(`${kind}/${name}`) ?? { kind, name, paths: [] }
      group.objects.set(`${kind}/${name}`, touched)
      if (touched.paths.length < pathsMax) touched.paths.push(change.path)
    }
  }

  /** The worst first, then those that touch the most. */
  get groups(): ChangeGroup[] {
    return [...this.#groups.values()]
      .map(({ change, objects }) => groupOf(change, [...objects.values()]))
      .sort((a, b) => rank[a.severity] - rank[b.severity] || b.objects.length - a.objects.length)
  }
}

const rank = { cannot: 0, dropped: 1, changed: 2, none: 3 }

function groupOf(change: PlannedChange, objects: TouchedObject[]): ChangeGroup {
  const { rule, what, reason } = change
  const link = rule === undefined ? undefined : links.get(rule)
  return {
    ...(rule !== undefined && { rule }),
    ...(link !== undefined && { link }),
    what,
    severity: severityOf(change),
    reason,
    objects,
  }
}

function severityOf({ what, loss }: PlannedChange): ChangeGroup['severity'] {
  if (what === 'cannot') return 'cannot'
  if (!loss) return 'none'
  return what === 'dropped' ? 'dropped' : 'changed'
}

const links = new Map(rules.map(({ name, link }) => [name, link]))
