import { sourceIndexOf, typeMark } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import { documentChange } from '../compare/document-change.ts'
import { diffDocuments, parseExact, type DocumentDiff } from '../compare/document-diff.ts'
import {
  documentsInCluster,
  documentsInSnapshot,
  type ShownDocument,
} from '../compare/show-document.ts'
import { differenceKey } from '../compare/verdict.ts'
import { documentDifferenceKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { sourceKind } from './compare.ts'
import type { Migration } from './migration.ts'

/** A document on both sides, and what differs of it. */
export interface ShownDifference {
  readonly index: string
  readonly targetIndex: string
  readonly id: string
  readonly from: 'live' | 'snapshot'
  /** In the form that it has on the target; several where it was written with several routings. */
  readonly source: readonly ShownDocument[]
  readonly target: readonly ShownDocument[]
  /** Of the first of either side; absent where a side has none, or is no JSON. */
  readonly diff?: readonly DocumentDiff[]
}

/**
 * Shows one document by index and id, or by the number that it has among the differences of the last verdict: `INDEX/NUMBER`.
 * Throws MA_CONFIG where there is none of that number.
 */
export async function showDifference(
  migration: Migration,
  wanted: readonly string[],
): Promise<ShownDifference> {
  const state = await migration.state('read')
  const [index, id] = await nameOf(state, wanted)
  const target = await targetOf(state, index)
  const from = await sourceKind(migration, state)
  const { signal } = migration
  const source = await fromSource(migration, { from, index, id, target })
  const cluster = await migration.target()
  const onTarget = await documentsInCluster(cluster, target.targetIndex, id, { signal })
  const diff = diffOf(source[0], onTarget[0])
  return {
    ...{ index, targetIndex: target.targetIndex, id, from, source, target: onTarget },
    ...(diff && { diff }),
  }
}

async function nameOf(
  state: StateStore,
  [first = '', id]: readonly string[],
): Promise<[index: string, id: string]> {
  if (id !== undefined) return [first, id]
  const [, index, number] = /^(.+)\/(\d+)$/.exec(first) ?? []
  const record =
    index === undefined
      ? undefined
      : await state.get(documentDifferenceKind, differenceKey(index, Number(number)))
  if (record !== undefined) return [record.value.index, record.value.id]
  throw new MigrationError(
    'MA_CONFIG',
    `the last comparison has no difference ${first}; give INDEX/NUMBER as compare documents names it, or INDEX and ID`,
  )
}

async function targetOf(state: StateStore, index: string): Promise<TargetIndex> {
  const [target] = await targetPartsOf(state, index)
  if (target !== undefined) return target
  throw new MigrationError(
    'MA_CONFIG',
    `no target index of ${index} is known to this migration; osmigrate metadata migrate makes it`,
  )
}

async function fromSource(
  migration: Migration,
  about: { from: 'live' | 'snapshot'; index: string; id: string; target: TargetIndex },
): Promise<ShownDocument[]> {
  const { from, id, target } = about
  const { signal } = migration
  const index = sourceIndexOf(about.index)
  const { change } = await documentChange(index, target, await migration.transform())
  if (from === 'snapshot') {
    return documentsInSnapshot(await migration.snapshot(), index, id, { change, signal })
  }
  const hasTypeInId = (target.types?.keepIn ?? null) !== null
  const ownId = hasTypeInId ? id.slice(id.indexOf(typeMark) + 1) : id
  const found = await documentsInCluster(await migration.source(), index, ownId, { change, signal })
  return hasTypeInId ? found.filter((one) => one.id === id) : found
}

function diffOf(
  source: ShownDocument | undefined,
  target: ShownDocument | undefined,
): readonly DocumentDiff[] | undefined {
  if (source?.source === undefined || target?.source === undefined) return undefined
  try {
    return diffDocuments(parseExact(source.source), parseExact(target.source))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
