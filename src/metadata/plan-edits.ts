import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { planEditKind, type PlanEdit } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { differingPaths } from './json-difference.ts'
import { objectOf } from './json-objects.ts'
import { bodiesOf, objectKey, type PlanEdits, type PlanFile } from './plan-file.ts'
import { plannedObjects, type MetadataPlan } from './plan.ts'

/** What a person has made of a plan, for the times that the same objects are planned again: sync does so with each change. */
export interface RememberedEdits {
  readonly edits: PlanEdits
  /** `kind name` of objects that were left out. */
  readonly leftOut: ReadonlySet<string>
}

/** Remembers in what a plan file differs from the plan without it; what it has as planned is forgotten. */
export async function rememberEdits(
  state: StateStore,
  plan: MetadataPlan,
  file: PlanFile,
): Promise<void> {
  const bodies = bodiesOf(file)
  const changes = plannedObjects(plan).map((one) => {
    const { kind, name, body: planned } = one
    const key = objectKey(one)
    const edited = bodies.get(key) ?? null
    if (edited !== null && differingPaths(planned, edited).length === 0) {
      return { op: 'delete', kind: planEditKind, key } as const
    }
    const value: PlanEdit = { kind, name, planned, edited }
    return { op: 'put', kind: planEditKind, key, value } as const
  })
  await state.commit(changes)
}

export async function readEdits(state: StateStore): Promise<RememberedEdits> {
  const known = new Map<string, PlanEdit>()
  for await (const { key, value } of state.each(planEditKind)) known.set(key, value)
  const leftOut = [...known].filter(([, { edited }]) => edited === null)
  return {
    leftOut: new Set(leftOut.map(([key]) => key)),
    edits: (key, body) => {
      const edit = known.get(key)
      if (edit === undefined || edit.edited === null) return undefined
      return objectOf(mergedEdit(edit.planned, edit.edited, body))
    },
  }
}

/** What is planned now, with what the person has changed in what was planned then. */
export function mergedEdit(planned: Json, edited: Json, now: Json): Json
export function mergedEdit(
  planned: Json | undefined,
  edited: Json | undefined,
  now: Json | undefined,
): Json | undefined
export function mergedEdit(
  planned: Json | undefined,
  edited: Json | undefined,
  now: Json | undefined,
): Json | undefined {
  if (isDeepStrictEqual(planned, edited)) return now
  if (!isJsonObject(edited) || !isJsonObject(now)) return edited
  const before = objectOf(planned)
  const result: JsonObject = {}
  for (const key of new Set([...Object.keys(now), ...Object.keys(edited)])) {
    const value = mergedEdit(before[key], edited[key], now[key])
    if (value !== undefined) result[key] = value
  }
  return result
}
