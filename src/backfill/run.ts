import { sourceIndexOf } from '../base/document-types.ts'
import { isUnreadable, MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { requireComplete } from '../snapshot/open-snapshot.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Restored } from '../state/ledger.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { fingerprint, type TransformSpec } from '../transform/spec.ts'
import type { BackfillOptions } from './options.ts'
import { errorRecord, type Failure } from './failure.ts'
import { stopped } from './stopped.ts'
import { planIndexWork, type IndexWork } from './plan.ts'
import type { BackfillProgress, IndexProgress } from './progress.ts'
import type { Totals } from './records.ts'
import { forgetStop, isStopAsked } from './run-record.ts'
import { RunWork } from './run-work.ts'
import { notBetween, withoutLeftToSync } from './left-to-sync.ts'
import { parseShare } from './share.ts'
import { endSpeedUp, speedUpTarget } from './speed-up.ts'
import { requireDistinctIds } from './distinct-ids.ts'
import { checkTargetIndices } from './target-indices.ts'
import type { Reopen } from './worker-messages.ts'

export interface BackfillInput {
  snapshot: Snapshot
  target: Cluster
  /** Open for writing. */
  state: StateStore
  /** Source names, as selected. */
  indices: readonly string[]
  options: BackfillOptions
  /** Stops the run cleanly: MA_STOPPED. */
  signal: AbortSignal
  onProgress?: (progress: BackfillProgress) => void
  /** Before anything is written, where the ids of an index must be looked at first: how many of its shards are. */
  onIdsRead?: (index: string, done: number, total: number) => void
  /** Takes a PARTIAL snapshot; the shards that it lacks are named in the summary. */
  allowPartial?: boolean
  /** Sends what there is of indices that do not keep `_source` as it was sent. */
  allowPartialSource?: boolean
  /** What is done to documents on their way. */
  transform?: TransformSpec
  /** Called when all is found ready, before anything is written to the target. */
  beforeWriting?: () => Promise<void>
  /** Needed with more than one thread: each opens snapshot and target for itself. */
  reopen?: Omit<Reopen, 'snapshot'>
}

export interface BackfillSummary {
  /** `2/5` where this is a share: the indices are complete when all shares are done. Else null. */
  share: string | null
  indices: IndexProgress[]
  totals: Totals
  /** Of this run. */
  durationMs: number
  /** Open ones, of all runs: exit code 3 when there are any. */
  deadLetters: number
  /** Shards that the (PARTIAL) snapshot lacks: not carried over. */
  lackingShards: number
  /** Settings put back at the end; `left` ones were changed by somebody else meanwhile. */
  restored: Restored[]
}

/**
 * Writes the documents of the snapshot to the target indices that metadata made. What was settled by an earlier run is
 * not written again. Returns when every document of the indices is written or a dead letter.
 *
 * Throws MA_STOPPED when stopped; MA_TARGET_INDEX (nothing written) when a target index is not as it was made. An index
 * or a shard that fails does not keep the others from being finished; then the error names all of them, and a later
 * run tries them again.
 */
export async function runBackfill(input: BackfillInput): Promise<BackfillSummary> {
  requireComplete(input.snapshot, input)
  const { state, target, options } = input
  parseShare(options.share)
  await forgetStop(state)
  const targets = await notBetween(state, input, async () => {
    const indices = await withoutLeftToSync(state, input.snapshot, input.indices)
    return checkTargetIndices(target, state, indices, input)
  })
  await requireDistinctIds(input, targets)
  if (!options.speedUpTarget) await endSpeedUp(state, target)
  const { planned, failures } = await planAllWork(input, targets)
  await input.beforeWriting?.()
  const run = new RunWork(input, planned, failures)
  await run.begin()
  let failure: { error: unknown } | undefined
  try {
    if (options.speedUpTarget) await speedUpTarget(state, target, targets)
    await run.work()
  } catch (error) {
    failure = { error }
  }
  let restored: Restored[] = []
  try {
    restored = await endSpeedUp(state, target)
  } catch (error) {
    failure = { error: notPutBack(error, failure?.error) }
  }
  await run.end(failure?.error)
  if (failure) throw failure.error
  return run.summary(restored)
}

/** Planning lists the files of every shard, which takes its time: it can be stopped as the work can. */
async function planAllWork(
  { state, snapshot, options, transform, signal }: BackfillInput,
  targets: readonly TargetIndex[],
): Promise<{ planned: IndexWork[]; failures: Failure[] }> {
  const planned: IndexWork[] = []
  const failures: Failure[] = []
  const share = parseShare(options.share)
  for (const target of targets) {
    if (signal.aborted || (await isStopAsked(state))) throw stopped()
    const print = fingerprint(transform, sourceIndexOf(target.index))
    try {
      planned.push(await planIndexWork(state, snapshot, target, share, print))
    } catch (error) {
      // Its metadata is damaged: the others are carried over.
      if (!isUnreadable(error)) throw error
      failures.push({ index: target.index, shard: null, error })
    }
  }
  if (signal.aborted || (await isStopAsked(state))) throw stopped()
  return { planned, failures }
}

/** What ended the run comes first, under its own code; that the settings stand changed is said beside it. */
function notPutBack(error: unknown, first: unknown): Error {
  const ended = first ?? error
  const message =
    `${first === undefined ? 'every document is written' : errorRecord(first).message}\n` +
    `The refresh and replicas of target indices were not put back: ${errorRecord(error).message}\n` +
    'Run osmigrate settings restore when the target can be reached.'
  if (!(ended instanceof MigrationError)) return new Error(message, { cause: ended })
  const { code, details, retryable } = ended
  return new MigrationError(code, message, { cause: ended, details, retryable })
}
