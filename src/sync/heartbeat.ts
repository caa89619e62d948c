import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { StateStore } from '../state/store.ts'
import { doubtMs } from './doubts.ts'
import { streamStatus, wholeLag } from './lag.ts'
import type { StreamEnds } from '../traffic/log-feed.ts'
import { Meter } from './meter.ts'
import { syncRequestKind, type SyncRequestKey } from './records.ts'
import { syncStatusKind, type SyncStatus, type SyncTotals } from './status.ts'
import type { SyncParts } from './sync-parts.ts'
import { troublesOf } from './troubles.ts'

export interface HeartbeatInput {
  readonly state: StateStore
  readonly version: string
  readonly startedAt: string
  readonly logs: readonly unknown[]
  readonly isFilled: (index: string) => Promise<boolean>
  /** Somebody has asked for the end. */
  readonly onStop: () => void
}

const everyMs = 1000
const releaseEvery = 5
const lettersEvery = 3
const generationEvery = 30
const gapsShown = 100
/** How long after a doubt began the last record that it concerns may still be written. */
const doubtRestMs = doubtMs + 60_000

/**
 * Once a second: what is done with goes into the state, with what the accounts rely on in the same commit, and the log is let
 * go of behind it; what sync tells of itself, too; and who asks for something is heard.
 */
export class Heartbeat {
  isDraining = false
  readonly #parts: SyncParts
  readonly #input: HeartbeatInput
  readonly #meter = new Meter<SyncTotals>()
  readonly #afterDoubts = new Map<string, { since: string; ends: StreamEnds }>()
  #beats = 0
  #isBusy = false
  #failure: Error | undefined

  constructor(parts: SyncParts, input: HeartbeatInput) {
    this.#parts = parts
    this.#input = input
  }

  /** Until the signal ends it. Throws where the state cannot be written, and what ended the applier. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { failure } = this.#parts.applier
      if (failure !== undefined) throw failure as Error
      if (this.#failure !== undefined) throw this.#failure
      await this.beat()
      if (!this.isDraining) await this.#attend()
      await wait(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Puts all that is settled into the state. */
  async beat(): Promise<void> {
    const { streams, checkpoints, kept, accounts, gaps, audit, view } = this.#parts
    const { state } = this.#input
    // What is settled by now, before what was learned from it is asked for.
    const advance = checkpoints.advanced(streams.values())
    await kept.store()
    const names = (): string[] => [...view.indices()].map(({ name }) => name)
    const explained = gaps.explained({ names, lookedAt: (index) => audit.lookedAt(index) })
    this.#meter.take(this.#totals())
    await state.commit([
      ...accounts.changes(),
      ...explained,
      ...advance.changes,
      { op: 'put', kind: syncStatusKind, key: 'status', value: this.status() },
    ])
    checkpoints.committed(advance)
  }

