import { setTimeout as wait } from 'node:timers/promises'
import { allOf } from '../base/all-of.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { logCheckpointKey, logCheckpointKind } from '../state/log-checkpoint.ts'
import type { StateStore } from '../state/store.ts'
import { LogFeed, type NamedLog } from '../traffic/log-feed.ts'
import { StreamProgress, type LogWork } from '../traffic/stream-progress.ts'
import { CursorIds } from './cursor-ids.ts'
import { ShadowFigures } from './figures.ts'
import type { ShadowOptions } from './options.ts'
import { selectExchange, type Guard, type Translate } from './plan-request.ts'
import {
  shadowCheckpointKind,
  shadowRequestKind,
  shadowRunKind,
  type ShadowCheckpoint,
  type ShadowRun,
} from './records.ts'
import { Replay, type AnswerWords } from './replay.ts'
import { errorRecord, isStopError, methodText, stopped } from './run-words.ts'
import { tupleFormat } from './tuple.ts'
import { TupleFiles, type TakeFile, type TupleMark } from './tuple-files.ts'

/** Epoch microseconds between which requests came in; 0 for no bound. */
export interface ShadowWindow {
  readonly since: number
  readonly until: number
}

export interface RunShadowInput {
  readonly version: string
  readonly migration: string
  readonly target: Cluster
  readonly state: StateStore
  readonly logs: readonly NamedLog[]
  /** The name under which its checkpoints are kept: another log begins anew. */
  readonly log: string
  readonly options: ShadowOptions
  readonly window: ShadowWindow
  /** Goes on with what comes; false: ends where the log ended when it was begun. */
  readonly follow: boolean
  /** Forgets how far it was. */
  readonly again: boolean
  /** The log keeps what is not replayed yet. */
  readonly holdsLog: boolean
  readonly redact: readonly string[]
  readonly translate?: Translate | undefined
  readonly answers?: AnswerWords
  readonly guard?: Guard | undefined
  /** Throws when nothing may be written any more; called once a second. */
  readonly checkWrites?: (() => Promise<void>) | undefined
  readonly isTargetTyped: boolean
  /** Undefined: no tuples. */
  readonly tuples:
    { readonly folder: string; readonly take?: TakeFile; readonly place: string } | undefined
  readonly cannotSee: readonly string[]
  readonly signal: AbortSignal
  readonly onRunning: (run: () => ShadowRun) => void
}

const beatMs = 1000
const behindEvery = 5
const stopWaitMs = 5000
const feedShare = 4
const beyondMax = 10_000

/**
 * Replays a capture log against the target until it ends or is stopped, and goes on where an earlier run of the same log
 * ended, in whatever way that ended. Each exchange that was replayed since the last checkpoint is replayed again after a
 * kill; in the tuples it stands once. Throws what kept it from going on.
 */
export async function runShadow(input: RunShadowInput): Promise<ShadowRun> {
  const { state, signal } = input
  await state.commit([{ op: 'delete', kind: shadowRequestKind, key: 'stop' }])
  const run = await Running.open(input)
  try {
    const ended = await run.work()
    return await run.end(ended ? 'ended' : 'stopped')
  } catch (error) {
    const isStop = signal.aborted && isStopError(error)
    await run.end(isStop ? 'stopped' : 'failed', isStop ? undefined : error)
    throw error
  }
}

/** How far a stream is done with. */
interface Progress extends Pick<ShadowCheckpoint, 'stream' | 'offset' | 'beyond'> {
  readonly recordedAt: number
}

class Running {
  readonly #input: RunShadowInput
  readonly #figures: ShadowFigures
  readonly #streams = new Map<string, StreamProgress>()
  /** What an earlier run has done behind its checkpoint, by stream. */
  readonly #doneBefore = new Map<string, Set<number>>()
  readonly #waits = new Map<string, { what: string; since: string }>()
  /** Ends reading and sending. */
  readonly #stop = new AbortController()
  /** Gives up what is under way. */
  readonly #giveUp = new AbortController()
  readonly #startedAt = new Date().toISOString()
  #feed!: LogFeed
  #tuples: TupleFiles | undefined
  #replay!: Replay
  #behind: { bytes: number | null; records: number | null } = { bytes: null, records: null }
  #sentBefore = { at: performance.now(), sent: 0, perSecond: 0 }
  #beats = 0

  static async open(input: RunShadowInput): Promise<Running> {
    const { state, log, again } = input
    const found: ShadowCheckpoint[] = []
    for await (const { value } of state.each(shadowCheckpointKind)) found.push(value)
    const own = again ? [] : found.filter((one) => one.log === log)
    const before = (await state.get(shadowRunKind, 'run'))?.value
    const goesOn = own.length > 0 && before?.log === log
    const running = new Running(input, new ShadowFigures(goesOn ? before : undefined))
    await running.#open(own, found)
    return running
  }

  private constructor(input: RunShadowInput, figures: ShadowFigures) {
    this.#input = input
    this.#figures = figures
  }

