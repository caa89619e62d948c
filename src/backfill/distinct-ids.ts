import { sourceIndexOf } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import { findEqualIds } from '../document/equal-ids.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { isStopAsked } from './run-record.ts'
import { stopped } from './stopped.ts'

export interface DistinctIdsInput {
  readonly snapshot: Snapshot
  readonly state: StateStore
  readonly signal: AbortSignal
  /** Called as the shards of an index are gone through, before the first and after the last as well. */
  readonly onIdsRead?: (index: string, done: number, total: number) => void
}

/**
 * Where documents of several mapping types keep their ids in one index, no two of the snapshot may have the same: one
 * would overwrite the other. All documents of such an index are read, unless that was done for this snapshot. Throws
 * MA_TARGET_INDEX that names the indices, and MA_STOPPED; then nothing has been written.
 */
export async function requireDistinctIds(
  input: DistinctIdsInput,
  targets: readonly TargetIndex[],
): Promise<void> {
  const { snapshot, state } = input
  const problems: string[] = []
  for (const target of targets) {
    if (target.distinctIn === undefined || target.distinctIn === snapshot.uuid) continue
    const problem = await equalIdsOf(input, target)
    if (problem !== undefined) problems.push(problem)
    else {
      const value = { ...target, distinctIn: snapshot.uuid }
      await state.commit([{ op: 'put', kind: targetIndexKind, key: target.index, value }])
    }
  }
  if (problems.length === 0) return
  throw new MigrationError(
    'MA_TARGET_INDEX',
    `documents would overwrite each other, nothing was written:\n  ${problems.join('\n  ')}`,
    { details: { problems } },
  )
}

async function equalIdsOf(
  { snapshot, state, signal, onIdsRead }: DistinctIdsInput,
  { index: name, targetIndex, types }: TargetIndex,
): Promise<string | undefined> {
  const index = sourceIndexOf(name)
  const { numberOfShards } = await snapshot.readIndexMetadata(index)
  const lacking = snapshot.shardFailures.filter((one) => one.index === index)
  let count = 0
  let atLeast = ''
  let example = ''
  for (let shard = 0; shard < numberOfShards; shard++) {
    if (signal.aborted || (await isStopAsked(state))) throw stopped()
    onIdsRead?.(name, shard, numberOfShards)
    if (lacking.some((one) => one.shard === shard)) continue
    const files = await snapshot.openShard(index, shard)
    const reader = await openShardReader(files, { verify: 'touched' })
    try {
      const equal = await findEqualIds(reader, types?.only ?? null, { signal })
      count += equal.count
      if (equal.isLeast) atLeast = 'at least '
      example ||= equal.examples[0] ?? ''
    } finally {
      await reader.close()
    }
  }
  onIdsRead?.(name, numberOfShards, numberOfShards)
  if (count === 0) return undefined
  return (
    `${name}: ${atLeast}${count.toLocaleString('en-US')} ids are those of documents of several mapping types, e.g. ` +
    `${JSON.stringify(example)}. Delete ${targetIndex} on the target, and make it again with metadata.types: keep or ` +
    'split (--types); or exclude the index'
  )
}
