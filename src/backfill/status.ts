import { deadLetterKind, targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { indexProgress, totalsOf, type IndexProgress } from './progress.ts'
import {
  backfillIndexKind,
  backfillRunKind,
  backfillShardKind,
  stopRequestKind,
  workItemKind,
  type BackfillIndex,
  type BackfillRun,
  type BackfillShard,
  type Totals,
  type WorkItem,
} from './records.ts'

/** The backfill as the state tells it, from any process. */
export interface BackfillStatus {
  /** `interrupted`: the record says running, but the process that wrote it is gone (see `isRunning`). */
  state: 'none' | 'interrupted' | BackfillRun['state']
  run?: BackfillRun
  /** `2/5` where the last run did a share, else null. */
  share: string | null
  indices: IndexProgress[]
  totals: Totals
  snapshotBytesTotal: number
  /** Averages since the present run began. */
  documentsPerSecond: number
  sourceBytesPerSecond: number
  etaMs?: number
  /** Open dead letters. */
  deadLetters: number
}

/**
 * Reads the status. `isRunning` is what the writer lock says (currentHolder() of base/folder-lock.ts): a process that
 * was killed could not write that it ended.
 */
export async function backfillStatus(
  state: StateStore,
  { isRunning, now = Date.now() }: { isRunning: boolean; now?: number },
): Promise<BackfillStatus> {
  const run = (await state.get(backfillRunKind, 'run'))?.value
  const indices = await allProgress(state)
  const totals = totalsOf(indices)
  const snapshotBytesTotal = indices.reduce((sum, one) => sum + one.snapshotBytesTotal, 0)
  const rates = run ? ratesOf(run, totals, now) : { written: 0, sourceBytes: 0, snapshotBytes: 0 }
  const going = run?.state === 'running' && isRunning
  return {
    state: run ? (run.state === 'running' && !isRunning ? 'interrupted' : run.state) : 'none',
    ...(run && { run }),
    share: run?.share ?? null,
    indices,
    totals,
    snapshotBytesTotal,
    documentsPerSecond: rates.written,
    sourceBytesPerSecond: rates.sourceBytes,
    ...(going &&
      rates.snapshotBytes > 0 && {
        etaMs: Math.round(
          ((snapshotBytesTotal - totals.snapshotBytes) * 1000) / rates.snapshotBytes,
        ),
      }),
    deadLetters: await openDeadLetters(state),
  }
}

/** Asks the run that is at work to stop; it looks once a second. The store may be open in `note` mode. */
export async function requestStop(state: StateStore): Promise<void> {
  await state.commit([
    {
      op: 'put',
      kind: stopRequestKind,
      key: 'stop',
      value: { at: new Date().toISOString(), pid: process.pid },
    },
  ])
}

/** An index whose backfill is planned, under way or done. */
export type PlannedBackfill = Pick<BackfillIndex, 'index' | 'snapshot' | 'state'>

/** Which snapshots the backfill of a migration reads. */
export async function plannedBackfills(state: StateStore): Promise<PlannedBackfill[]> {
  const found: PlannedBackfill[] = []
  for await (const { value } of state.each(backfillIndexKind)) {
    const { index, snapshot, state: stands } = value
    found.push({ index, snapshot, state: stands })
  }
  return found
}

/** Number of dead letters that nobody has dealt with, of one index or of all. */
export async function openDeadLetters(state: StateStore, index?: string): Promise<number> {
  let count = 0
  const options = index === undefined ? {} : { prefix: `${index}/` }
  for await (const { value } of state.each(deadLetterKind, options)) {
    if (value.state === 'open') count++
  }
  return count
}

async function allProgress(state: StateStore): Promise<IndexProgress[]> {
  const shards = new Map<string, BackfillShard[]>()
  for await (const { value } of state.each(backfillShardKind)) push(shards, value)
  const items = new Map<string, WorkItem[]>()
  for await (const { value } of state.each(workItemKind)) push(items, value)
  const targets = new Map<string, TargetIndex>()
  for await (const { key, value } of state.each(targetIndexKind)) targets.set(key, value)
  const records: BackfillIndex[] = []
  for await (const { value } of state.each(backfillIndexKind)) records.push(value)
  return records.flatMap((record) => {
    const target = targets.get(record.index)
    if (!target) return []
    const ofIndex = {
      shards: shards.get(record.index) ?? [],
      items: items.get(record.index) ?? [],
    }
    return [indexProgress({ record, target, ...ofIndex })]
  })
}

function push<T extends { index: string }>(map: Map<string, T[]>, value: T): void {
  const list = map.get(value.index)
  if (list) list.push(value)
  else map.set(value.index, [value])
}

function ratesOf(
  run: BackfillRun,
  totals: Totals,
  now: number,
): Pick<Totals, 'written' | 'sourceBytes' | 'snapshotBytes'> {
  const end = run.endedAt === null ? now : Date.parse(run.endedAt)
  const seconds = Math.max(1, end - Date.parse(run.startedAt)) / 1000
  const per = (field: keyof Totals): number => (totals[field] - run.before[field]) / seconds
  return {
    written: per('written'),
    sourceBytes: per('sourceBytes'),
    snapshotBytes: per('snapshotBytes'),
  }
}
