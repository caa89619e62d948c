import { MigrationError, type ErrorCode } from '../base/errors.ts'
import type { ChecksumPart } from '../document/shard-reader.ts'
import { deadLetterKind } from '../state/records.ts'
import type { Change, StateStore } from '../state/store.ts'
import type { OpenedShard } from './local-worker.ts'
import { putItem, putShard, type IndexWork } from './plan.ts'
import type { BackfillShard, WorkItem } from './records.ts'

/**
 * Segments whose documents are written before their checksum is known (ShardReader.checksWhileReading). Their names stay
 * with the shard, as `unchecked`, until the checksum was right: a run that goes on makes up for it, and when it is wrong
 * all that was written of them is written anew.
 */

/**
 * Adds the segments of which something is still to be read. One that is cut between shares is checked by the share that
 * holds its end, which reads the rest for it: else every host would read it whole.
 */
export function withUnchecked(
  shard: BackfillShard,
  items: readonly WorkItem[],
  { checkedWhileRead, segments }: OpenedShard,
): BackfillShard {
  const ends = new Map(segments.map(({ name, maxDoc }) => [name, maxDoc]))
  const own = items.filter((item) => item.shard === shard.shard)
  const ended = new Set(
    own.filter(({ segment, toDoc }) => toDoc === ends.get(segment)).map(({ segment }) => segment),
  )
  const open = own.filter(({ done, segment }) => !done && ended.has(segment))
  const read = new Set(open.map(({ segment }) => segment))
  const names = new Set([
    ...(shard.unchecked ?? []),
    ...checkedWhileRead.filter((name) => read.has(name)),
  ])
  return names.size === 0 ? shard : { ...shard, unchecked: [...names] }
}

export function withoutUnchecked(shard: BackfillShard, segment: string): BackfillShard {
  const { unchecked = [], ...rest } = shard
  const left = unchecked.filter((name) => name !== segment)
  return left.length === 0 ? rest : { ...rest, unchecked: left }
}

/** What is known of a segment's checksum from its items, as far as they were read. */
export function partOf({ fromDoc, checkpoint, crc }: WorkItem): ChecksumPart {
  return { fromDoc, toDoc: checkpoint, ...(crc !== undefined && { crc }) }
}

/** Errors that say nothing of the bytes. */
const unrelated: ReadonlySet<ErrorCode> = new Set(['MA_BLOB_MISSING', 'MA_BLOB_READ'])

/**
 * After a shard failed, when nothing of it is under way any more: what was not checked to the end begins anew in a later
 * run. Gives the error with what that means, or the same where nothing was written too early.
 */
export async function beginUncheckedAnew(
  state: StateStore,
  { items, shards }: IndexWork,
  { shard, error }: { shard: number; error: MigrationError },
): Promise<MigrationError> {
  const record = shards[shard]!
  const names = new Set(record.unchecked)
  const again = items.filter((item) => item.shard === shard && names.has(item.segment))
  const written = again.reduce((sum, item) => sum + item.written, 0)
  if (unrelated.has(error.code) || again.length === 0) return error
  const drop: Change[] = []
  for (const segment of names) {
    const prefix = `${record.index}/${shard}/${segment}/`
    for await (const { key } of state.each(deadLetterKind, { prefix })) {
      drop.push({ op: 'delete', kind: deadLetterKind, key })
    }
  }
  for (const item of again) {
    Object.assign(item, beginning(item))
    delete item.crc
  }
  const told = new MigrationError(
    error.code,
    `${error.message}. ${written} documents were written from ${[...names].join(', ')} of this shard before that was ` +
      'known, and may be other ones than were stored. Put a good copy of the repository in its place and run the ' +
      'backfill again: it writes them all anew, over these.',
    { cause: error, details: { ...error.details, written }, retryable: error.retryable },
  )
  const value = { ...record, error: { code: told.code, message: told.message } }
  await state.commit([...drop, ...again.map(putItem), putShard(value)])
  shards[shard] = value
  return told
}

function beginning({ fromDoc }: WorkItem): Partial<WorkItem> {
  return {
    checkpoint: fromDoc,
    done: false,
    ...{ read: 0, written: 0, failed: 0, sourceBytes: 0 },
  }
}
