import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { selectExisting, type Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { changeSetting } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import { objectOf, textOf } from './json-objects.ts'
import { objectPresent, settingAccess } from './setting-access.ts'
import { deepestReason } from './target-check.ts'

export interface CreateSnapshotInput {
  /** Name of the migration: the repository is registered as `osmigrate-<migration>`. */
  readonly migration: string
  /** `file:///PATH` or a path, as the source's nodes see it. */
  readonly repository: string
  /** Name of the snapshot. */
  readonly name: string
  readonly select: Selection
  /** Given, the registered repository is noted in the ledger, and goes at close. */
  readonly state?: StateStore
  /** Limit of one node's reading, in MB/s; undefined: the engine's own. */
  readonly rateMbPerNode?: number
  readonly onProgress?: (progress: SnapshotProgress) => void
  readonly signal?: AbortSignal
}

export interface SnapshotProgress {
  readonly state: string
  readonly shardsDone: number
  readonly shardsTotal: number
  /** Of the files that this snapshot has to copy; files of earlier snapshots in the repository are not copied again. */
  readonly bytesDone: number
  readonly bytesTotal: number
}

export interface CreatedSnapshot {
  /** As registered on the source. */
  readonly repository: string
  readonly name: string
  readonly uuid: string
  readonly indices: readonly string[]
  readonly shards: number
  readonly durationMs: number
}

/**
 * Makes a snapshot of the selected indices with the global metadata, and waits until it is complete. Nothing is
 * flushed, closed or changed on the source beyond the registered repository.
 *
 * Errors: MA_REPOSITORY when the source cannot use the location (with what to put into its elasticsearch.yml),
 * MA_SNAPSHOT when the name is taken, and when it ends other than complete (naming the shards that failed),
 * MA_STOPPED when told to stop: the source goes on making it.
 */
export async function createSnapshot(
  cluster: Cluster,
  input: CreateSnapshotInput,
): Promise<CreatedSnapshot> {
  const { name, signal } = input
  const path = pathOf(input.repository)
  const indices = selectExisting(await openIndices(cluster, signal), input.select)
  if (indices.length === 0) {
    throw new MigrationError(
      'MA_CONFIG',
      `the selection leaves no index of the source ${cluster.url}: nothing to make a snapshot of`,
    )
  }
  const repository = await registerRepository(cluster, input, path)
  const snapshotPath = `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`
  await refuseTakenName(cluster, snapshotPath, input)
  const body: JsonObject = { indices: indices.join(','), include_global_state: true }
  const answer = await cluster.request('PUT', snapshotPath, {
    query: { wait_for_completion: false },
    body,
    accept: [400, 503],
    ...(signal && { signal }),
  })
  if (answer.status >= 400) {
    throw new MigrationError(
      'MA_SNAPSHOT',
      `the source ${cluster.url} cannot make the snapshot ${name}: ${reasonOf(answer.body)}`,
      { details: { snapshot: name, status: answer.status }, retryable: answer.status === 503 },
    )
  }
  await waitUntilDone(cluster, snapshotPath, input)
  return result(cluster, snapshotPath, repository, name)
}

function pathOf(location: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1]?.toLowerCase()
  if (scheme === undefined && location.startsWith('/')) return location.replace(/(.)\/+$/, '$1')
  if (scheme === 'file') {
    try {
      return fileURLToPath(location).replace(/(.)\/+$/, '$1')
    } catch {
      // falls through to the message below
    }
  }
  throw new MigrationError(
    'MA_CONFIG',
    `a snapshot can be made in file:///PATH or /PATH only, an absolute path as the source's nodes see it; given: ${location}`,
    { details: { location } },
  )
}

/** Names of all indices, hidden ones too; a closed one of a source before 7.2 cannot be part of a snapshot and is refused by the engine. */
async function openIndices(cluster: Cluster, signal?: AbortSignal): Promise<string[]> {
  const answer = await cluster.request('GET', '/_settings', {
    query: { expand_wildcards: 'all', filter_path: '*.settings.index.uuid' },
    ...(signal && { signal }),
  })
  return Object.keys(answer.body).sort()
}

