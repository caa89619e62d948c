import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import type { BlobStore } from './byte-source.ts'
import { createFileStore } from './file-store.ts'

/**
 * Opens the place that a repository location names: a path (relative ones from the current folder) or file://.
 * Throws MA_CONFIG for another scheme, MA_REPOSITORY when there is no such folder.
 */
export function openBlobStore(location: string): BlobStore {
  if (location === '') throw new MigrationError('MA_CONFIG', 'the repository location is empty')
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(location)?.[1]?.toLowerCase()
  if (scheme === 'file') return createFileStore(location, filePath(location))
  if (scheme !== undefined && location.startsWith('//', scheme.length + 1)) {
    throw new MigrationError(
      'MA_CONFIG',
      `${scheme}:// is not a repository location that this version reads: give a path or file:///path/of/the/repository`,
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
