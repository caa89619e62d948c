import { MigrationError } from '../base/errors.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { Cursor } from '../bytes/cursor.ts'
import { readWhole } from './metadata-blob.ts'
import { oldRootBlob } from './snapshot-blobs.ts'

const latestBlob = 'index.latest'
const latestBytes = 8
/** How far index.latest may lag behind: the engines write it right after each index-N. */
const generationsAheadMax = 8

/**
 * The generation of the root where the place tells no listing. Layout of the blob index.latest, specified in
 * Elasticsearch's BlobStoreRepository.writeIndexGen:
 *
 *   latest = generation:int64
 *
 * An engine that was killed in between has written index-N and not yet index.latest, so the next ones are looked for.
 * undefined: there is only the root of engines before 5.0.
 */
export async function readLatestGeneration(store: BlobStore): Promise<number | undefined> {
  let latest: number
  try {
    const bytes = await readWhole(store, latestBlob)
    if (bytes.length !== latestBytes) throw notLatest(store, `${bytes.length} bytes`)
    latest = new Cursor(latestBlob, bytes).readInt64()
    if (latest < 0) throw notLatest(store, `${latest}`)
  } catch (error) {
    if (isRefused(error) && (await isThere(store, oldRootBlob))) return undefined
    if (!(error instanceof MigrationError) || error.code !== 'MA_BLOB_MISSING') throw error
    throw new MigrationError(
      'MA_REPOSITORY',
      `${store.location} is not a snapshot repository that can be read: it holds neither ${latestBlob}, which tells the ` +
        `newest root where a place gives no listing, nor ${oldRootBlob}. ` +
        'Give the folder that the repository was registered with, ' +
        'base_path included, or allow listing (on S3: s3:ListBucket)',
      { cause: error },
    )
  }
  let found = latest
  for (let next = latest + 1; next <= latest + generationsAheadMax; next++) {
    if (!(await isThere(store, `index-${next}`))) break
    found = next
  }
  return found
}

async function isThere(store: BlobStore, blob: string): Promise<boolean> {
  try {
    const source = await store.open(blob)
    await source.close()
    return true
  } catch (error) {
    if (isRefused(error)) return false
    throw error
  }
}

/**
 * True when a blob is not there. S3 answers "access denied" in place of "no such key" to those who may not list: what
 * cannot be told from its absence counts as that, once the root itself could be read.
 */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof MigrationError)) return false
  if (error.code === 'MA_BLOB_MISSING') return true
  return error.code === 'MA_BLOB_READ' && error.details['error'] === 'AccessDenied'
}

function notLatest(store: BlobStore, found: string): MigrationError {
  return new MigrationError(
    'MA_REPOSITORY',
    `${latestBlob} of ${store.location} was to hold the number of the newest root in ${latestBytes} bytes and holds ${found}`,
  )
}