/** Registers the location, or finds the repository that is registered for it already: two that write to one place would spoil it. */
async function registerRepository(
  cluster: Cluster,
  input: CreateSnapshotInput,
  path: string,
): Promise<string> {
  const name = `osmigrate-${input.migration}`
  const { body: registered } = await cluster.request('GET', '/_snapshot', {
    ...(input.signal && { signal: input.signal }),
  })
  for (const [other, repository] of Object.entries(registered)) {
    const { type, settings } = objectOf(repository)
    const { location, readonly } = objectOf(settings)
    if (type !== 'fs' || location !== path || textOf(readonly) === 'true') continue
    return other
  }
  if (name in registered) {
    const settings = objectOf(objectOf(registered[name]).settings)
    throw new MigrationError(
      'MA_REPOSITORY',
      `the source ${cluster.url} has a repository ${name} already, for another location (${textOf(settings.location)}); delete it there, or give this migration another name`,
      { details: { repository: name } },
    )
  }
  if (input.state) {
    await changeSetting(input.state, settingAccess({ source: cluster }), {
      side: 'source',
      index: null,
      setting: `_snapshot/${name}`,
      newValue: objectPresent,
      until: 'close',
    })
  }
  await putRepository(cluster, name, input, path)
  return name
}

async function putRepository(
  cluster: Cluster,
  name: string,
  { rateMbPerNode, signal }: CreateSnapshotInput,
  location: string,
): Promise<void> {
  const rate =
    rateMbPerNode === undefined ? {} : { max_snapshot_bytes_per_sec: `${rateMbPerNode}mb` }
  const answer = await cluster.request('PUT', `/_snapshot/${encodeURIComponent(name)}`, {
    body: { type: 'fs', settings: { location, compress: true, ...rate } },
    accept: [400, 500],
    ...(signal && { signal }),
  })
  if (answer.status < 400) return
  const reason = reasonOf(answer.body)
  throw new MigrationError(
    'MA_REPOSITORY',
    `the source ${cluster.url} cannot use ${location} for snapshots: ${reason}. ${advice(reason, location, cluster)}`,
    { details: { location, repository: name, reason } },
  )
}

function advice(reason: string, location: string, { version }: Cluster): string {
  const file = version.flavour === 'elasticsearch' ? 'elasticsearch.yml' : 'opensearch.yml'
  if (reason.includes('path.repo')) {
    return (
      `Put this line into ${file} of every node of the source and restart them one by one: path.repo: ["${location}"] ` +
      '(add it to the list if there is one), or choose a folder below one that path.repo names'
    )
  }
  return `The folder must be there for every node of the source (a shared file system where there are several), and the user who runs ${version.flavour} must be able to write to it`
}

async function refuseTakenName(
  cluster: Cluster,
  snapshotPath: string,
  { name, repository, signal }: CreateSnapshotInput,
): Promise<void> {
  const answer = await cluster.request('GET', snapshotPath, {
    accept: [404],
    ...(signal && { signal }),
  })
  if (answer.status === 404) return
  const state = textOf(firstSnapshot(answer.body).state)
  throw new MigrationError(
    'MA_SNAPSHOT',
    `there is a snapshot ${name} in ${repository} already (${state}); use it as it is (without creating one), or choose another name`,
    { details: { snapshot: name, state } },
  )
}

const pollMsMin = 100
const pollMsMax = 2_000

