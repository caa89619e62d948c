import type { MigrationError } from '../base/errors.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import { addressOf, writePlaceOf } from '../cluster/write-place.ts'
import { deadLetterKind, isFollowed } from '../state/records.ts'
import type { Change } from '../state/store.ts'
import type { Restored } from '../state/ledger.ts'
import { errorRecord, failureOf, reachOf, tooManyDeadLetters, type Failure } from './failure.ts'
import type { ChecksumPart } from '../document/shard-reader.ts'
import type { ItemReport, ItemTask, BackfillWorker, ShardTask } from './local-worker.ts'
import { openLocalWorker } from './open-local-worker.ts'
import { deadLetterKey } from './outcome.ts'
import { stopped } from './stopped.ts'
import { leftNote, whyLeftBehind } from './left-to-sync.ts'
import { noteIncarnation, planShard, putItem, putShard, type IndexWork } from './plan.ts'
import { indexProgress, Rates, totalsOf } from './progress.ts'
import { backfillIndexKind, type BackfillShard, type WorkItem } from './records.ts'
import { ThreadWorker } from './thread-worker.ts'
import type { BackfillInput, BackfillSummary } from './run.ts'
import { isStop, RunRecord } from './run-record.ts'
import { beginUncheckedAnew, partOf, withoutUnchecked, withUnchecked } from './unchecked.ts'
import { mayRename } from '../usercode/transformer.ts'
import { Schedule, type Task } from './schedule.ts'
import { settleStreamChanges } from './stream-changes.ts'
import { openDeadLetters } from './status.ts'

/** The work of one run: workers get one task after the other, what they report is stored, failures are held together. */
export class RunWork {
  readonly #input: BackfillInput
  readonly #record: RunRecord
  readonly #indices: IndexWork[]
  readonly #schedule: Schedule
  readonly #workers: BackfillWorker[] = []
  readonly #failures: Failure[]
  readonly #rates = new Rates()
  readonly #startedAt = performance.now()
  readonly #openLetters = new Map<string, number>()
  readonly #openShards = new Set<string>()
  readonly #left = new Set<IndexWork>()
  readonly #unsettled = new Set<Promise<void>>()
  /** Items that were read to their end in this run, and what of them. */
  readonly #read = new Map<WorkItem, ChecksumPart>()
  #stopping = false
  #fatal: { error: unknown } | undefined
  #giveUpTimer: NodeJS.Timeout | undefined

  /** `failures` are of indices that could not be planned. */
  constructor(input: BackfillInput, indices: IndexWork[], failures: readonly Failure[]) {
    this.#input = input
    this.#failures = [...failures]
    this.#indices = indices
    this.#schedule = new Schedule(indices)
    const before = totalsOf(indices.map(indexProgress))
    const share = input.options.share ?? null
    this.#record = new RunRecord(input.state, { snapshot: input.snapshot.name, share, before })
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
    await this.#record.begin()
  }

