import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * The lock of the one process that writes to a folder: the write lock of an empty SQLite file, `<folder>/lock.db`,
 * held by a transaction that never ends. The operating system takes it back when the process dies in whatever way, so
 * there is no stale lock to clean up and no pid to guess about. `<folder>/lock.json` says who holds it, for people.
 */
export interface FolderLock {
  release(): void
}

export interface LockHolder {
  pid: number
  /** ISO 8601. */
  since: string
}

/** Takes the lock, waiting up to `waitMs` for it; undefined when another holds it. */
export function takeFolderLock(folder: string, waitMs = 1000): FolderLock | undefined {
  const database = openLock(folder, waitMs)
  if (!begin(database)) {
    database.close()
    return undefined
  }
  const holder: LockHolder = { pid: process.pid, since: new Date().toISOString() }
  try {
    writeFileSync(join(folder, 'lock.json'), JSON.stringify(holder) + '\n', { mode: 0o600 })
  } catch (error) {
    database.close()
    throw error
  }
  return {
    release: () => {
      if (database.isOpen) database.close()
    },
  }
}

/** Who holds the lock now; undefined when nobody does. */
export function currentHolder(folder: string): LockHolder | undefined {
  if (!existsSync(join(folder, 'lock.db'))) return undefined
  const database = openLock(folder, 0)
  const free = begin(database)
  database.close()
  return free ? undefined : (lastHolder(folder) ?? { pid: 0, since: '' })
}

/** Who took the lock last, as far as it is known. */
export function lastHolder(folder: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8'))
    const { pid, since } = value as Partial<LockHolder>
    return typeof pid === 'number' && typeof since === 'string' ? { pid, since } : undefined
  } catch {
    return undefined
  }
}

function openLock(folder: string, timeoutMs: number): DatabaseSync {
  const file = join(folder, 'lock.db')
  // SQLite would say of every folder that takes no file that it cannot open one, and not why.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: timeoutMs })
  chmodSync(file, 0o600)
  return database
}

function begin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false
    throw error
  }
}

const SQLITE_BUSY = 5
