import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import type { RegisteredRepository } from './repository.ts'
import { readRunning, readSnapshotStatus, type SnapshotProgress } from './snapshot-status.ts'

/** What is looked at before a snapshot is begun. */

/** Bytes of the primary shards by `index/shard`, as far as the source knows them. */
export type PrimaryBytes = ReadonlyMap<string, number>

/**
 * The primary shards of the indices. Throws MA_SNAPSHOT that names those which are not there: without them the snapshot
 * would be refused or end PARTIAL.
 */
export async function requirePrimaries(
  source: Cluster,
  indices: readonly string[],
  signal?: AbortSignal,
): Promise<PrimaryBytes> {
  const { body } = await source.request<unknown>('GET', '/_cat/shards', {
    query: {
      format: 'json',
      h: 'index,shard,prirep,state,unassigned.reason,store',
      bytes: 'b',
    },
    ...(signal && { signal }),
  })
  const wanted = new Set(indices)
  const bytes = new Map<string, number>()
  const missing: string[] = []
  for (const row of (Array.isArray(body) ? body : []).map(objectOf)) {
    const index = textOf(row.index)
    if (row.prirep !== 'p' || !wanted.has(index)) continue
    const shard = `${index}/${textOf(row.shard)}`
    if (row.state === 'STARTED' || row.state === 'RELOCATING')
      bytes.set(shard, Number(row.store) || 0)
    else missing.push(`${shard} (${textOf(row.state)}, ${textOf(row['unassigned.reason'])})`)
  }
  if (missing.length === 0) return bytes
  throw new MigrationError(
    'MA_SNAPSHOT',
    `${missing.length} primary shards are not there on the source ${source.url}: ${missing.slice(0, 20).join('; ')}. ` +
      'GET /_cluster/allocation/explain tells why; mend them, or leave their indices out with --exclude',
    { details: { shards: missing.slice(0, 1000) }, retryable: true },
  )
}

const idleWaitMs = 30_000
const idlePollMs = 500

/**
 * Sources before 7.9 make one snapshot at a time. One that is under way gets half a minute, as those engines give it
 * themselves; then MA_SNAPSHOT names it.
 */
export async function requireIdle(source: Cluster, signal?: AbortSignal): Promise<void> {
  const { flavour, major, minor } = source.version
  if (flavour === 'opensearch' || major > 7 || (major === 7 && minor >= 9)) return
  const deadline = performance.now() + idleWaitMs
  for (;;) {
    const [running] = await readRunning(source, signal)
    if (!running) return
    if (performance.now() > deadline) throw busy(source, running)
    await wait(idlePollMs, undefined, signal ? { signal } : {})
  }
}

function busy(source: Cluster, running: SnapshotProgress): MigrationError {
  const { repository, name, shardsDone, shardsTotal } = running
  return new MigrationError(
    'MA_SNAPSHOT',
    `the source ${source.url} is making the snapshot ${name} in ${repository} (${shardsDone} of ${shardsTotal} shards), ` +
      `and ${source.version.text} makes one at a time: wait until it is done`,
    { details: { repository, snapshot: name }, retryable: true },
  )
}

export interface SpaceNeeded {
  /** Bytes that the snapshot may add to the repository. */
  readonly bytesNeeded: number
  /** What of it the newest complete snapshot there seems to hold already. */
  readonly bytesThere: number
  /** undefined where it cannot be known. */
  readonly bytesFree?: number
}

/**
 * Compares what the indices take with what is free. Throws MA_REPOSITORY when it cannot fit.
 */
export async function requireSpace(
  source: Cluster,
  repository: RegisteredRepository,
  about: {
    readonly primaryBytes: PrimaryBytes
    readonly bytesFree?: number | undefined
    readonly signal?: AbortSignal | undefined
  },
): Promise<SpaceNeeded> {
  const { primaryBytes, bytesFree, signal } = about
  const total = sum(primaryBytes.values())
  if (bytesFree === undefined) return { bytesNeeded: total, bytesThere: 0 }
  // Only where it is tight is it worth to have the repository read for what it holds.
  const bytesThere =
    total < bytesFree ? 0 : await bytesInNewest(source, repository.name, primaryBytes, signal)
  const bytesNeeded = total - bytesThere
  if (bytesNeeded < bytesFree) return { bytesNeeded, bytesThere, bytesFree }
  throw new MigrationError(
    'MA_REPOSITORY',
    `the snapshot needs about ${gigabytes(bytesNeeded)} GB, and ${gigabytes(bytesFree)} GB are free in ${textOf(repository.settings.location)}. ` +
      'Make room there, choose another place, or fewer indices with --index and --exclude',
    { details: { bytesNeeded, bytesThere, bytesFree } },
  )
}

/**
 * What the newest complete snapshot of the repository holds of these indices, at most their present size: files that
 * were merged since are copied anew, so it is an upper bound.
 */
async function bytesInNewest(
  source: Cluster,
  repository: string,
  primaryBytes: PrimaryBytes,
  signal?: AbortSignal,
): Promise<number> {
  const path = `/_snapshot/${encodeURIComponent(repository)}`
  const { body } = await source.request('GET', `${path}/_all`, { ...(signal && { signal }) })
  const complete = (Array.isArray(body.snapshots) ? body.snapshots : [])
    .map(objectOf)
    .filter(({ state }) => state === 'SUCCESS')
  const newest = complete.sort(
    (a, b) => Number(b.start_time_in_millis) - Number(a.start_time_in_millis),
  )[0]
  if (!newest) return 0
  const status = await readSnapshotStatus(source, repository, textOf(newest.snapshot), { signal })
  const held = new Map(status?.indices.map(({ index, bytesHeld }) => [index, bytesHeld]))
  const now = new Map<string, number>()
  for (const [shard, bytes] of primaryBytes) {
    const index = shard.slice(0, shard.lastIndexOf('/'))
    now.set(index, (now.get(index) ?? 0) + bytes)
  }
  return sum([...now].map(([index, bytes]) => Math.min(bytes, held.get(index) ?? 0)))
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const one of numbers) total += one
  return total
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)
}