  /** Works until nothing is left, or it is stopped. Throws what ended it early. */
  async work(): Promise<void> {
    const { signal } = this.#input
    const onAbort = (): void => this.#stop()
    const timer = setInterval(() => this.#tick(), tickMs)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) this.#stop()
    try {
      this.#openWorkers()
      await Promise.all(this.#workers.map((worker) => this.#drive(worker)))
      while (this.#unsettled.size > 0) await Promise.all(this.#unsettled)
    } finally {
      clearInterval(timer)
      clearTimeout(this.#giveUpTimer)
      signal.removeEventListener('abort', onAbort)
      await Promise.all(this.#workers.map((worker) => worker.close()))
    }
    await this.#beginAnew()
    this.#report()
    if (this.#fatal) throw this.#fatal.error
    await this.#finishIndices()
    if (this.#failures.length > 0) throw failureOf(this.#failures)
    if (this.#indices.some((index) => !isDone(index) && !this.#left.has(index))) throw stopped()
  }

  /** Notes how the run ended. */
  end(error?: unknown): Promise<void> {
    return this.#record.end(error)
  }

  async summary(restored: Restored[]): Promise<BackfillSummary> {
    const indices = this.#indices.map(indexProgress)
    const shards = this.#indices.flatMap((index) => index.shards)
    let deadLetters = 0
    for (const count of this.#openLetters.values()) deadLetters += count
    return {
      share: this.#input.options.share ?? null,
      indices,
      totals: totalsOf(indices),
      durationMs: Math.round(performance.now() - this.#startedAt),
      deadLetters,
      lackingShards: shards.filter(({ state }) => state === 'lacking').length,
      restored,
    }
  }

  #openWorkers(): void {
    const { snapshot, target, options, transform, reopen } = this.#input
    const onWait = (wait: BulkWait): void => this.#record.waits(wait)
    if (options.threads === 1) {
      this.#workers.push(openLocalWorker({ snapshot, target, options, transform, onWait }))
      return
    }
    if (!reopen) throw new Error('several threads need to know how to open snapshot and target')
    for (let i = 0; i < options.threads; i++) {
      const data = { ...reopen, snapshot: snapshot.name, options, transform }
      this.#workers.push(new ThreadWorker(data, onWait))
    }
  }

  /** Gives a worker one task after the other. */
  async #drive(worker: BackfillWorker): Promise<void> {
    const place: { at?: ShardTask } = {}
    for (;;) {
      const task = this.#stopping ? undefined : await this.#schedule.next(place)
      if (!task || this.#stopping) return
      try {
        if (task.kind === 'open') await this.#openShard(worker, task)
        else await this.#runItem(worker, task)
      } catch (error) {
        await this.#failed(task, error)
      }
    }
  }

  async #openShard(
    worker: BackfillWorker,
    { index, shard: task }: Task & { kind: 'open' },
  ): Promise<void> {
    const { state, options } = this.#input
    const { part } = index.shards[task.shard]!
    const shard = await worker.openShard({ ...task, part })
    if (index.shards[task.shard]?.state === 'planned') {
      await noteIncarnation(state, index, { task, shard })
      const known = { ...index.shards[task.shard]!, error: null }
      await this.#putShard(index, withUnchecked(known, index.items, shard))
    } else {
      await planShard(state, index, { task, shard, itemBytesMax: options.itemBytesMax })
    }
    this.#openShards.add(`${task.index}/${task.shard}`)
    for (const segment of index.shards[task.shard]!.unchecked ?? []) {
      await this.#checkSegment(worker, index, { ...task, segment })
    }
    this.#schedule.opened(
      task,
      index.items.filter((item) => item.shard === task.shard),
    )
  }

  async #runItem(worker: BackfillWorker, task: Task & { kind: 'item' }): Promise<void> {
    const { index, item } = task
    const { target } = index
    const itemTask: ItemTask = {
      item,
      place: writePlaceOf(target),
      epochBase: target.epochBase,
      versionFrom: index.record.versionFrom,
      mayHoldRouted: target.mayHoldRouted,
      types: target.types,
      mayRename: mayRename(target),
      // Without leave for it the run would have been refused.
      partialSource: target.sourceForm !== 'full',
      isFollowed: await isFollowed(this.#input.state),
    }
    const { read, settled } = await worker.run(itemTask, (report) => this.#store(item, report))
    const ended = settled
      .catch((error: unknown) => this.#failed(task, error))
      .finally(() => this.#unsettled.delete(ended))
    this.#unsettled.add(ended)
    if (read === undefined) return
    this.#read.set(item, read)
    await this.#checkSegment(worker, index, item)
  }

  /** Compares a segment's checksum, where that is still to be done and the last of its items has been read. */
  async #checkSegment(
    worker: BackfillWorker,
    index: IndexWork,
    { shard, segment }: Pick<WorkItem, 'shard' | 'segment'>,
  ): Promise<void> {
    if (!index.shards[shard]!.unchecked?.includes(segment)) return
    const own = index.items.filter((item) => item.shard === shard && item.segment === segment)
    if (!own.every((item) => item.done || this.#read.has(item))) return
    const parts = own.map((item) => this.#read.get(item) ?? partOf(item))
    await worker.checkSegment({ index: index.record.index, shard, segment, parts })
    await this.#putShard(index, withoutUnchecked(index.shards[shard]!, segment))
  }

  /** What was read of a shard that turned out damaged is not to be built upon. */
  async #beginAnew(): Promise<void> {
    for (const failure of this.#failures) {
      const index = this.#indices.find(({ record }) => record.index === failure.index)
      if (index === undefined || failure.shard === null) continue
      const { shard, error } = failure
      failure.error = await beginUncheckedAnew(this.#input.state, index, { shard, error })
    }
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
    this.#record.moves()
    const letters = (this.#openLetters.get(item.index) ?? 0) + changes.length
    this.#openLetters.set(item.index, letters)
    const { deadLettersMax } = this.#input.options
    if (changes.length > 0 && letters > deadLettersMax) {
      throw tooManyDeadLetters(item.index, letters, deadLettersMax)
    }
  }

  /** Never throws: what cannot even be noted ends the run, and the other workers are awaited. */
  async #failed(task: Task, error: unknown): Promise<void> {
    try {
      await this.#noteFailure(task, error)
    } catch (unnoted) {
      this.#fail(unnoted)
    }
  }

  /** Decides how far a failure reaches: a shard that cannot be read, an index, or the run. */
  async #noteFailure(task: Task, error: unknown): Promise<void> {
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
        this.#fail(error)
    }
    if (task.kind === 'open') this.#schedule.drop({ index: name, shard })
  }

  #fail(error: unknown): void {
    this.#fatal ??= { error }
    this.#stop()
  }

  async #failShard(index: IndexWork, shard: number, error: MigrationError): Promise<void> {
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

  async #putShard(index: IndexWork, value: BackfillShard): Promise<void> {
    index.shards[value.shard] = value
    await this.#input.state.commit([putShard(value)])
  }

  async #failIndex(index: IndexWork, error: MigrationError): Promise<void> {
    const name = index.record.index
    this.#schedule.drop({ index: name })
    for (const worker of this.#workers) worker.stop(name)
    const why = await whyLeftBehind(this.#input, index.target, error)
    if (why !== undefined) return this.#leaveToSync(index, why)
    if (this.#failures.some((one) => one.index === name && one.shard === null)) return
    this.#failures.push({ index: name, shard: null, error })
    await this.#putIndex(index, {
      state: 'failed',
      error: errorRecord(error),
    })
  }

  /** Sync has made its target anew meanwhile, or deleted it: what is left of it belongs nowhere. */
  async #leaveToSync(index: IndexWork, why: string): Promise<void> {
    this.#left.add(index)
    const notes = [...index.record.notes, leftNote(why)]
    index.record = { ...index.record, notes }
    await this.#putIndex(index, { state: 'done', error: null })
  }

  /** Notes which indices are complete, and makes their documents visible to searches. */
  async #finishIndices(): Promise<void> {
    for (const index of this.#indices) {
      if (
        this.#left.has(index) ||
        !isDone(index) ||
        this.#failures.some((one) => one.index === index.record.index)
      )
        continue
      const name = encodeURIComponent(addressOf(writePlaceOf(index.target)).name)
      await this.#settleStream(index)
      await this.#input.target.request('POST', `/${name}/_refresh`)
      await this.#putIndex(index, { state: 'done', error: null })
    }
  }

  async #settleStream({ target: index }: IndexWork): Promise<void> {
    const { state, target, options, signal } = this.#input
    await settleStreamChanges(state, target, index, { waitMaxMs: options.bulkWaitMax, signal })
  }

  async #putIndex(
    index: IndexWork,
    change: Pick<IndexWork['record'], 'state' | 'error'>,
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
    for (const worker of this.#workers) worker.stop()
    this.#giveUpTimer = setTimeout(() => {
      for (const worker of this.#workers) worker.giveUp()
    }, this.#input.options.stopWaitMax)
  }

  #ticks = 0

  #tick(): void {
    this.#report()
    if (++this.#ticks % 2 !== 0) return
    // Once a second.
    this.#record.look().then(
      (asked) => asked && this.#stop(),
      (error: unknown) => this.#fail(error),
    )
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
}

const tickMs = 500

function isDone({ shards, items }: IndexWork): boolean {
  return (
    shards.every(
      ({ state, unchecked }) => state !== 'open' && state !== 'bad' && unchecked === undefined,
    ) && items.every(({ done }) => done)
  )
}
