import type { Json } from '../base/json.ts'
import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataOptions } from '../metadata/options.ts'
import type { StateStore } from '../state/store.ts'
import type { Transform } from '../usercode/transform.ts'
import { Accounts } from './accounts.ts'
import { Applier } from './applier.ts'
import { Audit } from './audit.ts'
import { changesOf } from './changes-of.ts'
import { Checkpoints } from './checkpoints.ts'
import { SyncDeadLetters } from './dead-letters.ts'
import { LogFollower } from './follow-log.ts'
import { ForeignWatch } from './foreign-writes.ts'
import { Gaps } from './gaps.ts'
import { KeptDeletes } from './kept-deletes.ts'
import { LogFeed, type NamedLog, type StreamEnds } from '../traffic/log-feed.ts'
import { NamesBehind } from './names-behind.ts'
import { applierOptions, memoryShares, type SyncOptions } from './options.ts'
import { patiently } from './patient.ts'
import { ReadBudget } from './read-budget.ts'
import { Reconciler } from './reconciler.ts'
import { Reconciling } from './reconciling.ts'
import { RememberDeletes } from './remember-deletes.ts'
import { Repairs } from './repairs.ts'
import { SourceView } from './source-view.ts'
import { StreamProgress } from '../traffic/stream-progress.ts'
import { Waits } from './waits.ts'

export interface SyncInput {
  readonly source: Cluster
  readonly target: Cluster
  /** Open for sync. */
  readonly state: StateStore
  readonly select: Selection
  readonly options: SyncOptions
  readonly metadata: MetadataOptions
  readonly allowPartialSource: boolean
  /** What is done to documents on their way. */
  readonly transform?: Transform
  /** None: the audit alone follows the source. */
  readonly logs: readonly NamedLog[]
  /** How long after a write of the source its request may be missing in the log. */
  readonly lateMs: number
  /** Longest body of an answer that is unpacked. */
  readonly bodyBytesMax: number
  /** Whether all documents that a backfill brings to this index are there, or none is to come. */
  readonly isFilled: (index: string) => Promise<boolean>
  /** As ForeignWatchInput has it. */
  readonly otherWriter: () => string | undefined
}

/** What sync is made of: each part does one thing, and the run has them do it. */
export interface SyncParts {
  readonly view: SourceView
  readonly feed: LogFeed
  readonly streams: ReadonlyMap<string, StreamProgress>
  readonly checkpoints: Checkpoints
  readonly gaps: Gaps
  readonly letters: SyncDeadLetters
  readonly repairs: Repairs
  readonly kept: KeptDeletes
  readonly accounts: Accounts
  readonly reconciler: Reconciler
  readonly reconciling: Reconciling
  readonly remembering: RememberDeletes
  readonly applier: Applier
  readonly audit: Audit
  readonly foreign: ForeignWatch
  readonly follower: LogFollower
  readonly waits: Waits
}

const refillApartMs = 3_600_000

/**
 * Opens all parts; nothing is written to the target yet. `reading` ends the reading of the log, `writing` everything. Throws
 * where a cluster or a log cannot be had.
 */
