import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'

/** How far the source is with a snapshot. Bytes are of files that it has to copy: what is in the repository stays. */
export interface SnapshotProgress {
  readonly name: string
  readonly repository: string
  /** As the source names it: SUCCESS, PARTIAL, FAILED, and several words for one that is being made. */
  readonly state: string
  /** Shards that are through, those that failed among them. */
  readonly shardsDone: number
  readonly shardsFailed: number
  readonly shardsTotal: number
  readonly bytesDone: number
  /** Of shards that are not begun their present size is taken, where it is known. */
  readonly bytesTotal: number
  /** When the first shard was begun; 0 before. */
  readonly startTimeMs: number
  readonly indices: readonly IndexProgress[]
}

export interface IndexProgress {
  readonly index: string
  readonly shardsDone: number
  readonly shardsFailed: number
  readonly shardsTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  /** What the snapshot holds of the index, copied or there before; undefined where the engine (before 6.4) does not tell. */
  readonly bytesHeld: number | undefined
}

export interface ShardFailure {
  readonly index: string
  readonly shard: number
  readonly reason: string
}

/** A snapshot as the repository has it, or will. */
export interface SnapshotRecord {
  readonly name: string
  readonly uuid: string
  readonly state: string
  readonly indices: readonly string[]
  readonly shards: number
  readonly startTimeMs: number
  /** undefined while it is being made. */
  readonly endTimeMs: number | undefined
  readonly failures: readonly ShardFailure[]
  /** Why it failed as a whole. */
  readonly reason: string | undefined
}

const runningStates: ReadonlySet<string> = new Set([
  'INIT',
  'STARTED',
  'IN_PROGRESS',
  'WAITING',
  'ABORTED',
])

/** True for a snapshot that is being made, or taken back after it was cancelled. */
export function isRunning(state: string): boolean {
  return runningStates.has(state)
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined
  /** Sizes of primary shards by `index/shard`, for those that are not begun. */
  readonly primaryBytes?: ReadonlyMap<string, number>
}

export function snapshotPath(repository: string, name: string): string {
  return `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`
}

/** undefined when there is no such snapshot. */
export async function readSnapshotRecord(
  source: Cluster,
  repository: string,
  name: string,
  { signal }: AskOptions = {},
): Promise<SnapshotRecord | undefined> {
  if (source.version.flavour === 'elasticsearch' && source.version.major === 1) {
    // There the question waits behind the shards that are being copied, which may take hours; that for the status does not.
    const progress = await readSnapshotStatus(source, repository, name, { signal })
    if (progress && isRunning(progress.state)) return runningRecord(progress)
  }
  const answer = await source.request('GET', snapshotPath(repository, name), {
    accept: [404],
    ...(signal && { signal }),
  })
  return answer.status === 404 ? undefined : recordOf(firstOf(answer.body))
}

function runningRecord(progress: SnapshotProgress): SnapshotRecord {
  const { name, state, indices, shardsTotal, startTimeMs } = progress
  return {
    name,
    uuid: '',
    state,
    indices: indices.map(({ index }) => index),
    shards: shardsTotal,
    startTimeMs,
    endTimeMs: undefined,
    failures: [],
    reason: undefined,
  }
}

/** undefined when there is no such snapshot, or not yet. */
export async function readSnapshotStatus(
  source: Cluster,
  repository: string,
  name: string,
  options: AskOptions = {},
): Promise<SnapshotProgress | undefined> {
  const { signal, primaryBytes } = options
  const answer = await source.request('GET', `${snapshotPath(repository, name)}/_status`, {
    accept: [404],
    ...(signal && { signal }),
  })
  if (answer.status === 404) return undefined
  return progressOf(firstOf(answer.body), {
    repository,
    name,
    ...(primaryBytes && { primaryBytes }),
  })
}

/** The snapshots that the source is making now, in whatever repository. */
export async function readRunning(
  source: Cluster,
  signal?: AbortSignal,
): Promise<SnapshotProgress[]> {
  const { body } = await source.request('GET', '/_snapshot/_status', { ...(signal && { signal }) })
  return (Array.isArray(body.snapshots) ? body.snapshots : []).map(objectOf).map((snapshot) =>
    progressOf(snapshot, {
      repository: textOf(snapshot.repository),
      name: textOf(snapshot.snapshot),
    }),
  )
}

function firstOf(body: JsonObject): JsonObject {
  return objectOf(Array.isArray(body.snapshots) ? body.snapshots[0] : undefined)
}

