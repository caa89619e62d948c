import type { BulkOutcome, ItemProblem } from '../cluster/bulk-body.ts'
import type { DeadLetter } from '../state/records.ts'
import { itemNames, type Batch } from './batch.ts'
import type { Settled } from './checkpoint.ts'
import type { WorkItem } from './records.ts'

/** A batch's answers in our terms. */
export interface Judged {
  settled: Settled
  deadLetters: DeadLetter[]
}

export interface JudgeContext {
  item: Pick<WorkItem, 'index' | 'shard' | 'segment'>
  /** Highest version that this migration may have sent for the shard, in this incarnation. */
  versionMax: number
}

/**
 * Says what the answers to a batch mean. A version conflict is success when a write of ours explains it: what the
 * target holds is not above what this migration may have sent for the shard (design §3.1). Otherwise somebody else
 * wrote the document, or the source's numbers began anew: a finding for a person, kept as a dead letter.
 */
export function judge(batch: Batch, outcome: BulkOutcome, context: JudgeContext): Judged {
  const deadLetters: DeadLetter[] = []
  let conflicts = 0
  for (const problem of outcome.conflicts) {
    if (currentVersion(problem) <= context.versionMax) conflicts++
    else deadLetters.push(deadLetter(batch, problem, context))
  }
  for (const problem of outcome.refused) deadLetters.push(deadLetter(batch, problem, context))
  for (const missing of batch.missing) {
    const { index, shard, segment } = context.item
    deadLetters.push({
      index,
      shard,
      segment,
      ...missing,
      status: 0,
      cause: 'source_missing',
      reason: 'the index keeps no _source of this document, so the snapshot does not hold it',
      at: new Date().toISOString(),
      state: 'open',
    })
  }
  const read = batch.count + batch.missing.length
  const failed = deadLetters.length
  return {
    settled: { read, written: read - failed, conflicts, failed, sourceBytes: batch.sourceBytes },
    deadLetters,
  }
}

export function deadLetterKey(letter: DeadLetter): string {
  return `${letter.index}/${letter.shard}/${letter.segment}/${letter.doc}`
}

/** Text of a reason is cut: a mapping error may quote the whole document. */
const reasonMax = 1000

function deadLetter(batch: Batch, problem: ItemProblem, { item }: JudgeContext): DeadLetter {
  return {
    index: item.index,
    shard: item.shard,
    segment: item.segment,
    doc: batch.doc[problem.item]!,
    ...itemNames(batch, problem.item),
    version: batch.version[problem.item]!,
    status: problem.status,
    cause: problem.type,
    reason: problem.reason.slice(0, reasonMax),
    at: new Date().toISOString(),
    state: 'open',
  }
}

/** As the engines word it: `[id]: version conflict, current version [12] is higher than the one provided [5]`. */
function currentVersion(problem: ItemProblem): number {
  const matches = [...problem.reason.matchAll(/current version \[(\d+)\]/g)]
  const last = matches.at(-1)?.[1]
  return last === undefined ? Infinity : Number(last)
}
