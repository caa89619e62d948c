import { sourceIndexOf } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { writePlaceOf } from '../cluster/write-place.ts'
import { documentAt, type Document, type DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { ShardReader } from '../document/shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { deadLetterKind, isFollowed, type DeadLetter } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import { mayRename } from '../usercode/transformer.ts'
import { createBatch, fillBatch, formOf, type BatchLimits, type BulkBatch } from './batch.ts'
import { deliverBatch } from './deliver-batch.ts'
import type { BlockTransform } from './local-worker.ts'
import { judge } from './outcome.ts'
import { requirePlannedSnapshot } from './plan.ts'
import { backfillIndexKind } from './records.ts'
import { checkTargetIndices } from './target-indices.ts'

/** Which dead letters; all of them when nothing is said. */
export interface DeadLetterFilter {
  index?: string
  /** Error type as the target named it. */
  cause?: string
  /** `_id` of the document. */
  id?: string
  /** Default: open. */
  state?: DeadLetter['state'] | 'all'
}

export interface NamedDeadLetter extends DeadLetter {
  /** `index/shard/segment/doc`. */
  key: string
}

/** Dead letters of one cause in one index. */
export interface DeadLetterGroup<T = NamedDeadLetter> {
  index: string
  cause: string
  count: number
  example: T
}

export async function* eachDeadLetter(
  state: StateStore,
  filter: DeadLetterFilter = {},
): AsyncIterable<NamedDeadLetter> {
  const options = filter.index === undefined ? {} : { prefix: `${filter.index}/` }
  for await (const { key, value } of state.each(deadLetterKind, options)) {
    if (isChosen(value, filter)) yield { key, ...value }
  }
}

/** Whether a dead letter is one of those that a filter means, but for its index. */
export function isChosen(
  letter: Pick<DeadLetter, 'state' | 'cause' | 'id'>,
  { cause, id, state: wanted = 'open' }: DeadLetterFilter,
): boolean {
  if (wanted !== 'all' && letter.state !== wanted) return false
  return (cause ?? letter.cause) === letter.cause && (id ?? letter.id) === letter.id
}

/** Those of the backfill, grouped. */
export async function groupDeadLetters(
  state: StateStore,
  filter: DeadLetterFilter = {},
): Promise<DeadLetterGroup[]> {
  return groupByCause(eachDeadLetter(state, filter))
}

/** Grouped by index and cause, the largest group first. */
export async function groupByCause<T extends { index: string; cause: string }>(
  letters: AsyncIterable<T>,
): Promise<DeadLetterGroup<T>[]> {
  const groups = new Map<string, DeadLetterGroup<T>>()
  for await (const letter of letters) {
    const { index, cause } = letter
    const group = groups.get(`${index}/${cause}`)
    if (group) group.count++
    else groups.set(`${index}/${cause}`, { index, cause, count: 1, example: letter })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/** One dead letter by its key, with the document as the snapshot holds it. Throws MA_CONFIG when there is none. */
export async function showDeadLetter(
  { state, snapshot }: { state: StateStore; snapshot: Snapshot },
  key: string,
): Promise<{ letter: NamedDeadLetter; document: Document | undefined }> {
  const record = await state.get(deadLetterKind, key)
  if (!record) {
    throw new MigrationError(
      'MA_CONFIG',
      `there is no dead letter ${key}; osmigrate deadletters list names those there are`,
      { details: { key } },
    )
  }
  const letter = { key, ...record.value }
  const reader = await openReader({ state, snapshot }, letter)
  try {
    return { letter, document: await readDocument(reader, letter) }
  } finally {
    await reader.close()
  }
}

/** Says that these documents are left behind on purpose; they stay listed with `state: 'all'`. */
export async function discardDeadLetters(
  state: StateStore,
  filter: DeadLetterFilter,
): Promise<number> {
  let count = 0
  for await (const { key, ...letter } of eachDeadLetter(state, filter)) {
    await putLetter(state, key, { ...letter, state: 'discarded' })
    count++
  }
  return count
}

export interface RetryInput {
  state: StateStore
  snapshot: Snapshot
  target: Cluster
  filter: DeadLetterFilter
  /** What is done to documents on their way. */
  transform?: BlockTransform
  /** How long one document may wait for a target that is overloaded or unreachable. */
  waitMaxMs: number
  onWait?: (wait: BulkWait) => void
  signal: AbortSignal
}

/**
 * Reads the documents from the snapshot again and sends them as the backfill did, with the same versions: what was
 * written meanwhile is newer and stays. What is refused again stays open, with the cause of this time.
 */
export async function retryDeadLetters(
  input: RetryInput,
): Promise<{ written: number; refused: number }> {
  const { state, filter, signal } = input
  const done = { written: 0, refused: 0 }
  let open: { index: string; shard: number; reader: ShardReader } | undefined
  try {
    for await (const { key, ...letter } of eachDeadLetter(state, filter)) {
      if (signal.aborted) throw new MigrationError('MA_STOPPED', 'stopped; the rest stays open')
      if (open?.index !== letter.index || open.shard !== letter.shard) {
        await open?.reader.close()
        const { index, shard } = letter
        open = { index, shard, reader: await openReader(input, letter) }
      }
      const again = await sendAgain(input, open.reader, letter)
      if (again) done.refused++
      else done.written++
      await putLetter(state, key, again ?? { ...letter, state: 'retried' })
    }
  } finally {
    await open?.reader.close()
  }
  return done
}

/** The dead letter that the document is again; undefined when it was written. */
async function sendAgain(
  { state, target, transform, signal, waitMaxMs, onWait }: RetryInput,
  reader: ShardReader,
  letter: DeadLetter,
): Promise<DeadLetter | undefined> {
  const [index] = await checkTargetIndices(target, state, [letter.index])
  const planned = await state.get(backfillIndexKind, letter.index)
  const versionFrom = planned?.value.versionFrom ?? 'seqNo'
  const stored = reader.readBlocks(letter.segment, stretchOf(letter))
  const typed = index!.types ? typedBlocks(stored, index!.types) : stored
  const task = { index: sourceIndexOf(letter.index), mayRename: mayRename(index!) }
  const place = writePlaceOf(index!)
  const batch = await fillOne(transform?.blocks(typed, task) ?? typed, letter, {
    epochBase: index!.epochBase,
    versionFrom,
    ...formOf(place),
  })
  const outcome = await deliverBatch(target, place, batch, { waitMaxMs, onWait, signal })
  const newerStays = place.stream !== undefined || (await isFollowed(state))
  return judge(batch, outcome, { ...letter, partialSource: false, newerStays }).deadLetters[0]
}

async function fillOne(
  blocks: AsyncIterable<DocumentBlock>,
  letter: DeadLetter,
  rule: Omit<BatchLimits, 'bytesMax'>,
): Promise<BulkBatch> {
  const batch = createBatch(0)
  for await (const block of blocks) {
    fillBatch(batch, block, 0, { bytesMax: 0, ...rule })
  }
  if (batch.count + batch.missing.length === 1) return batch
  throw notThere(letter)
}

async function readDocument(
  reader: ShardReader,
  letter: DeadLetter,
): Promise<Document | undefined> {
  for await (const block of reader.readBlocks(letter.segment, stretchOf(letter))) {
    if (block.count > 0) return documentAt(block, 0)
  }
  return undefined
}

/** A dead letter names its document by a Lucene number, which means another document in any other snapshot. */
async function openReader(
  { state, snapshot }: { state: StateStore; snapshot: Snapshot },
  { index, shard }: DeadLetter,
): Promise<ShardReader> {
  await requirePlannedSnapshot(state, snapshot, index)
  return openShardReader(await snapshot.openShard(sourceIndexOf(index), shard), {
    verify: 'touched',
  })
}

function stretchOf({ doc }: DeadLetter): { fromDoc: number; toDoc: number } {
  return { fromDoc: doc, toDoc: doc + 1 }
}

async function putLetter(state: StateStore, key: string, value: DeadLetter): Promise<void> {
  await state.commit([{ op: 'put', kind: deadLetterKind, key, value }])
}

function notThere({ index, shard, segment, doc, id }: DeadLetter): MigrationError {
  return new MigrationError(
    'MA_SNAPSHOT',
    `the document ${JSON.stringify(id)} of ${index} is not in this snapshot (shard ${shard}, segment ${segment}, ` +
      `document ${doc}): it is another snapshot than the one that the backfill reads`,
    { details: { index, shard, segment, doc } },
  )
}
