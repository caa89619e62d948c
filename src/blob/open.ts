import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import { createAzureStore } from './azure-store.ts'
import type { BlobStore } from './byte-source.ts'
import { createFileStore } from './file-store.ts'
import { createGcsStore } from './gcs-store.ts'
import { createHttpStore } from './http-store.ts'
import type { RemoteStoreOptions } from './remote-store.ts'
import { createS3Store } from './s3-store.ts'

/** How stores that are not folders are reached; plain data, since it goes to other threads. */
export interface BlobStoreOptions extends RemoteStoreOptions {
  readonly s3?: {
    readonly region?: string
    readonly endpoint?: string
    readonly pathStyle?: boolean
  }
  readonly gcs?: {
    readonly endpoint?: string
    readonly project?: string
    readonly credentials?: string
  }
  readonly azure?: {
    readonly endpoint?: string
    readonly key?: string
    readonly sas?: string
  }
}

const forms =
  'a path, file:///PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX or https://HOST/PATH'

/**
 * Opens the place that a repository location names: a path (relative ones from the current folder), file://, s3://,
 * gs://, azure://, http:// or https://. Throws MA_CONFIG for another scheme, MA_REPOSITORY when there is no such folder. Stores over the
 * network are reached at the first request.
 */
export function openBlobStore(location: string, options: BlobStoreOptions = {}): BlobStore {
  if (location === '') throw new MigrationError('MA_CONFIG', 'the repository location is empty')
  const { s3, gcs, azure, ...common } = options
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]?.toLowerCase()
  if (scheme === 'file') return createFileStore(location, filePath(location))
  if (scheme !== undefined && location.startsWith('//', scheme.length + 1)) {
    if (scheme === 's3') return createS3Store(location, { ...s3, ...common })
    if (scheme === 'gs') return createGcsStore(location, { ...gcs, ...common })
    if (scheme === 'azure') return createAzureStore(location, { ...azure, ...common })
    if (scheme === 'http' || scheme === 'https') return createHttpStore(location, common)
    throw new MigrationError(
      'MA_CONFIG',
      `${scheme}:// is not a repository location that this version reads: give ${forms}`,
    )
  }
  return createFileStore(location, resolve(location))
}

function filePath(location: string): string {
  try {
    return fileURLToPath(location)
  } catch (error) {
    throw new MigrationError(
      'MA_CONFIG',
      `${location} is not a file location: write file:///absolute/path (three slashes, no host), or a plain path`,
      { cause: error },
    )
  }
}