/**
 *   { snapshot, uuid?, state, indices: […], start_time_in_millis, end_time_in_millis?, reason?,
 *     failures: [{ index, shard_id, reason }], shards: { total, failed, successful } }
 */
function recordOf(snapshot: JsonObject): SnapshotRecord {
  const endTimeMs = numberOf(snapshot.end_time_in_millis)
  const failures = Array.isArray(snapshot.failures) ? snapshot.failures.filter(isJsonObject) : []
  return {
    name: textOf(snapshot.snapshot),
    uuid: typeof snapshot.uuid === 'string' ? snapshot.uuid : '',
    state: textOf(snapshot.state),
    indices: Array.isArray(snapshot.indices) ? snapshot.indices.map(textOf) : [],
    shards: numberOf(objectOf(snapshot.shards).total),
    startTimeMs: numberOf(snapshot.start_time_in_millis),
    endTimeMs: endTimeMs > 0 ? endTimeMs : undefined,
    failures: failures.map(({ index, shard_id, reason }) => ({
      index: textOf(index),
      shard: numberOf(shard_id),
      reason: textOf(reason),
    })),
    reason: typeof snapshot.reason === 'string' ? snapshot.reason : undefined,
  }
}

/**
 *   { state, shards_stats, indices: { INDEX: { shards_stats, stats, shards: { N: { stage, stats } } } } }
 *   shards_stats = { done, failed, total, … }
 *   stats        = { incremental: { size_in_bytes }, processed?: {…}, total: {…} }          since 6.4
 *                | { total_size_in_bytes, processed_size_in_bytes }                         before
 *
 * `processed` is not there once it is equal to `incremental`. The older numbers are of what is copied, too.
 */
function progressOf(
  status: JsonObject,
  known: { repository: string; name: string; primaryBytes?: ReadonlyMap<string, number> },
): SnapshotProgress {
  const { repository, name, primaryBytes } = known
  const indices = Object.entries(objectOf(status.indices)).map(([index, value]) =>
    indexProgress(index, objectOf(value), primaryBytes),
  )
  const shards = objectOf(status.shards_stats)
  const failed = numberOf(shards.failed)
  return {
    name,
    repository,
    state: textOf(status.state),
    shardsDone: numberOf(shards.done) + failed,
    shardsFailed: failed,
    shardsTotal: numberOf(shards.total),
    bytesDone: indices.reduce((sum, one) => sum + one.bytesDone, 0),
    bytesTotal: indices.reduce((sum, one) => sum + one.bytesTotal, 0),
    startTimeMs: firstStart(objectOf(status.indices)),
    indices,
  }
}

/** The sums over shards begin at 0 in some versions; those of the shards are right. */
function firstStart(indices: JsonObject): number {
  const starts = Object.values(indices)
    .flatMap((index) => Object.values(objectOf(objectOf(index).shards)))
    .map((shard) => numberOf(objectOf(objectOf(shard).stats).start_time_in_millis))
    .filter((ms) => ms > 0)
  return starts.reduce((first, ms) => Math.min(first, ms), starts[0] ?? 0)
}

function indexProgress(
  index: string,
  status: JsonObject,
  primaryBytes: ReadonlyMap<string, number> | undefined,
): IndexProgress {
  const counts = objectOf(status.shards_stats)
  const failed = numberOf(counts.failed)
  const { done, total, held } = bytesOf(objectOf(status.stats))
  let waiting = 0
  for (const [shard, value] of Object.entries(objectOf(status.shards))) {
    const { stage, stats } = objectOf(value)
    if (stage !== 'INIT' || bytesOf(objectOf(stats)).total > 0) continue
    waiting += primaryBytes?.get(`${index}/${shard}`) ?? 0
  }
  return {
    index,
    shardsDone: numberOf(counts.done) + failed,
    shardsFailed: failed,
    shardsTotal: numberOf(counts.total),
    bytesDone: done,
    bytesTotal: total + waiting,
    bytesHeld: held,
  }
}

function bytesOf(stats: JsonObject): { done: number; total: number; held: number | undefined } {
  if (!isJsonObject(stats.incremental)) {
    const total = numberOf(stats.total_size_in_bytes)
    return { total, done: numberOf(stats.processed_size_in_bytes), held: undefined }
  }
  const total = numberOf(stats.incremental.size_in_bytes)
  const { processed } = stats
  const done = isJsonObject(processed) ? numberOf(processed.size_in_bytes) : total
  return { total, done, held: numberOf(objectOf(stats.total).size_in_bytes) }
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}
