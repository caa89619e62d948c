import type { BulkOutcome, ItemProblem } from '../cluster/bulk-body.ts'
import type { DeadLetter } from '../state/records.ts'
import type { Unsent } from '../transform/pipeline.ts'
import { itemNames, type BulkBatch, type MissingSource } from './batch.ts'
import type { Settled } from './checkpoint.ts'
import { countDropped, sumOf, type Dropped } from './dropped.ts'
import type { WorkItem } from './records.ts'

/** A batch's answers in our terms. */
export interface Judged {
  settled: Settled
  deadLetters: DeadLetter[]
}

/** Where a batch was read. */
export interface ReadFrom extends Pick<WorkItem, 'index' | 'shard' | 'segment'> {
  /** The index keeps not all of its documents' `_source`, and what there is was asked for: the rest is only counted. */
  partialSource: boolean
  /** What is there and newer came from the source's later writes: into an index behind a data stream, or with sync. */
  newerStays?: boolean
}

/**
 * Says what the answers to a batch mean. From one snapshot a document is sent at one version alone, and an equal
 * version is no conflict: so no write of the backfill, nor of an earlier run of it, explains a conflict. Somebody else
 * wrote the document, or the source's numbers began anew: a finding for a person, kept as a dead letter. Where sync writes
 * as well it is sync's affair: its audit finds what no write of the source explains.
 *
 * What is inserted has no version. There a document that is found was written by an earlier run, or from the source's
 * later writes, which are newer: it counts as written, and comparing tells whether it is equal.
 */
export function judge(batch: BulkBatch, outcome: BulkOutcome, from: ReadFrom): Judged {
  const conflicts = from.newerStays === true ? [] : outcome.conflicts
  const deadLetters = [...conflicts, ...outcome.refused].map((problem) =>
    deadLetter(batch, problem, from),
  )
  const dropped: Dropped[] = []
  let withoutSource = 0
  for (const { unsent, ...missing } of batch.missing) {
    if (unsent?.why === 'dropped') countDropped(dropped, { ...unsent, count: 1, id: missing.id })
    else if (unsent === undefined && from.partialSource) withoutSource++
    else deadLetters.push(unsentLetter(missing, unsent, from))
  }
  const read = batch.count + batch.missing.length
  const failed = deadLetters.length
  return {
    settled: {
      read,
      written: read - failed - withoutSource - sumOf(dropped),
      failed,
      withoutSource,
      ...(dropped.length > 0 && { dropped }),
      withTimestamp: batch.timed,
      sourceBytes: batch.sourceBytes,
    },
    deadLetters,
  }
}

/** A document that was never sent: the transform failed on it, or there is no `_source`. */
function unsentLetter(
  missing: Omit<MissingSource, 'unsent'>,
  unsent: Unsent | undefined,
  from: ReadFrom,
): DeadLetter {
  return openLetter(from, {
    ...missing,
    status: 0,
    cause: unsent === undefined ? 'source_missing' : 'transform_failed',
    reason:
      unsent?.reason ??
      'the index keeps no _source of this document, so the snapshot does not hold it',
  })
}

export function deadLetterKey(letter: DeadLetter): string {
  return `${letter.index}/${letter.shard}/${letter.segment}/${letter.doc}`
}

/** Text of a reason is cut: a mapping error may quote the whole document. */
const reasonMax = 1000

function deadLetter(batch: BulkBatch, problem: ItemProblem, from: ReadFrom): DeadLetter {
  return openLetter(from, {
    doc: batch.doc[problem.item]!,
    ...itemNames(batch, problem.item),
    version: batch.version[problem.item]!,
    status: problem.status,
    cause: problem.type,
    reason: problem.reason,
  })
}

function openLetter(
  { index, shard, segment }: ReadFrom,
  { reason, ...about }: Omit<DeadLetter, 'index' | 'shard' | 'segment' | 'at' | 'state'>,
): DeadLetter {
  return {
    index,
    shard,
    segment,
    ...about,
    reason: reason.slice(0, reasonMax),
    at: new Date().toISOString(),
    state: 'open',
  }
}
