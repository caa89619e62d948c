/** One run over a capture log, in a process of its own: what comes of it, and what that costs. Started by measured.ts. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { keepYoungSpaceSmall } from '../src/base/young-space.ts'
import { connectCluster } from '../src/cluster/connect.ts'
import { openSqliteStore } from '../src/state/sqlite-store.ts'
import type { TargetIndex } from '../src/state/records.ts'
import type { StateStore } from '../src/state/store.ts'
import { Accounts } from '../src/sync/accounts.ts'
import { Applier } from '../src/sync/applier.ts'
import { changesOf, type ChangesContext } from '../src/sync/changes-of.ts'
import { Checkpoints } from '../src/sync/checkpoints.ts'
import { Doubts } from '../src/sync/doubts.ts'
import { LogFollower } from '../src/sync/follow-log.ts'
import { Gaps } from '../src/sync/gaps.ts'
import { KeptDeletes } from '../src/sync/kept-deletes.ts'
import { LogFeed } from '../src/traffic/log-feed.ts'
import { applierOptions, memoryShares, syncOptions } from '../src/sync/options.ts'
import { ReadBudget } from '../src/sync/read-budget.ts'
import type { SourceIndex } from '../src/sync/source-index.ts'
import { StreamProgress } from '../src/traffic/stream-progress.ts'
import { ExchangeJoiner } from '../src/traffic/exchanges.ts'
import { openLocalLogReader } from '../src/traffic/local-log-reader.ts'
import { reportFigures } from './measured.ts'
import { sinkIndex } from './null-sink.ts'
import { syncStream } from './sync-log.ts'

export interface SyncRequest {
  /** Of the log. */
  readonly folder: string
  /** Changes that are in it. */
  readonly documents: number
  /** Of the target; without it nothing is applied. */
  readonly targetUrl?: string
}

export interface SyncFound {
  readonly changes: number
  readonly seconds: number
  /** Of the work, without the start of the process. */
  readonly workCpuSeconds: number
}

const shard = {
  historyUuid: 'bench-history',
  primaryTerm: 1,
  maxSeqNo: 1e9,
  localCheckpoint: 1e9,
  globalCheckpoint: 1e9,
}

const index: SourceIndex = {
  name: sinkIndex.name,
  uuid: 'bench-source-uuid',
  isOpen: true,
  numberOfShards: 1,
  numberOfRoutingShards: 1,
  routingPartitionSize: 1,
  runsPipeline: false,
  mayRoute: false,
  aliases: new Map(),
  shards: [shard],
}

const targetIndex: TargetIndex = {
  index: index.name,
  targetIndex: sinkIndex.name,
  sourceUuid: index.uuid,
  targetUuid: sinkIndex.uuid,
  epochBase: 0,
  fenceAlias: sinkIndex.alias,
  sourceShards: 1,
  targetShards: 1,
  mayHoldRouted: false,
  sourceForm: 'full',
  sourceDocuments: null,
  withheld: {},
}

const context: ChangesContext = {
  index: (name) => (name === index.name ? index : undefined),
  behind: () => [],
  typed: false,
  bytesMax: 64 * 1024 ** 2,
}

/** Reads the log, joins what belongs together, and finds the changes. */
async function findChanges({ folder }: SyncRequest): Promise<number> {
  const reader = openLocalLogReader(folder)
  const joiner = new ExchangeJoiner(1000)
  let changes = 0
  const from = { stream: syncStream, offset: 0 }
  for await (const { record } of reader.read(from, { follow: false })) {
    for (const joined of joiner.add(record)) {
      if (joined.kind === 'exchange') changes += changesOf(joined, context).changes.length
    }
  }
  await reader.close()
  return changes
}

/** All that sync does with a log, to a target that keeps nothing; the source is asked for nothing. */
async function syncAll({ folder, documents, targetUrl }: SyncRequest): Promise<number> {
  const stateFolder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-'))
  const state = await openSqliteStore(stateFolder, 'write')
  const target = await connectCluster('target', { url: [targetUrl!] })
  const stop = new AbortController()
  const { signal } = stop
  const options = syncOptions.parse({})
  const streams = new Map<string, StreamProgress>()
  const checkpoints = await Checkpoints.load(state)
  const accounts = await Accounts.load(state)
  accounts.open(index, targetIndex.targetUuid)
  const kept = await KeptDeletes.open(state)
  const feed = await LogFeed.open({
    logs: [{ name: 'bench', reader: openLocalLogReader(folder) }],
    from: checkpoints.offsets,
    bytesMax: memoryShares(options).feed,
    ...{ signal, onWait: () => undefined },
    onStream: (position) => void streams.set(position.stream, new StreamProgress(position)),
  })
  const applier = new Applier({
    ...{ source: target, target, state, accounts, kept, signal },
    view: {
      index: (name) => context.index(name),
      shards: async () => new Map([[index.name, [shard]]]),
    },
    places: { placesOf: async () => [{ target: targetIndex }] },
    options: applierOptions(options),
    budget: new ReadBudget(options.sourceReadsPerSecondMax),
    onWait: () => undefined,
    onDeadLetter: async (refused) => {
      throw new Error(`refused: ${JSON.stringify(refused)}`)
    },
  })
  const follower = new LogFollower({
    ...{ feed, streams, doubts: await Doubts.load(state), gaps: await Gaps.load(state) },
    ready: async () => void (await target.request('GET', '/_cluster/state/version')),
    outcomeOf: (exchange) => changesOf(exchange, context),
    apply: (changes, settled) => applier.add(changes, () => settled()),
    onSignal: () => undefined,
  })
  const beat = async (): Promise<void> => {
    const advance = checkpoints.advanced(streams.values())
    await kept.store()
    await state.commit([...accounts.changes(), ...advance.changes])
    checkpoints.committed(advance)
  }
  let nextBeat = performance.now() + beatMs
  try {
    const following = follower.run(signal)
    while (applier.figures.written < documents) {
      await wait(20)
      if (applier.failure !== undefined) throw applier.failure as Error
      if (performance.now() < nextBeat) continue
      nextBeat += beatMs
      await beat()
    }
    await applier.flush()
    await beat()
    stop.abort()
    await following
    return applier.figures.written
  } finally {
    stop.abort()
    applier.close()
    await feed.close()
    await closeAll(state, stateFolder)
    await target.close()
  }
}

/** As often as sync does it. */
const beatMs = 1000

async function closeAll(state: StateStore, folder: string): Promise<void> {
  await state.close()
  await rm(folder, { recursive: true, force: true })
}

async function measured(request: SyncRequest): Promise<SyncFound> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const changes = await (request.targetUrl === undefined ? findChanges(request) : syncAll(request))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - startedAt) / 1000
  return { changes, seconds, workCpuSeconds: (user + system) / 1e6 }
}

if (process.send && import.meta.main) {
  keepYoungSpaceSmall()
  reportFigures(await measured(JSON.parse(process.argv[2]!) as SyncRequest))
}