  async #open(own: readonly ShadowCheckpoint[], all: readonly ShadowCheckpoint[]): Promise<void> {
    const { options, logs, follow } = this.#input
    for (const { stream, beyond } of own) this.#doneBefore.set(stream, new Set(beyond))
    this.#tuples = await this.#openTuples(own, all)
    this.#replay = this.#openReplay()
    this.#feed = await LogFeed.open({
      ...{ logs, follow, signal: this.#stop.signal },
      bytesMax: options.memoryMax / feedShare,
      from: new Map(own.map(({ stream, offset }) => [stream, offset])),
      onWait: (key, what) => this.#onWait(key, what),
      onStream: (position) => void this.#streams.set(position.stream, new StreamProgress(position)),
    })
  }

  async #openTuples(
    own: readonly ShadowCheckpoint[],
    all: readonly ShadowCheckpoint[],
  ): Promise<TupleFiles | undefined> {
    const { tuples, options, migration, log, target, version } = this.#input
    if (tuples === undefined) return undefined
    const marks = all.flatMap(({ tuples: mark }) => mark ?? [])
    const header = {
      ...{ tuples: tupleFormat, version, migration, log, target: target.url },
      startedAt: this.#startedAt,
    }
    return TupleFiles.open(
      {
        folder: tuples.folder,
        header: JSON.stringify(header),
        fileBytesMax: options.tuples.fileBytesMax,
        fileTimeMaxMs: options.tuples.fileTimeMax,
        take: tuples.take,
        onWait: (key, what) => this.#onWait(key, what),
      },
      own[0]?.tuples ?? null,
      marks,
    )
  }

  #openReplay(): Replay {
    const { target, options, redact, translate, answers, guard, isTargetTyped } = this.#input
    const tuples = this.#tuples
    return new Replay({
      ...{ target, redact, figures: this.#figures, signal: this.#giveUp.signal },
      ...{ connections: options.connections, attempts: options.attempts },
      ...(answers && { answers }),
      pace: options,
      memoryMax: options.memoryMax - options.memoryMax / feedShare,
      plan: {
        ...{ writes: options.writes, isRedacted: redact.length > 0, cursors: new CursorIds() },
        ...{ translate, guard, isTargetTyped },
      },
      onTuple: tuples && ((line) => tuples.add(line)),
    })
  }

  /** Until the log ends (true), or it is stopped (false). */
  async work(): Promise<boolean> {
    const { signal, onRunning } = this.#input
    const stop = (): void => this.#stop.abort(stopped())
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    const beating = new AbortController()
    await this.beat()
    onRunning(() => this.status('running'))
    let hasEnded = false
    const work = this.#readAll()
      .then((ended) => void (hasEnded = ended))
      .finally(() => beating.abort())
    const beat = this.#beatOn(beating.signal).catch((error: unknown) => {
      stop()
      this.#giveUp.abort(error)
      throw error
    })
    try {
      await allOf([work, beat])
      return hasEnded
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#feed.close()
    }
  }

  async #readAll(): Promise<boolean> {
    const { signal } = this.#stop
    try {
      for (;;) {
        const batch = await this.#feed.take(signal)
        if (batch.length === 0) {
          await this.#untilStopped(this.#replay.drained())
          return true
        }
        for (const { stream, record, next } of batch) {
          const progress = this.#streams.get(stream)!
          if (record === undefined) progress.skip(next)
          else for (const work of progress.add(record, next)) await this.#take(work)
        }
      }
    } catch (error) {
      if (!signal.aborted || !isStopError(error)) throw error
      return false
    } finally {
      const done = new AbortController()
      void wait(stopWaitMs, undefined, { signal: done.signal }).then(
        () => this.#giveUp.abort(stopped()),
        () => {},
      )
      await this.#replay.stop()
      done.abort()
    }
  }

  async #take({ what, stream, offset, settle }: LogWork): Promise<void> {
    const { window, options, redact } = this.#input
    if (this.#doneBefore.get(stream)?.delete(offset) === true) return settle()
    const { totals } = this.#figures
    if (what.kind !== 'exchange') {
      if (what.kind === 'gap') totals.gaps++
      return settle()
    }
    const at = what.request?.firstByteAt ?? 0
    if (at < window.since || (window.until !== 0 && at >= window.until)) return settle()
    totals.exchanges++
    const selected = selectExchange(what, { writes: options.writes, isRedacted: redact.length > 0 })
    if (typeof selected === 'string') {
      this.#figures.skip(selected)
      return settle()
    }
    const connection = `${stream} ${selected.request.connection}`
    this.#replay.add({ ...selected, connection, settle })
    if (this.#replay.isFull) await this.#untilStopped(this.#replay.room())
  }

  /** A replay that waits for its time need not be waited for. */
  async #untilStopped(work: Promise<void>): Promise<void> {
    const { signal } = this.#stop
    let onAbort = (): void => {}
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason as Error)
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
    })
    try {
      await Promise.race([work, aborted])
    } finally {
      signal.removeEventListener('abort', onAbort)
      work.catch(() => undefined)
    }
  }

  async #beatOn(signal: AbortSignal): Promise<void> {
    const { state, checkWrites } = this.#input
    for (;;) {
      await wait(beatMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      await checkWrites?.()
      await this.beat()
      const asked = await state.get(shadowRequestKind, 'stop')
      if (asked !== undefined) this.#stop.abort(stopped())
    }
  }

  /** What is done with goes into the state, behind its tuples. */
  async beat(stands: ShadowRun['state'] = 'running', error?: unknown): Promise<ShadowRun> {
    const { state } = this.#input
    const offsets = [...this.#streams.values()].map((progress) => ({
      ...{ stream: progress.stream, offset: progress.settledTo, recordedAt: progress.readAt },
      beyond: progress.settledBeyond(beyondMax),
    }))
    const mark = (await this.#tuples?.mark()) ?? null
    if (this.#beats++ % behindEvery === 0) await this.#measure()
    const run = this.status(stands, error)
    await state.commit([
      ...offsets.map((one) => this.#checkpoint(one, mark)),
      ...this.#held(offsets),
      { op: 'put', kind: shadowRunKind, key: 'run', value: run },
    ])
    await this.#tuples?.rotate()
    return run
  }

  #checkpoint({ stream, offset, beyond }: Progress, tuples: TupleMark | null) {
    const { log } = this.#input
    const value: ShadowCheckpoint = {
      ...{ log, stream, offset, beyond, at: new Date().toISOString() },
      tuples: tuples && { file: tuples.file, bytes: tuples.bytes },
    }
    return { op: 'put', kind: shadowCheckpointKind, key: `${log} ${stream}`, value } as const
  }

  /** Sync lets go of the log behind all that read it; one that is far behind is not waited for. */
  #held(offsets: readonly Progress[]) {
    if (!this.#input.holdsLog) return []
    const at = new Date().toISOString()
    return offsets.map(({ stream, offset, recordedAt }) => {
      const value = { stream, consumer: 'shadow' as const, offset, recordedAt, at }
      return { op: 'put', kind: logCheckpointKind, key: logCheckpointKey(value), value } as const
    })
  }

  async #measure(): Promise<void> {
    const facts = this.#feed.streamNames.map((name) => this.#feed.factsOf(name).behind)
    const sum = (pick: 'bytes' | 'records'): number | null =>
      facts.reduce<number | null>((total, one) => {
        const count = one?.[pick]
        return total === null || count === undefined ? null : total + count
      }, 0)
    this.#behind = { bytes: sum('bytes'), records: sum('records') }
    const { sent } = this.#figures.totals
    const now = performance.now()
    const seconds = (now - this.#sentBefore.at) / 1000
    const perSecond = seconds > 0 ? Math.round((sent - this.#sentBefore.sent) / seconds) : 0
    this.#sentBefore = { at: now, sent, perSecond }
  }

  status(state: ShadowRun['state'], error?: unknown): ShadowRun {
    const { options, log, target, version, cannotSee, tuples } = this.#input
    const { lateMs, recordedAt } = this.#replay.lag
    const at = new Date().toISOString()
    return {
      ...{ format: 1, version, state, pid: process.pid, startedAt: this.#startedAt, at },
      endedAt: state === 'running' ? null : at,
      error: error === undefined ? null : errorRecord(error),
      ...{ log, method: methodText(options), speed: options.speed, rate: options.rate ?? null },
      ...{ writes: options.writes, indexPrefix: options.indexPrefix ?? null, target: target.url },
      cannotSee: [...cannotSee],
      totals: { ...this.#figures.totals },
      skipped: { ...this.#figures.skipped },
      rulesFired: { ...this.#figures.rulesFired },
      statuses: { ...this.#figures.statuses },
      perSecond: { sent: this.#sentBefore.perSecond },
      latency: this.#figures.latency(),
      lag: {
        ...{ lateMs, ...this.#behind },
        recordedAt: recordedAt === 0 ? null : new Date(recordedAt / 1000).toISOString(),
      },
      shapes: this.#figures.shapes(),
      waits: [...this.#waits].map(([key, one]) => ({ key, ...one })),
      tuples: tuples?.place ?? null,
      memory: {
        residentBytes: process.memoryUsage.rss(),
        aheadBytes: this.#replay.aheadBytes,
      },
    }
  }

  async end(stands: ShadowRun['state'], error?: unknown): Promise<ShadowRun> {
    try {
      const run = await this.beat(stands, error)
      await this.#tuples?.close()
      if (this.#input.holdsLog) await this.#letGo()
      return run
    } catch (failure) {
      // What ended the run is told; that it could not be noted as well says nothing new.
      if (error !== undefined) return this.status(stands, error)
      throw failure
    }
  }

  /** The log keeps nothing for a replay that does not run. */
  async #letGo(): Promise<void> {
    const changes = [...this.#streams.keys()].map((stream) => {
      const key = logCheckpointKey({ stream, consumer: 'shadow' })
      return { op: 'delete', kind: logCheckpointKind, key } as const
    })
    await this.#input.state.commit(changes)
  }

  #onWait(key: string, what: string | undefined): void {
    if (what === undefined) this.#waits.delete(key)
    else
      this.#waits.set(key, { what, since: this.#waits.get(key)?.since ?? new Date().toISOString() })
  }
}
