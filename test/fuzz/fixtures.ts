import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { MigrationError } from '../../src/base/errors.ts'
import { loadBlobs } from '../support/memory-store.ts'
import type { Blobs } from '../support/memory-store.ts'

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** `<engine>-<version>/<set>` of every repository among the fixtures. */
export function fixtureSets(): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(folder, name)).map((set) => `${name}/${set}`))
    .filter((set) => existsSync(join(folder, set, 'repository')))
    .sort()
}

const loaded = new Map<string, Blobs>()

/** All blobs of a fixture's repository, by path; read once. */
export function repositoryOf(set: string): Blobs {
  const known = loaded.get(set) ?? loadBlobs(join(folder, set, 'repository'))
  loaded.set(set, known)
  return known
}

/** What `read` gives; undefined where it is refused: some fixtures hold what cannot be read, for that very reason. */
export async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof MigrationError) return undefined
    throw error
  }
}