  async #attend(): Promise<void> {
    const { checkpoints, feed } = this.#parts
    const { state, onStop } = this.#input
    this.#beats++
    if (this.#beats % releaseEvery === 0) await checkpoints.release(feed)
    if (this.#beats % generationEvery === 0) this.#beside(() => this.#reapplyDeletes())
    await this.#endDoubts()
    if (this.#beats % lettersEvery === 0) this.#beside(() => this.#sendAgain())
    if (await this.#isAsked('stop')) onStop()
    if (await this.#isAsked('audit')) {
      await state.commit([{ op: 'delete', kind: syncRequestKind, key: 'audit' }])
      this.prove()
    }
  }

  async #isAsked(what: SyncRequestKey): Promise<boolean> {
    return (await this.#input.state.get(syncRequestKind, what)) !== undefined
  }

  /** Somebody waits for the proof that all is there. */
  prove(): void {
    this.#parts.reconciling.want()
    this.#parts.audit.want({ drain: true })
    this.#beside(() => this.#reapplyDeletes())
  }

  /** Goes on beside the beats, which no write may hold up; one such work at a time. */
  #beside(work: () => Promise<void>): void {
    if (this.#isBusy) return
    this.#isBusy = true
    void work()
      .catch((error: unknown) => {
        // What ended the applier is told by the next beat, and the end of the log by who closes it.
        if (!(error instanceof MigrationError)) this.#failure = error as Error
      })
      .finally(() => (this.#isBusy = false))
  }

  async #sendAgain(): Promise<void> {
    const { letters, applier, audit, repairs } = this.#parts
    await repairs.take()
    const { again, mended } = await letters.takeAgain()
    for (const index of mended) applier.resume(index)
    if (mended.length > 0) audit.want()
    if (again.length === 0) return
    const changes = again.map((document) => ({ ...document, what: 'read' as const }))
    await applier.add(changes, () => {})
  }

  /** Design §3.3: deletes are applied once more when nothing that was recorded before them is under way. */
  async #reapplyDeletes(): Promise<void> {
    const { kept, feed, checkpoints, applier } = this.#parts
    await kept.closeGeneration(await feed.ends())
    await kept.reapply({
      hasPassed: (ends) => checkpoints.hasPassed(ends as StreamEnds),
      // Those of an index that takes nothing now stay kept, and hold up no checkpoint.
      isFilled: async (index) => applier.takes(index) && (await this.#input.isFilled(index)),
      apply: (deletes) => applier.applyAgain(deletes),
    })
  }

  /** A doubt ends when all records are settled that were written while it might concern them. */
  async #endDoubts(): Promise<void> {
    const { reconciler, feed, checkpoints } = this.#parts
    for (const { index, since } of [...reconciler.doubts.all()]) {
      if (Date.now() < Date.parse(since) + doubtRestMs) continue
      const after = this.#afterDoubts.get(index)
      if (after?.since !== since) {
        this.#afterDoubts.set(index, { since, ends: await feed.ends() })
      } else if (checkpoints.hasPassed(after.ends)) {
        await reconciler.doubts.drop(index)
        this.#afterDoubts.delete(index)
      }
    }
  }

  status(): SyncStatus {
    const { feed, gaps, letters, waits, reconciler, audit, applier, foreign } = this.#parts
    const { version, startedAt, logs } = this.#input
    const now = Date.now()
    const streams = [...this.#parts.streams.values()].map((progress) =>
      streamStatus({ ...feed.factsOf(progress.stream), progress }, now),
    )
    const totals = this.#totals()
    const perSecond = (name: keyof SyncTotals): number => this.#meter.perSecond(name)
    const open = gaps.open
    return {
      format: 1,
      ...{ version, startedAt, at: new Date(now).toISOString() },
      state: this.isDraining ? 'draining' : 'running',
      mode: logs.length === 0 ? 'none' : 'proxy',
      perSecond: {
        records: perSecond('records'),
        changes: perSecond('changes'),
        written: perSecond('written'),
        sourceReads: perSecond('sourceReads'),
        bytes: perSecond('bytes'),
      },
      totals,
      lag: wholeLag(streams),
      streams,
      gaps: open.slice(0, gapsShown),
      gapCount: open.length,
      gapRequests: open.reduce((sum, { requests }) => sum + requests, 0),
      deadLetters: letters.count,
      foreignWrites: foreign.found,
      deletesAppliedTo: this.#parts.kept.appliedTo,
      waits: waits.list(),
      indices: troublesOf(applier.stopped, reconciler.notInStep(), reconciler.doubts),
      different: [...reconciler.notInStep().different],
      audit: audit.verdict() ?? null,
      memory: {
        residentBytes: process.memoryUsage.rss(),
        changeBytes: applier.figures.heldBytes,
      },
    }
  }

  #totals(): SyncTotals {
    const { figures } = this.#parts.applier
    return {
      records: this.#parts.follower.counts.records,
      changes: figures.taken,
      written: figures.written,
      older: figures.conflicts,
      left: figures.left,
      sourceReads: figures.readBack,
      bytes: figures.bytesSent,
    }
  }
}
