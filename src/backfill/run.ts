import { MigrationError } from '../base/errors.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { requireComplete } from '../snapshot/open-snapshot.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { deadLetterKind, shardIncarnationKind } from '../state/records.ts'
import type { Change, StateStore } from '../state/store.ts'
import type { Restored } from '../state/ledger.ts'
import { errorRecord, failureOf, reachOf, tooManyDeadLetters, type Failure } from './failure.ts'
import type { ItemReport, ItemTask, Lane, ShardTask } from './lane.ts'
import { openLocalLane } from './open-lane.ts'
import type { BackfillOptions } from './options.ts'
import { deadLetterKey } from './outcome.ts'
import { stopped } from './pace.ts'
import {
  noteIncarnation,
  planIndex,
  planShard,
  putItem,
  putShard,
  type PlannedIndex,
} from './plan.ts'
import {
  indexProgress,
  Rates,
  totalsOf,
  type BackfillProgress,
  type IndexProgress,
} from './progress.ts'
import {
  backfillIndexKind,
  backfillRunKind,
  stopRequestKind,
  type BackfillRun,
  type BackfillShard,
  type Totals,
  type WorkItem,
} from './records.ts'
import { RemoteLane } from './remote-lane.ts'
import { Schedule, type Task } from './schedule.ts'
import { endSpeedUp, speedUpTarget } from './speed-up.ts'
import { openDeadLetters } from './status.ts'
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
  for (const index of targets) planned.push(await planIndex(state, input.snapshot, index))
  const run = new Run(input, planned)
  await run.begin()
  try {
    if (options.speedUpTarget) await speedUpTarget(state, target, targets)
    await run.work()
  } catch (error) {
    const failure = await run.end(error)
    // The settings stay in the ledger if this fails too; the first error is the one to tell.
    await endSpeedUp(state, target).catch(() => [])
    throw failure
  }
  const restored = await endSpeedUp(state, target)
  await run.end()
  return run.summary(restored)
}

class Run {
  readonly #input: BackfillInput
  readonly #indices: PlannedIndex[]
  readonly #schedule: Schedule
  readonly #lanes: Lane[] = []
  readonly #failures: Failure[] = []
  readonly #rates = new Rates()
  readonly #startedAt = performance.now()
  readonly #openLetters = new Map<string, number>()
  readonly #openShards = new Set<string>()
  readonly #unsettled = new Set<Promise<void>>()
  #record: BackfillRun
  #stopping = false
  #fatal: { error: unknown } | undefined
  #giveUpTimer: NodeJS.Timeout | undefined

