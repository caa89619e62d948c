import { sourceIndexOf } from '../base/document-types.ts'
import { isUnreadable, MigrationError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { IndexMetadata, Snapshot } from '../snapshot/snapshot.ts'
import {
  deadLetterKind,
  shardIncarnationKind,
  sourceIncarnationKind,
  type ShardIncarnation,
  type TargetIndex,
} from '../state/records.ts'
import type { Change, Kind, StateStore } from '../state/store.ts'
import { errorRecord } from './failure.ts'
import type { OpenedShard, ShardTask } from './local-worker.ts'
import {
  backfillIndexKind,
  backfillShardKind,
  workItemKey,
  workItemKind,
  type BackfillIndex,
  type BackfillShard,
  type WorkItem,
} from './records.ts'
import { withUnchecked } from './unchecked.ts'
import {
  parseShare,
  shareOfShard,
  shareText,
  stretchesOfShare,
  wholeBackfill,
  type SegmentStretch,
  type Share,
} from './share.ts'

/** An index with what is known of its shards and work items. */
export interface IndexWork {
  record: BackfillIndex
  target: TargetIndex
  shards: BackfillShard[]
  items: WorkItem[]
}

/**
 * The plan of an index, or of a share of it: from the state where there is one, else made and stored. What the plan says
 * is settled counts only for the target index that it was made for: where the user has deleted that and made it anew,
 * all begins anew. Throws MA_SNAPSHOT for another snapshot than the plan's, MA_CONFIG for another share or transform
 * (its fingerprint).
 */
export async function planIndexWork(
  state: StateStore,
  snapshot: Snapshot,
  target: TargetIndex,
  share = wholeBackfill,
  transform: string | null = null,
): Promise<IndexWork> {
  const { index } = target
  const known = (await state.get(backfillIndexKind, index))?.value
  if (known && known.targetUuid !== target.targetUuid) await forget(state, index)
  else if (known && known.snapshotUuid !== snapshot.uuid) throw otherSnapshot(known, snapshot)
  else if (known && (known.share ?? null) !== shareText(share)) throw otherShare(known, share)
  else if (known && (known.transform ?? null) !== transform) throw otherTransform(known, transform)
  else if (known) return loadPlan({ state, snapshot }, known, target)
  return makePlan({ state, snapshot }, target, share, transform)
}

/** Throws MA_SNAPSHOT, as planIndexWork() does, when the index was planned from another snapshot. */
export async function requirePlannedSnapshot(
  state: StateStore,
  snapshot: Snapshot,
  index: string,
): Promise<void> {
  const known = (await state.get(backfillIndexKind, index))?.value
  if (known && known.snapshotUuid !== snapshot.uuid) throw otherSnapshot(known, snapshot)
}

async function makePlan(
  { state, snapshot }: { state: StateStore; snapshot: Snapshot },
  target: TargetIndex,
  share: Share,
  transform: string | null,
): Promise<IndexWork> {
  const { index } = target
  const sourceIndex = sourceIndexOf(index)
  const metadata = await snapshot.readIndexMetadata(sourceIndex)
  if (metadata.uuid !== target.sourceUuid) throw otherIncarnation(index, target, metadata.uuid)
  const lacking = new Map(
    snapshot.shardFailures
      .filter((one) => one.index === sourceIndex)
      .map((one) => [one.shard, one]),
  )
  const shards: BackfillShard[] = []
  for (let shard = 0; shard < metadata.numberOfShards; shard++) {
    const reason = lacking.get(shard)?.reason
    const task = { index, shard, sourceUuid: metadata.uuid, share }
    if (reason === undefined) shards.push(await lookAtShard(snapshot, task))
    else shards.push(unreadable(task, 'lacking', { code: 'MA_SNAPSHOT', message: reason }))
  }
  const record: BackfillIndex = {
    index,
    snapshot: snapshot.name,
    snapshotUuid: snapshot.uuid,
    sourceUuid: metadata.uuid,
    targetUuid: target.targetUuid,
    share: shareText(share),
    versionFrom: versionFromOf(snapshot, metadata),
    ...(metadata.primaryTerms && { primaryTerms: [...metadata.primaryTerms] }),
    transform,
    state: 'planned',
    error: null,
    notes:
      target.sourceForm === 'full'
        ? []
        : [`_source is ${target.sourceForm}: what it leaves out is not in the snapshot`],
  }
  await state.commit([
    ...shards.map((value) => putShard(value)),
    { op: 'put', kind: backfillIndexKind, key: index, value: record, revision: 0 },
  ])
  return { record, target, shards, items: [] }
}

/** The first engine that numbers all operations of a shard. */
const firstNumberedVersion = 6_000_000

/**
 * Decided by the index and by the engine: an index of 5.x that lives on in 6.x gets numbers there, which count from
 * then on; and the version of OpenSearch, which may be below 6, says nothing.
 */
function versionFromOf(
  { engineVersion }: Pick<Snapshot, 'engineVersion'>,
  { createdVersion }: Pick<IndexMetadata, 'createdVersion'>,
): BackfillIndex['versionFrom'] {
  const oldEngine = engineVersion !== undefined && Number.parseInt(engineVersion, 10) < 6
  return createdVersion < firstNumberedVersion && oldEngine ? 'version' : 'seqNo'
}

/** A shard whose list of files cannot be read is bad, by name: it keeps nothing else from being carried over. */
async function lookAtShard(
  snapshot: Snapshot,
  { index, shard, sourceUuid, share }: ShardTask & { sourceUuid: string; share: Share },
): Promise<BackfillShard> {
  try {
    const { byteLength } = await snapshot.openShard(sourceIndexOf(index), shard)
    const common = { index, shard, error: null }
    switch (shareOfShard({ sourceUuid, shard, byteLength }, share)) {
      case 'whole':
        return { ...common, byteLength, state: 'open', part: null }
      case 'part':
        return {
          ...common,
          byteLength: Math.round(byteLength / share.of),
          state: 'open',
          part: shareText(share),
        }
      case 'none':
        return { ...common, byteLength: 0, state: 'elsewhere', part: null }
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return unreadable({ index, shard }, 'bad', errorRecord(error))
  }
}

function unreadable(
  { index, shard }: ShardTask,
  state: 'bad' | 'lacking',
  error: BackfillShard['error'],
): BackfillShard {
  return { index, shard, byteLength: 0, state, part: null, error }
}

async function loadPlan(
  { state, snapshot }: { state: StateStore; snapshot: Snapshot },
  record: BackfillIndex,
  target: TargetIndex,
): Promise<IndexWork> {
  const prefix = `${record.index}/`
  const shards: BackfillShard[] = []
  for await (const { value } of state.each(backfillShardKind, { prefix })) {
    // It was not even listed the last time.
    const again = value.state === 'bad' && value.byteLength === 0
    const { index, sourceUuid } = record
    const share = parseShare(record.share ?? undefined)
    shards[value.shard] = again
      ? await lookAtShard(snapshot, { index, shard: value.shard, sourceUuid, share })
      : value
  }
  const items: WorkItem[] = []
  for await (const { value } of state.each(workItemKind, { prefix })) items.push(value)
  for (const item of items) await dropUnsettledLetters(state, item)
  return { record, target, shards, items }
}

/** Dead letters above the checkpoint are of documents that will be sent again, and may be taken this time. */
async function dropUnsettledLetters(state: StateStore, item: WorkItem): Promise<void> {
  if (item.done) return
  const prefix = `${item.index}/${item.shard}/${item.segment}/`
  const drop: Change[] = []
  for await (const { key, value } of state.each(deadLetterKind, { prefix })) {
    if (value.doc >= item.checkpoint && value.doc < item.toDoc) {
      drop.push({ op: 'delete', kind: deadLetterKind, key })
    }
  }
  await state.commit(drop)
}

async function forget(state: StateStore, index: string): Promise<void> {
  const prefix = `${index}/`
  const drop: Change[] = []
  const kinds: Kind<Json>[] = [
    workItemKind,
    backfillShardKind,
    shardIncarnationKind,
    deadLetterKind,
  ]
  for (const kind of kinds) {
    for await (const { key } of state.each(kind, { prefix })) drop.push({ op: 'delete', kind, key })
  }
  await state.commit([...drop, { op: 'delete', kind: backfillIndexKind, key: index }])
}

/**
 * Stores what opening a shard told: its incarnation (design §3.1) and its work items, before any of its documents is
 * sent. Throws MA_TARGET_INDEX when the target already holds documents of another incarnation.
 */
export async function planShard(
  state: StateStore,
  index: IndexWork,
  opened: { task: ShardTask; shard: OpenedShard; itemBytesMax: number },
): Promise<WorkItem[]> {
  const { task, shard, itemBytesMax } = opened
  const incarnation = await noteIncarnation(state, index, { task, shard })
  const known = index.shards[task.shard]!
  const stretches = stretchesOfShare(shard.segments, parseShare(known.part ?? undefined))
  const items = stretches.flatMap((stretch) => splitStretch(task, stretch, itemBytesMax))
  const record: BackfillShard = { ...known, state: 'planned', error: null }
  const planned = withUnchecked(record, items, shard)
  await state.commit([
    {
      op: 'put',
      kind: shardIncarnationKind,
      key: `${task.index}/${task.shard}`,
      value: incarnation,
    },
    ...items.map((item) => putItem(item)),
    putShard(planned),
  ])
  index.shards[task.shard] = planned
  index.items.push(...items)
  return items
}

/**
 * On each opening, also of a shard that was planned before: the incarnation must be the noted one, and that which sync has
 * found on the source since (a restore over a closed index begins another under the same UUID).
 */
export async function noteIncarnation(
  state: StateStore,
  { record }: IndexWork,
  { task, shard }: { task: ShardTask; shard: OpenedShard },
): Promise<ShardIncarnation> {
  const known = (await state.get(shardIncarnationKind, `${task.index}/${task.shard}`))?.value
  const seen = (await state.get(sourceIncarnationKind, sourceIndexOf(task.index)))?.value
  const found = shard.historyUuid
  const seenHistory =
    seen?.uuid === record.sourceUuid ? (seen.histories[task.shard] ?? found) : found
  const isOther = found !== null && seenHistory !== found
  if (isOther || (known && known.historyUuid !== found)) {
    const expected = known && known.historyUuid !== found ? known.historyUuid : seenHistory
    const what = `${task.index}, shard ${task.shard}`
    throw otherIncarnation(what, { sourceUuid: expected ?? 'none' }, found ?? 'none')
  }
  const primaryTerm = record.primaryTerms?.[task.shard]
  return {
    index: task.index,
    shard: task.shard,
    sourceUuid: record.sourceUuid,
    historyUuid: shard.historyUuid,
    snapshot: record.snapshot,
    maxSeqNo: shard.maxSeqNo,
    localCheckpoint: shard.localCheckpoint,
    ...(primaryTerm !== undefined && { primaryTerm }),
  }
}

function splitStretch(
  { index, shard }: ShardTask,
  { segment, fromDoc, toDoc, storedBytes }: SegmentStretch,
  itemBytesMax: number,
): WorkItem[] {
  const count = toDoc - fromDoc
  const parts = Math.max(1, Math.min(count, Math.ceil(storedBytes / itemBytesMax)))
  const bound = (part: number): number => fromDoc + Math.floor((count * part) / parts)
  return Array.from({ length: parts }, (_, part) => ({
    index,
    shard,
    segment,
    fromDoc: bound(part),
    toDoc: bound(part + 1),
    storedBytes: Math.round(storedBytes / parts),
    checkpoint: bound(part),
    done: false,
    read: 0,
    written: 0,
    failed: 0,
    sourceBytes: 0,
  }))
}

export function putItem(value: WorkItem): Change {
  return { op: 'put', kind: workItemKind, key: workItemKey(value), value }
}

export function putShard(value: BackfillShard): Change {
  return { op: 'put', kind: backfillShardKind, key: `${value.index}/${value.shard}`, value }
}

function otherSnapshot(known: BackfillIndex, snapshot: Snapshot): MigrationError {
  return new MigrationError(
    'MA_SNAPSHOT',
    `index ${known.index} is being filled from the snapshot ${known.snapshot} (${known.snapshotUuid}), not from ` +
      `${snapshot.name} (${snapshot.uuid}). A second snapshot cannot take away what was deleted between the two: ` +
      'go on with the first, or delete the target index, make it again (osmigrate metadata migrate) and begin anew.',
    { details: { index: known.index, expected: known.snapshotUuid, found: snapshot.uuid } },
  )
}

function otherShare({ index, share: begun }: BackfillIndex, share: Share): MigrationError {
  // Absent in what was written before there were shares.
  const known = begun ?? null
  const wanted = shareText(share)
  const goOn = known === null ? 'without --share' : `with --share ${known}`
  return new MigrationError(
    'MA_CONFIG',
    `index ${index} was begun here ${goOn}, not ${wanted === null ? 'without' : `as ${wanted}`}: what is done could not be told from what is not. ` +
      `Go on ${goOn}; or give this host a state of its own (--name), make the metadata known to it (osmigrate metadata migrate) and begin there.`,
    { details: { index, expected: known, found: wanted } },
  )
}

function otherTransform(
  { index, transform: known = null }: BackfillIndex,
  wanted: string | null,
): MigrationError {
  const begun = known === null ? 'without a transform' : `with another transform (${known})`
  const now = wanted === null ? 'none is configured' : `the configured one is ${wanted}`
  return new MigrationError(
    'MA_CONFIG',
    `index ${index} was begun ${begun}, and now ${now}: its documents would be of two kinds. ` +
      'Put the transform back as it was; or delete the target index, make it again (osmigrate metadata migrate) and begin anew.',
    { details: { index, expected: known, found: wanted } },
  )
}

function otherIncarnation(
  what: string,
  { sourceUuid }: Pick<TargetIndex, 'sourceUuid'>,
  found: string,
): MigrationError {
  return new MigrationError(
    'MA_TARGET_INDEX',
    `the target index of ${what} was made for another incarnation of the source (expected ${sourceUuid}, found ` +
      `${found} in the snapshot): sequence numbers of the two cannot be compared. Delete the target index, then run ` +
      'osmigrate metadata migrate and the backfill again.',
    { details: { what, expected: sourceUuid, found } },
  )
}