async function waitUntilDone(
  cluster: Cluster,
  snapshotPath: string,
  { name, onProgress, signal }: CreateSnapshotInput,
): Promise<void> {
  // No bound on the whole: a snapshot of terabytes takes hours, its progress is reported, and it can be stopped.
  for (let pollMs = pollMsMin; ; pollMs = Math.min(pollMs * 2, pollMsMax)) {
    try {
      const progress = await readProgress(cluster, snapshotPath, signal)
      if (progress) onProgress?.(progress)
      if (progress && !runningStates.has(progress.state)) return
      await wait(pollMs, undefined, signal ? { signal } : {})
    } catch (error) {
      if (!signal?.aborted) throw error
      throw new MigrationError(
        'MA_STOPPED',
        `stopped waiting for the snapshot ${name}; the source goes on making it. To give it up: DELETE ${cluster.url}${snapshotPath}`,
        { cause: error, details: { snapshot: name } },
      )
    }
  }
}

/** undefined right after the snapshot was asked for, when a busy source may not know it yet. */
async function readProgress(
  cluster: Cluster,
  snapshotPath: string,
  signal?: AbortSignal,
): Promise<SnapshotProgress | undefined> {
  const options = { accept: [404], ...(signal && { signal }) }
  const status = await cluster.request('GET', `${snapshotPath}/_status`, options)
  if (status.status === 404) return undefined
  const progress = progressOf(firstSnapshot(status.body))
  if (runningStates.has(progress.state)) return progress
  // The shards are done, and the repository's own files may still be under way: the snapshot itself knows.
  const snapshot = await cluster.request('GET', snapshotPath, options)
  const state = textOf(firstSnapshot(snapshot.body).state)
  return { ...progress, state, bytesDone: progress.bytesTotal }
}

const runningStates: ReadonlySet<string> = new Set(['INIT', 'STARTED', 'IN_PROGRESS', 'WAITING'])

/** `{ state, shards_stats: { done, failed, total, … }, stats: { incremental, processed?, total } }` */
function progressOf(status: JsonObject): SnapshotProgress {
  const shards = objectOf(status.shards_stats)
  const stats = objectOf(status.stats)
  return {
    state: textOf(status.state),
    shardsDone: numberOf(shards.done) + numberOf(shards.failed),
    shardsTotal: numberOf(shards.total),
    bytesDone: numberOf(objectOf(stats.processed).size_in_bytes),
    bytesTotal: numberOf(objectOf(stats.incremental).size_in_bytes),
  }
}

async function result(
  cluster: Cluster,
  snapshotPath: string,
  repository: string,
  name: string,
): Promise<CreatedSnapshot> {
  const snapshot = firstSnapshot((await cluster.request('GET', snapshotPath)).body)
  const state = textOf(snapshot.state)
  if (state !== 'SUCCESS') {
    const failures = failuresOf(snapshot.failures)
    throw new MigrationError(
      'MA_SNAPSHOT',
      `the snapshot ${name} ended ${state}: ${failures.length > 0 ? failures.slice(0, 20).join('; ') : textOf(snapshot.reason)}. ` +
        'Mend these shards on the source, delete the snapshot and make it again; or leave their indices out',
      { details: { snapshot: name, state, failures } },
    )
  }
  return {
    repository,
    name,
    uuid: textOf(snapshot.uuid),
    indices: Array.isArray(snapshot.indices) ? snapshot.indices.map(textOf) : [],
    shards: numberOf(objectOf(snapshot.shards).total),
    durationMs: numberOf(snapshot.duration_in_millis),
  }
}

function failuresOf(failures: Json | undefined): string[] {
  return (Array.isArray(failures) ? failures : [])
    .filter(isJsonObject)
    .map(
      ({ index, shard_id, reason }) => `${textOf(index)}[${textOf(shard_id)}]: ${textOf(reason)}`,
    )
}

function firstSnapshot(body: JsonObject): JsonObject {
  return objectOf(Array.isArray(body.snapshots) ? body.snapshots[0] : undefined)
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}

function reasonOf(body: JsonObject): string {
  const error = isJsonObject(body.error) ? body.error : { reason: textOf(body.error) }
  const outer = textOf(error.reason)
  const inner = deepestReason(error)
  return outer.includes(inner) ? outer : `${outer}: ${inner}`
}