  constructor(input: BackfillInput, indices: PlannedIndex[]) {
    this.#input = input
    this.#indices = indices
    this.#schedule = new Schedule(indices)
    this.#record = {
      state: 'running',
      pid: process.pid,
      snapshot: input.snapshot.name,
      startedAt: new Date().toISOString(),
      endedAt: null,
      error: null,
      before: totalsOf(indices.map(indexProgress)),
      waiting: null,
    }
  }

  async begin(): Promise<void> {
    const { state } = this.#input
    for (const index of this.#indices) {
      const name = index.record.index
      this.#openLetters.set(name, await openDeadLetters(state, name))
      if (index.record.state === 'failed') {
        await this.#putIndex(index, { state: 'planned', error: null })
      }
    }
    await this.#putRecord([{ op: 'delete', kind: stopRequestKind, key: 'stop' }])
  }

  /** Works until nothing is left, or it is stopped. Throws what ended it early. */
  async work(): Promise<void> {
    const { signal } = this.#input
    const onAbort = (): void => this.#stop()
    const timer = setInterval(() => this.#tick(), tickMs)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) this.#stop()
    try {
      this.#openLanes()
      await Promise.all(this.#lanes.map((lane) => this.#drive(lane)))
      while (this.#unsettled.size > 0) await Promise.all(this.#unsettled)
    } finally {
      clearInterval(timer)
      clearTimeout(this.#giveUpTimer)
      signal.removeEventListener('abort', onAbort)
      await Promise.all(this.#lanes.map((lane) => lane.close()))
    }
    this.#report()
    if (this.#fatal) throw this.#fatal.error
    await this.#finishIndices()
    if (this.#failures.length > 0) throw failureOf(this.#failures)
    if (this.#indices.some((index) => !isDone(index))) throw stopped()
  }

  /** Notes how the run ended and gives the error back with what it needs to be told. */
  async end(error?: unknown): Promise<unknown> {
    const state = error === undefined ? 'done' : isStop(error) ? 'stopped' : 'failed'
    this.#record = {
      ...this.#record,
      state,
      endedAt: new Date().toISOString(),
      waiting: null,
      error: state === 'failed' ? errorRecord(error) : null,
    }
    await this.#putRecord([{ op: 'delete', kind: stopRequestKind, key: 'stop' }])
    return error
  }

  async summary(restored: Restored[]): Promise<BackfillSummary> {
    const indices = this.#indices.map(indexProgress)
    const shards = this.#indices.flatMap((index) => index.shards)
    let deadLetters = 0
    for (const count of this.#openLetters.values()) deadLetters += count
    return {
      indices,
      totals: totalsOf(indices),
      durationMs: Math.round(performance.now() - this.#startedAt),
      deadLetters,
      lackingShards: shards.filter(({ state }) => state === 'lacking').length,
      restored,
    }
  }

  #openLanes(): void {
    const { snapshot, target, options, reopen } = this.#input
    const onWait = (wait: BulkWait): void => this.#waits(wait)
    if (options.threads === 1) {
      this.#lanes.push(openLocalLane({ snapshot, target, options, onWait }))
      return
    }
    if (!reopen) throw new Error('several threads need to know how to open snapshot and target')
    for (let i = 0; i < options.threads; i++) {
      this.#lanes.push(new RemoteLane({ ...reopen, snapshot: snapshot.name, options }, onWait))
    }
  }

  /** Gives a lane one task after the other. */
  async #drive(lane: Lane): Promise<void> {
    const place: { at?: ShardTask } = {}
    for (;;) {
      const task = this.#stopping ? undefined : await this.#schedule.next(place)
      if (!task || this.#stopping) return
      try {
        if (task.kind === 'open') await this.#openShard(lane, task)
        else await this.#runItem(lane, task)
      } catch (error) {
        await this.#failed(task, error)
      }
    }
  }

  async #openShard(lane: Lane, { index, shard: task }: Task & { kind: 'open' }): Promise<void> {
    const { state, options } = this.#input
    const shard = await lane.openShard(task)
    if (index.shards[task.shard]?.state === 'planned') {
      await noteIncarnation(state, index, { task, shard })
      await this.#putShard(index, { ...index.shards[task.shard]!, error: null })
    } else {
      await planShard(state, index, { task, shard, itemBytesMax: options.itemBytesMax })
    }
    this.#openShards.add(`${task.index}/${task.shard}`)
    this.#schedule.opened(
      task,
      index.items.filter((item) => item.shard === task.shard),
    )
  }

  async #runItem(lane: Lane, task: Task & { kind: 'item' }): Promise<void> {
    const { index, item } = task
    const { target } = index
    const incarnation = await this.#input.state.get(
      shardIncarnationKind,
      `${item.index}/${item.shard}`,
    )
    const itemTask: ItemTask = {
      item,
      fenceAlias: target.fenceAlias,
      epochBase: target.epochBase,
      mayHoldRouted: target.mayHoldRouted,
      versionMax: incarnation?.value.versionMax ?? 0,
    }
    const { settled } = await lane.run(itemTask, (report) => this.#store(item, report))
    const ended = settled
      .catch((error: unknown) => this.#failed(task, error))
      .finally(() => this.#unsettled.delete(ended))
    this.#unsettled.add(ended)
  }

  /** The dead letters and the checkpoint that passes them, in one commit. */
  async #store(item: WorkItem, report: ItemReport): Promise<void> {
    const changes: Change[] = report.deadLetters.map((value) => ({
      op: 'put',
      kind: deadLetterKind,
      key: deadLetterKey(value),
      value,
    }))
    if (changes.length > 0 || report.item.checkpoint !== item.checkpoint) {
      await this.#input.state.commit([...changes, putItem(report.item)])
    }
    Object.assign(item, report.item)
    this.#record.waiting = null
    const letters = (this.#openLetters.get(item.index) ?? 0) + changes.length
    this.#openLetters.set(item.index, letters)
    const { deadLettersMax } = this.#input.options
    if (changes.length > 0 && letters > deadLettersMax) {
      throw tooManyDeadLetters(item.index, letters, deadLettersMax)
    }
  }

  /** Decides how far a failure reaches: a shard that cannot be read, an index, or the run. */
  async #failed(task: Task, error: unknown): Promise<void> {
    const { index } = task
    const name = index.record.index
    const shard = task.kind === 'open' ? task.shard.shard : task.item.shard
    if (isStop(error)) return
    switch (reachOf(error)) {
      case 'shard':
        await this.#failShard(index, shard, error as MigrationError)
        break
      case 'index':
        await this.#failIndex(index, error as MigrationError)
        break
      case 'run':
        this.#fatal ??= { error }
        this.#stop()
    }
    if (task.kind === 'open') this.#schedule.drop({ index: name, shard })
  }

  async #failShard(index: PlannedIndex, shard: number, error: MigrationError): Promise<void> {
    const name = index.record.index
    this.#schedule.drop({ index: name, shard })
    if (this.#failures.some((one) => one.index === name && one.shard === shard)) return
    this.#failures.push({ index: name, shard, error })
    const planned = this.#openShards.has(`${name}/${shard}`)
    const value = {
      ...index.shards[shard]!,
      // What was divided into items stays so: its checkpoints hold.
      state: planned || index.shards[shard]!.state === 'planned' ? 'planned' : 'bad',
      error: errorRecord(error),
    } as const
    await this.#putShard(index, value)
  }

  async #putShard(index: PlannedIndex, value: BackfillShard): Promise<void> {
    index.shards[value.shard] = value
    await this.#input.state.commit([putShard(value)])
  }

  async #failIndex(index: PlannedIndex, error: MigrationError): Promise<void> {
    const name = index.record.index
    this.#schedule.drop({ index: name })
    for (const lane of this.#lanes) lane.stop(name)
    if (this.#failures.some((one) => one.index === name && one.shard === null)) return
    this.#failures.push({ index: name, shard: null, error })
    await this.#putIndex(index, {
      state: 'failed',
      error: errorRecord(error),
    })
  }

  /** Notes which indices are complete, and makes their documents visible to searches. */
  async #finishIndices(): Promise<void> {
    for (const index of this.#indices) {
      if (!isDone(index) || this.#failures.some((one) => one.index === index.record.index)) continue
      const alias = encodeURIComponent(index.target.fenceAlias)
      await this.#input.target.request('POST', `/${alias}/_refresh`)
      await this.#putIndex(index, { state: 'done', error: null })
    }
  }

  async #putIndex(
    index: PlannedIndex,
    change: Pick<PlannedIndex['record'], 'state' | 'error'>,
  ): Promise<void> {
    index.record = { ...index.record, ...change }
    await this.#input.state.commit([
      { op: 'put', kind: backfillIndexKind, key: index.record.index, value: index.record },
    ])
  }

  /** Ends the reading; what is under way may still be answered, for a while. */
  #stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    this.#schedule.drop()
    for (const lane of this.#lanes) lane.stop()
    this.#giveUpTimer = setTimeout(() => {
      for (const lane of this.#lanes) lane.giveUp()
    }, this.#input.options.stopWaitMax)
  }

  #waits({ what, sinceMs }: BulkWait): void {
    this.#record.waiting = {
      on: what,
      since: new Date(Date.now() - sinceMs).toISOString(),
    }
  }

  #ticks = 0
  #noted: BackfillRun['waiting'] = null

  #tick(): void {
    this.#report()
    if (++this.#ticks % 2 !== 0) return
    this.#look().catch((error: unknown) => {
      this.#fatal ??= { error }
      this.#stop()
    })
  }

  /** Once a second: has somebody asked to stop? And what others see of a wait. */
  async #look(): Promise<void> {
    if (await this.#input.state.get(stopRequestKind, 'stop')) this.#stop()
    const { waiting } = this.#record
    if (waiting?.on === this.#noted?.on) return
    this.#noted = waiting
    await this.#putRecord()
  }

  #report(): void {
    const { onProgress } = this.#input
    if (!onProgress) return
    const indices = this.#indices.map(indexProgress)
    const totals = totalsOf(indices)
    const total = indices.reduce((sum, one) => sum + one.snapshotBytesTotal, 0)
    this.#rates.add(performance.now(), totals)
    const rate = this.#rates.get('snapshotBytes')
    onProgress({
      indices,
      totals,
      snapshotBytesTotal: total,
      documentsPerSecond: this.#rates.get('written'),
      sourceBytesPerSecond: this.#rates.get('sourceBytes'),
      ...(rate > 0 && { etaMs: Math.round(((total - totals.snapshotBytes) * 1000) / rate) }),
      ...(this.#record.waiting && { waiting: this.#record.waiting }),
    })
  }

  async #putRecord(also: Change[] = []): Promise<void> {
    await this.#input.state.commit([
      ...also,
      { op: 'put', kind: backfillRunKind, key: 'run', value: this.#record },
    ])
  }
}

const tickMs = 500

function isDone({ shards, items }: PlannedIndex): boolean {
  return (
    shards.every(({ state }) => state === 'planned' || state === 'lacking') &&
    items.every(({ done }) => done)
  )
}

function isStop(error: unknown): boolean {
  return error instanceof MigrationError && error.code === 'MA_STOPPED'
}
