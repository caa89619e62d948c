import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { writeToStream } from '../cluster/stream-writes.ts'
import { writePlaceOf } from '../cluster/write-place.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import {
  streamChangeKey,
  streamChangeKind,
  streamFilledKind,
  type StreamChange,
} from '../state/stream-changes.ts'

/** A write of the source to an index behind a data stream. */
export interface SourceChange {
  readonly id: string
  readonly routing: string | null
  /** The source's number of the write. */
  readonly seqNo: number
  /** JSON in one line; null: the document was deleted. */
  readonly source: Buffer | null
  /** The source made it where it knew of none, so that no snapshot can hold an older one. */
  readonly isNew?: boolean
}

/** A change that the target does not take: to become a dead letter. */
export interface RefusedChange {
  readonly change: SourceChange
  readonly status: number
  readonly type: string
  readonly reason: string
}

export interface ChangesInput {
  readonly target: Cluster
  readonly state: StateStore
  /** Behind a data stream of the target. */
  readonly index: TargetIndex
  readonly waitMaxMs: number
  readonly signal: AbortSignal
  readonly onWait?: (wait: BulkWait) => void
}

/**
 * Brings later writes of the source to an index behind a data stream, while its backfill runs or after it. Where a data
 * stream takes no version, order is kept by who writes: changes of one id must come in their order, one call at a time
 * (a lane), and each is written by compare-and-set. While the backfill runs, what was changed or deleted is noted first,
 * by its number: an older change is then left out, and what the backfill revives is deleted again when it ends. How much
 * is noted grows with the documents that are changed meanwhile, on disk; new ones, which are most, are not.
 *
 * Weaker than elsewhere: after the backfill nothing tells a change that is repeated from a new one, so that repeating the
 * last changes shows old states for a moment, until the last of them is repeated too.
 *
 * Gives what the target refuses. Errors as writeToStream().
 */
export async function writeStreamChanges(
  { target, state, index, ...patience }: ChangesInput,
  changes: readonly SourceChange[],
): Promise<RefusedChange[]> {
  const { stream } = writePlaceOf(index)
  if (stream === undefined) throw new Error(`${index.targetIndex} is behind no data stream`)
  const wanted = await noted(state, index, newestOfEach(changes))
  const refused = await writeToStream(target, { ...patience, stream, documents: wanted })
  return refused.map(({ item, status, type, reason }) => {
    return { change: wanted[item]!, status, type, reason }
  })
}

function newestOfEach(changes: readonly SourceChange[]): SourceChange[] {
  const newest = new Map<string, SourceChange>()
  for (const change of changes) {
    const key = JSON.stringify([change.id, change.routing])
    const other = newest.get(key)
    const isNew = change.isNew === true && (other === undefined || other.isNew === true)
    if (other === undefined || other.seqNo < change.seqNo) newest.set(key, { ...change, isNew })
  }
  return [...newest.values()]
}

/** Those that are still news; what has to be known at the end of the backfill is noted. */
async function noted(
  state: StateStore,
  index: TargetIndex,
  changes: readonly SourceChange[],
): Promise<SourceChange[]> {
  if (await isFilled(state, index)) return [...changes]
  const wanted: SourceChange[] = []
  const notes: StreamChange[] = []
  for (const change of changes) {
    const { id, routing, seqNo, source } = change
    const note = { index: index.index, id, routing, seqNo, isDeleted: source === null }
    const known = (await state.get(streamChangeKind, streamChangeKey(note)))?.value
    if (known && known.seqNo > seqNo) continue
    wanted.push(change)
    if (known || change.isNew !== true || source === null) notes.push(note)
  }
  const kind = streamChangeKind
  const keys = notes.map((value) => ({ key: streamChangeKey(value), value }))
  await state.commit(keys.map(({ key, value }) => ({ op: 'put', kind, key, value })))
  // It ended meanwhile, so that nobody looks for these.
  if (await isFilled(state, index)) {
    await state.commit(keys.map(({ key }) => ({ op: 'delete', kind, key })))
  }
  return wanted
}

async function isFilled(state: StateStore, { index, targetUuid }: TargetIndex): Promise<boolean> {
  return (await state.get(streamFilledKind, index))?.value.targetUuid === targetUuid
}
