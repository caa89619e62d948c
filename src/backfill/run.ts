import type { Cluster } from '../cluster/cluster.ts'
import { requireComplete } from '../snapshot/open-snapshot.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Restored } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import type { BackfillOptions } from './options.ts'
import { stopped } from './pace.ts'
import { planIndex, type PlannedIndex } from './plan.ts'
import type { BackfillProgress, IndexProgress } from './progress.ts'
import type { Totals } from './records.ts'
import { RunWork } from './run-work.ts'
import { endSpeedUp, speedUpTarget } from './speed-up.ts'
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
  /** Takes a PARTIAL snapshot; the shards that it lacks are named in the summary. */
  allowPartial?: boolean
  /** Needed with more than one thread: each opens snapshot and target for itself. */
  reopen?: Omit<Reopen, 'snapshot'>
}

export interface BackfillSummary {
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
  const targets = await checkTargetIndices(target, state, input.indices)
  if (!options.speedUpTarget) await endSpeedUp(state, target)
  const planned: PlannedIndex[] = []
  for (const index of targets) {
    if (input.signal.aborted) throw stopped()
    planned.push(await planIndex(state, input.snapshot, index))
  }
  const run = new RunWork(input, planned)
  await run.begin()
  try {
    if (options.speedUpTarget) await speedUpTarget(state, target, targets)
    await run.work()
  } catch (error) {
    await run.end(error)
    // The settings stay in the ledger if this fails too; the first error is the one to tell.
    await endSpeedUp(state, target).catch(() => [])
    throw error
  }
  const restored = await endSpeedUp(state, target)
  await run.end()
  return run.summary(restored)
}
