import type { IndexMetadata } from '../snapshot/snapshot.ts'
import {
  carriedObjectKind,
  sourceIncarnationKind,
  targetIndexKind,
  type TargetIndex,
} from '../state/records.ts'
import { kind, type StateStore } from '../state/store.ts'
import type { PlannedIndex, PlannedPipeline, PlannedTemplate, TemplateKind } from './plan.ts'

/** Settings kept off a template of the target until the switch. Key: `kind/name`. */
export type WithheldTemplate = {
  template: TemplateKind
  name: string
  settings: { [setting: string]: string }
}
export const withheldTemplateKind = kind<WithheldTemplate>('withheld-template')

/** What is remembered of the index under this name; under another it was another one. */
export async function recordOf(
  state: StateStore | undefined,
  { name, targetIndex }: Pick<PlannedIndex, 'name' | 'targetIndex'>,
): Promise<TargetIndex | undefined> {
  const record = (await state?.get(targetIndexKind, name))?.value
  return record?.targetIndex === targetIndex ? record : undefined
}

/** Remembers an object before it is put on the target: what is there and equal to it is this migration's. */
export async function putCarried(
  state: StateStore,
  { kind, name, body }: PlannedTemplate | PlannedPipeline,
): Promise<void> {
  const change = { op: 'put', kind: carriedObjectKind, key: `${kind}/${name}` } as const
  await state.commit([{ ...change, value: { kind, name, body } }])
}

/** How often the numbers of the index have begun anew under its UUID, as sync has seen it. */
export async function lifeOf(
  state: StateStore | undefined,
  { name, uuid }: Pick<IndexMetadata, 'name' | 'uuid'>,
): Promise<number> {
  const known = (await state?.get(sourceIncarnationKind, name))?.value
  return known?.uuid === uuid ? known.life : 0
}

/** The index was about to be made when the run ended. Behind a data stream nothing but this says whose it is. */
export function isIntent(record: TargetIndex | undefined): boolean {
  return record?.targetUuid === ''
}

/** Of an index as it is planned. */
export function newRecord(planned: PlannedIndex, targetUuid: string): TargetIndex {
  return {
    index: planned.name,
    targetIndex: planned.targetIndex,
    ...(planned.types && { types: planned.types }),
    ...(planned.distinctIn !== undefined && { distinctIn: planned.distinctIn }),
    ...(planned.dataStream !== undefined && { dataStream: planned.dataStream }),
    sourceUuid: planned.sourceUuid,
    ...(planned.life !== undefined && { life: planned.life }),
    targetUuid,
    epochBase: 0,
    fenceAlias: planned.fenceAlias,
    sourceShards: planned.sourceShards,
    targetShards: planned.targetShards,
    mayHoldRouted: planned.mayHoldRouted,
    sourceForm: planned.sourceForm,
    sourceDocuments: planned.sourceDocuments,
    withheld: { ...planned.withheld },
  }
}
