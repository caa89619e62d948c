import { isUnreadable } from '../base/errors.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import {
  openConfiguredRepository,
  selectedIndices,
  snapshotName,
} from '../migration/open-snapshot.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatBytes, formatTime, printJson, printLine, printTable } from './output.ts'

/** Exit code 3 where snapshots are there that cannot be read; the others are listed all the same. */
export async function listSnapshots(invocation: Invocation): Promise<ExitCode> {
  const { config } = await invocation.loadConfig()
  const { location, snapshots } = await openConfiguredRepository(config)
  const damaged = snapshots.filter(({ damage }) => damage !== undefined)
  const code = damaged.length === 0 ? exitCodes.done : exitCodes.differs
  if (invocation.json) {
    printJson({ location, snapshots })
    return code
  }
  if (snapshots.length === 0) {
    printLine(`${location} holds no snapshots.`)
    return code
  }
  printTable(
    ['snapshot', 'state', 'version', 'indices'],
    snapshots.map(({ name, state, engineVersion, indices }) => [
      name,
      state,
      engineVersion,
      indices.length,
    ]),
  )
  for (const { name, damage } of damaged) printLine(`damaged: ${name}: ${damage}`)
  return code
}

/** What one index of a snapshot amounts to. */
interface IndexView {
  index: string
  uuid: string
  shards: number
  documents: number
  segments: number
  byteLength: number
  luceneVersions: string[]
}

/** What keeps an index from being read. */
interface UnreadableIndex {
  index: string
  reason: string
}

/** Exit code 3 where indices cannot be read; the others are shown all the same. */
export async function showSnapshot(invocation: Invocation): Promise<ExitCode> {
  const { config } = await invocation.loadConfig()
  const repository = await openConfiguredRepository(config)
  const snapshot = await repository.openSnapshot(snapshotName(config))
  const indices: IndexView[] = []
  const unreadable: UnreadableIndex[] = []
  for (const index of await selectedIndices(config, snapshot, true)) {
    try {
      indices.push(await viewIndex(snapshot, index))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      unreadable.push({ index, reason: error.message })
    }
  }
  const code = unreadable.length === 0 ? exitCodes.done : exitCodes.differs
  if (invocation.json) {
    printJson({ ...snapshotDocument(snapshot, indices), unreadable })
    return code
  }

  printLine(`snapshot  ${snapshot.name}  ${snapshot.state}`)
  printLine(`engine    ${snapshot.engineVersion ?? '-'}`)
  printLine(`taken     ${formatTime(snapshot.startTimeMs)} to ${formatTime(snapshot.endTimeMs)}`)
  printLine()
  printTable(
    ['index', 'shards', 'documents', 'size', 'segments', 'Lucene'],
    indices.map((one) => [
      one.index,
      one.shards,
      one.documents,
      formatBytes(one.byteLength),
      one.segments,
      one.luceneVersions.join(', '),
    ]),
  )
  for (const { index, shard, reason } of snapshot.shardFailures) {
    printLine(`not in the snapshot: shard ${index}/${shard}: ${reason}`)
  }
  for (const { index, reason } of unreadable) printLine(`cannot be read: ${index}: ${reason}`)
  return code
}

function snapshotDocument(snapshot: Snapshot, indices: readonly IndexView[]): object {
  return {
    name: snapshot.name,
    uuid: snapshot.uuid,
    state: snapshot.state,
    engineVersion: snapshot.engineVersion ?? null,
    startTime: new Date(snapshot.startTimeMs).toISOString(),
    endTime: new Date(snapshot.endTimeMs).toISOString(),
    shardFailures: snapshot.shardFailures,
    indices,
  }
}

async function viewIndex(snapshot: Snapshot, index: string): Promise<IndexView> {
  const { uuid, numberOfShards } = await snapshot.readIndexMetadata(index)
  const view = { index, uuid, shards: numberOfShards, documents: 0, segments: 0, byteLength: 0 }
  const versions = new Set<string>()
  for (let shard = 0; shard < numberOfShards; shard++) {
    if (lacksShard(snapshot, index, shard)) continue
    const files = await snapshot.openShard(index, shard)
    view.byteLength += files.byteLength
    const reader = await openShardReader(files, { verify: 'touched' })
    try {
      for (const segment of reader.segments) {
        view.segments++
        view.documents += segment.liveCount
        versions.add(segment.luceneVersion)
      }
    } finally {
      await reader.close()
    }
  }
  return { ...view, luceneVersions: [...versions].sort() }
}

/** True for a shard that the engine could not copy: there are no files to look into. */
export function lacksShard(snapshot: Snapshot, index: string, shard: number): boolean {
  return snapshot.shardFailures.some((one) => one.index === index && one.shard === shard)
}
