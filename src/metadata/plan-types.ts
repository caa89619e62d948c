import type { DocumentTypes } from '../base/document-types.ts'
import type { TargetIndex } from '../state/records.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import type { IndexPart } from './parts.ts'
import type { PlannedChange, PlannedIndex } from './plan.ts'
import type { PlannedShards } from './shards.ts'

/** What the mapping types of an index mean for its documents. */
export interface PlannedTypes extends Pick<PlannedIndex, 'types' | 'distinctIn'> {
  readonly changes: readonly PlannedChange[]
  readonly refused?: string
}

/**
 * Decides what becomes of the documents of a part. Where documents of several types keep their ids, no two of one shard
 * may have the same: it is looked into the snapshot, all of whose documents of the index are read for it, unless the
 * record says that this was done, or the index is refused anyhow.
 */
export async function planTypes(
  { documents, origin }: Pick<EvaluateInput, 'documents' | 'origin'>,
  part: IndexPart,
  {
    record,
    shards,
    isRefused,
  }: { record: TargetIndex | undefined; shards: PlannedShards; isRefused: boolean },
): Promise<PlannedTypes> {
  const changes: PlannedChange[] = []
  const note = (what: PlannedChange['what'], reason: string): void => {
    changes.push({ path: 'documents', what, reason, loss: false })
  }
  if (part.types?.only) {
    const named = part.types.only.join(', ')
    note(
      'changed',
      `metadata.types is split: here go the documents of ${named} of ${part.index.name}`,
    )
  }
  const routeById = await isRoutedById(documents, part, shards)
  if (routeById) {
    note(
      'noted',
      'documents without routing get the id that they had as routing, so that they stay in their shard, where the ones routed to them are: to get one by its new id says the routing, too',
    )
  }
  const types: DocumentTypes | null = part.types && { ...part.types, routeById }
  const common = { changes, ...(types && { types }) }
  if (!part.idsMayMeet || isRefused) return common
  const snapshot = origin.kind === 'snapshot' ? origin.uuid : null
  if (snapshot !== null && record?.distinctIn === snapshot)
    return { ...common, distinctIn: snapshot }
  const equal = await documents.equalIds(part.index, part.types?.only ?? null)
  if (equal === undefined) {
    note(
      'noted',
      'whether documents of two types have one id is looked for when the backfill begins',
    )
    return { ...common, distinctIn: null }
  }
  if (equal.count === 0) return { ...common, distinctIn: snapshot }
  return { ...common, distinctIn: null, refused: equalIdsText(part.name, equal) }
}

/** Ids that documents of several types have. */
export interface EqualIds {
  readonly count: number
  /** There are more. */
  readonly isLeast: boolean
  /** Some of them. */
  readonly examples: readonly string[]
}

function equalIdsText(name: string, { count, isLeast, examples }: EqualIds): string {
  const shown = examples.map((id) => JSON.stringify(id)).join(', ')
  const ids = count === 1 ? '1 id is that' : `${count.toLocaleString('en-US')} ids are those`
  return (
    `${name}: ${isLeast ? 'at least ' : ''}${ids} of documents of several types, which would become one document each (${shown}). ` +
    'Take metadata.types: keep or split (--types); or exclude the index'
  )
}

async function isRoutedById(
  documents: EvaluateInput['documents'],
  { types, index }: IndexPart,
  { targetShards }: PlannedShards,
): Promise<boolean> {
  if (types === null || types.keepIn === null || targetShards === 1) return false
  return types.join !== null || (await documents.findRouted(index)) !== undefined
}
