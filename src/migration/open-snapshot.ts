import { eachAtOnce } from '../base/each-at-once.ts'
import { isUnreadable } from '../base/errors.ts'
import { selectIndices } from '../base/select-indices.ts'
import type { Selection } from '../base/select.ts'
import { openBlobStore, type BlobStoreOptions } from '../blob/open.ts'
import { requireComplete } from '../snapshot/open-snapshot.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { Repository, Snapshot } from '../snapshot/snapshot.ts'
import type { Config } from './config.ts'
import { required } from './required.ts'

/** Opens the repository at snapshot.repository. */
export async function openConfiguredRepository(config: Config): Promise<Repository> {
  const location = required(config.snapshot.repository, 'snapshot.repository')
  return openRepository(openBlobStore(location, storeOptions(config)))
}

/** How the repository is reached, where it is not a folder. */
export function storeOptions({ snapshot }: Config): BlobStoreOptions {
  const { s3 = {}, gcs = {}, azure = {}, requests, tls } = snapshot
  return withoutUndefined({
    s3: withoutUndefined(s3),
    gcs: withoutUndefined(gcs),
    azure: withoutUndefined(azure),
    requests: {
      atOnce: requests.atOnce,
      attempts: requests.attempts,
      timeoutMs: requests.timeout,
    },
    ca: tls?.ca,
  })
}

/** Plain data that goes to other threads, without what is not said. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries) as Defined<T>
}
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** The name of the snapshot: as configured, else osmigrate-NAME of the migration. */
export function snapshotName(config: Config): string {
  return config.snapshot.name ?? `osmigrate-${config.name}`
}

/**
 * Opens the configured snapshot for reading documents. One that lacks shards of selected indices is refused
 * (MA_SNAPSHOT, listing them) unless snapshot.allowPartial.
 */
export async function openConfiguredSnapshot(config: Config): Promise<Snapshot> {
  const repository = await openConfiguredRepository(config)
  const snapshot = await repository.openSnapshot(snapshotName(config))
  const indices = await selectedIndices(config, snapshot)
  requireComplete(snapshot, { allowPartial: config.snapshot.allowPartial, indices })
  return snapshot
}

/** select.include and select.exclude; without exclude the default of selectNames() holds. */
export function selectionOf({ select }: Config): Selection {
  const { include, exclude } = select
  return { include, ...(exclude !== undefined && { exclude }) }
}

/**
 * The names of the selected indices of the snapshot, those behind data streams among them (default: where these are
 * carried over); a pattern that names none throws MA_CONFIG.
 */
export async function selectedIndices(
  config: Config,
  snapshot: Snapshot,
  withStreams: boolean = config.metadata.dataStreams !== 'refuse',
): Promise<string[]> {
  const streams = await snapshot.readDataStreams()
  const { indices } = snapshot
  const { names, onlyPlain } = selectIndices({ indices, streams }, selectionOf(config), {
    withStreams,
  })
  const isPlain = await eachAtOnce(names, 16, async (name) => {
    return !onlyPlain.has(name) || !(await isApart(snapshot, name))
  })
  return names.filter((_, i) => isPlain[i])
}

/** An index whose metadata is damaged is found to be so by whoever reads it for what it holds. */
async function isApart(snapshot: Snapshot, index: string): Promise<boolean> {
  try {
    return (await snapshot.readIndexMetadata(index)).apart !== undefined
  } catch (error) {
    if (isUnreadable(error)) return false
    throw error
  }
}