export async function openParts(
  input: SyncInput,
  { reading, writing }: { readonly reading: AbortSignal; readonly writing: AbortSignal },
): Promise<SyncParts> {
  const { source, target, state, select, options, metadata, transform } = input
  const waits = new Waits()
  const { onWait } = waits
  const view = await SourceView.open({
    ...{ source, select, signal: writing },
    withStreams: metadata.dataStreams !== 'refuse',
  })
  const checkpoints = await Checkpoints.load(state)
  const streams = new Map<string, StreamProgress>()
  const feed = await LogFeed.open({
    ...{ logs: input.logs, from: checkpoints.offsets, signal: reading, onWait },
    bytesMax: memoryShares(options).feed,
    onStream: (position) => void streams.set(position.stream, new StreamProgress(position)),
  })
  try {
    const accounts = await Accounts.load(state)
    const kept = await KeptDeletes.open(state)
    const budget = new ReadBudget(options.sourceReadsPerSecondMax)
    const letters = await SyncDeadLetters.load(state, options.deadLettersMax)
    const gaps = await Gaps.load(state)
    const reconciler = await Reconciler.open({
      ...{ source, target, state, select, options: metadata, view, signal: reading },
      allowPartialSource: input.allowPartialSource,
      ...(transform && { transform }),
      streamEnds: () => feed.ends(),
      onRefill: (index) => forget(index),
      onGone: (index) => forget(index),
    })
    const applier = new Applier({
      ...{ source, target, state, view, places: reconciler, accounts, kept, budget, onWait },
      ...(transform && { transform }),
      options: applierOptions(options),
      signal: writing,
      onDeadLetter: async (refused) => {
        const tooMany = await letters.put(refused)
        if (tooMany !== undefined) applier.giveUp(refused.index, tooMany)
      },
      hasDeadLetter: (index, id, routing) => letters.has({ index, id, routing }),
      onWritten: (index, id, routing) => letters.written({ index, id, routing }),
    })
    const forget = (index: string): Promise<void> => {
      accounts.forget(index)
      applier.resume(index)
      return Promise.resolve()
    }
    const foreign = new ForeignWatch({
      ...{ target, ours: applier.ours, otherWriter: input.otherWriter, signal: reading },
      gcDeletesMs: options.gcDeletes,
    })
    const audit = new Audit({
      ...{
        source,
        target,
        state,
        view,
        places: reconciler,
        accounts,
        applier,
        budget,
        foreign,
        onWait,
      },
      log: {
        ends: () => feed.ends(),
        hasPassed: (ends: Json) => checkpoints.hasPassed(ends as StreamEnds),
      },
      ...{ lateMs: input.lateMs, isFilled: input.isFilled, signal: reading },
      options: { everyMs: options.auditEvery, slices: 2 },
      onAhead: (index, documents) => refill(index, documents),
    })
    const refilledAt = new Map<string, number>()
    const refill = async (index: string, documents: readonly unknown[]): Promise<void> => {
      // What somebody else writes to the target would have it made anew for ever: the audit names it.
      if (Date.now() - (refilledAt.get(index) ?? 0) < refillApartMs) return
      refilledAt.set(index, Date.now())
      const why = `the target holds ${documents.length} documents at higher numbers than the source`
      await reconciler.refill(index, why)
    }
    const reconciling = new Reconciling({
      ...{ reconcile: () => reconciler.reconcile('all'), everyMs: options.auditEvery, onWait },
    })
    const remembering = new RememberDeletes({
      ...{ target, state, onWait },
      ...{ gcDeletesMs: options.gcDeletes, bytesMax: options.gcDeletesBytesMax },
    })
    const behind = new NamesBehind(view)
    const patience = { onWait, waitMaxMs: options.waitMax, signal: reading }
    const follower = new LogFollower({
      ...{ feed, streams, doubts: reconciler.doubts, gaps },
      ready: () => patiently('metadata', patience, () => reconciler.ready()),
      outcomeOf: (exchange) =>
        changesOf(exchange, {
          index: (name) => view.index(name),
          behind: (name) => behind.of(name),
          typed: isTyped(source),
          bytesMax: input.bodyBytesMax,
        }),
      apply: (changes, settled) => applier.add(changes, () => settled()),
      onSignal: ({ what }) => {
        if (what === 'documents') audit.want()
        else reconciling.want()
      },
    })
    return {
      ...{
        view,
        feed,
        streams,
        checkpoints,
        gaps,
        letters,
        kept,
        accounts,
        reconciler,
        reconciling,
        remembering,
      },
      repairs: new Repairs(state, applier),
      ...{ applier, audit, foreign, follower, waits },
    }
  } catch (error) {
    await feed.close()
    throw error
  }
}

/** Whether paths of the engine have mapping types: in Elasticsearch 8 for clients of 7 alone, which ask for that. */
function isTyped({ version }: Cluster): boolean {
  return version.flavour === 'elasticsearch' ? version.major < 9 : version.major < 2
}
