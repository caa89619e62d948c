import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MigrationError } from '../base/errors.ts'

/**
 * The lock of the one process that works on a migration: the write lock of an empty SQLite file, `<folder>/lock.db`,
 * held by a transaction that never ends. The operating system takes it back when the process dies in whatever way, so
 * there is no stale lock to clean up and no pid to guess about. `<folder>/lock.json` says who holds it, for people.
 */
export interface WriterLock {
  release(): void
}

export interface Writer {
  pid: number
  /** ISO 8601. */
  since: string
}

/** Takes the lock, or throws MA_LOCKED that names the process that has it. */
export function takeWriterLock(folder: string): WriterLock {
  const database = openLock(folder, 1000)
  if (!begin(database)) {
    database.close()
    const writer = readWriter(folder)
    throw new MigrationError(
      'MA_LOCKED',
      `another process works on the migration in ${folder}` +
        (writer ? `: pid ${writer.pid}, since ${writer.since}` : '') +
        '. Wait until it ends, or stop it (osmigrate backfill stop).',
      { details: { folder, ...writer }, retryable: true },
    )
  }
  const writer: Writer = { pid: process.pid, since: new Date().toISOString() }
  writeFileSync(join(folder, 'lock.json'), JSON.stringify(writer) + '\n', { mode: 0o600 })
  return {
    release: () => {
      if (database.isOpen) database.close()
    },
  }
}

/** Who works on the migration now; undefined when nobody does. */
export function currentWriter(folder: string): Writer | undefined {
  if (!existsSync(join(folder, 'lock.db'))) return undefined
  const database = openLock(folder, 0)
  const free = begin(database)
  database.close()
  return free ? undefined : (readWriter(folder) ?? { pid: 0, since: '' })
}

function openLock(folder: string, timeoutMs: number): DatabaseSync {
  const file = join(folder, 'lock.db')
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

function readWriter(folder: string): Writer | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8'))
    const { pid, since } = value as Partial<Writer>
    return typeof pid === 'number' && typeof since === 'string' ? { pid, since } : undefined
  } catch {
    return undefined
  }
}
