import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { MigrationError } from '../base/errors.ts'
import type { FolderLock } from '../base/folder-lock.ts'
import type { Json } from '../base/json.ts'
import { migrateFormat } from './format.ts'
import type { Change, Kind, ListOptions, StateRecord, StateStore } from './store.ts'
import { takeWriterLock, type WriterRole } from './writer-lock.ts'

/**
 * The state of one migration in a SQLite file, `<folder>/state.db`.
 *
 *   record = kind key value(JSON text) revision      -- revision: a count of all writes ever made to the file
 *
 * The folder is 0700, the file 0600. The journal is a write-ahead log, so readers go on while the writer writes, and
 * `synchronous=FULL`: what commit() has answered survives kill -9 and the loss of power. A commit costs one
 * fdatasync; backfill commits once a bulk, which is a few times a second.
 *
 * Modes: `write` is the one process that works on the migration; it holds the writer lock for as long as it lives,
 * and a second one gets MA_LOCKED, which names the first one's pid. `sync` is for the one process that follows the
 * source, `shadow` for the one that replays traffic: they write as well, beside that of `write`, each under a lock of
 * its own. `read` is for `status` from any shell. `note` is for another shell that leaves word for the one at work (a
 * request to stop): it writes without a lock, and only records that the writer does not write.
 */
export type StoreMode = WriterRole | 'read' | 'note'

const fileName = 'state.db'

/** True when the folder holds the state of a migration. */
export function stateExists(folder: string): boolean {
  return existsSync(join(folder, fileName))
}

/**
 * Opens the state of a migration, in `write` and `sync` mode creating it. Throws MA_LOCKED when another process works on it,
 * MA_STATE when there is none (read, note), when a newer program wrote it, or when the file cannot be used.
 */
export async function openSqliteStore(folder: string, mode: StoreMode): Promise<StateStore> {
  const file = join(folder, fileName)
  const role = mode === 'read' || mode === 'note' ? undefined : mode
  const mayWrite = role !== undefined
  if (!mayWrite && !existsSync(file)) {
    throw new MigrationError(
      'MA_STATE',
      `there is no state of a migration in ${folder}: nothing was started yet, or it is another folder`,
      { details: { folder } },
    )
  }
  if (mayWrite) createFolder(folder)
  const lock = role === undefined ? undefined : takeWriterLock(folder, role)
  try {
    if (mayWrite) createFile(file)
    return new SqliteStore(openDatabase(file, mode), lock)
  } catch (error) {
    lock?.release()
    if (error instanceof MigrationError) throw error
    throw new MigrationError('MA_STATE', `the state in ${file} cannot be opened: ${text(error)}`, {
      cause: error,
      details: { file },
    })
  }
}

function createFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if ((statSync(folder).mode & 0o777) !== 0o700) chmodSync(folder, 0o700)
}

/** SQLite gives its log files the mode of the main file, so that one is made first, closed to others. */
function createFile(file: string): void {
  if (!existsSync(file)) new DatabaseSync(file).close()
  chmodSync(file, 0o600)
}

function openDatabase(file: string, mode: StoreMode): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: mode === 'read', timeout: 5000 })
  try {
    const mayWrite = mode !== 'read' && mode !== 'note'
    if (mayWrite) database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL')
    migrateFormat(database, { file, mayWrite })
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

interface Row {
  key: string
  value: string
  revision: number
}

class SqliteStore implements StateStore {
  readonly #database: DatabaseSync
  readonly #lock: FolderLock | undefined
  readonly #get: StatementSync
  readonly #list: StatementSync
  readonly #count: StatementSync
  #writes: Writes | undefined

  constructor(database: DatabaseSync, lock: FolderLock | undefined) {
    this.#database = database
    this.#lock = lock
    this.#get = database.prepare('SELECT key, value, revision FROM record WHERE kind=? AND key=?')
    this.#list = database.prepare(
      'SELECT key, value, revision FROM record WHERE kind=? AND key>? AND key>=? AND key<? ORDER BY key LIMIT ?',
    )
    this.#count = database.prepare(
      'SELECT count(*) AS count FROM record WHERE kind=? AND key>=? AND key<?',
    )
  }

  async get<T extends Json>(kind: Kind<T>, key: string): Promise<StateRecord<T> | undefined> {
    const row = this.#get.get(kind.name, key) as unknown as Row | undefined
    return row && recordOf<T>(row)
  }

  async list<T extends Json>(
    kind: Kind<T>,
    { prefix = '', after = '', limit = 1000 }: ListOptions = {},
  ): Promise<StateRecord<T>[]> {
    const rows = this.#list.all(kind.name, after, prefix, endOf(prefix), limit)
    return (rows as unknown as Row[]).map((row) => recordOf<T>(row))
  }

  async *each<T extends Json>(
    kind: Kind<T>,
    options: { prefix?: string } = {},
  ): AsyncIterable<StateRecord<T>> {
    let after = ''
    for (;;) {
      const page = await this.list(kind, { ...options, after })
      yield* page
      if (page.length === 0) return
      after = page.at(-1)!.key
    }
  }

  async count(kind: Kind<Json>, { prefix = '' }: { prefix?: string } = {}): Promise<number> {
    const row = this.#count.get(kind.name, prefix, endOf(prefix)) as { count: number }
    return row.count
  }

  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    this.#writes ??= prepareWrites(this.#database)
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      for (const change of changes) applyChange(this.#writes, change)
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      if (error instanceof MigrationError) throw error
      throw new MigrationError('MA_STATE', `the state could not be written: ${text(error)}`, {
        cause: error,
      })
    }
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
    this.#lock?.release()
  }
}

interface Writes {
  revision: StatementSync
  next: StatementSync
  put: StatementSync
  remove: StatementSync
}

function prepareWrites(database: DatabaseSync): Writes {
  return {
    revision: database.prepare('SELECT revision FROM record WHERE kind=? AND key=?'),
    next: database.prepare('UPDATE sequence SET revision=revision+1 RETURNING revision'),
    put: database.prepare(
      'INSERT INTO record (kind, key, value, revision) VALUES (?,?,?,?) ' +
        'ON CONFLICT (kind, key) DO UPDATE SET value=excluded.value, revision=excluded.revision',
    ),
    remove: database.prepare('DELETE FROM record WHERE kind=? AND key=?'),
  }
}

function applyChange(writes: Writes, change: Change): void {
  if (change.revision !== undefined) expectRevision(writes, change, change.revision)
  if (change.op === 'delete') {
    writes.remove.run(change.kind.name, change.key)
    return
  }
  const { revision } = writes.next.get() as { revision: number }
  writes.put.run(change.kind.name, change.key, JSON.stringify(change.value), revision)
}

function expectRevision(writes: Writes, change: Change, expected: number): void {
  const row = writes.revision.get(change.kind.name, change.key) as { revision: number } | undefined
  const found = row?.revision ?? 0
  if (found === expected) return
  throw new MigrationError(
    'MA_STATE',
    `the record ${change.kind.name} ${change.key} was changed meanwhile: ` +
      `expected revision ${expected}, found ${found}. Read it again, then decide again.`,
    { details: { conflict: true, kind: change.kind.name, key: change.key, expected, found } },
  )
}

function recordOf<T extends Json>(row: Row): StateRecord<T> {
  return { key: row.key, value: JSON.parse(row.value) as T, revision: row.revision }
}

/** Above every key that begins with the prefix: U+10FFFF sorts last in UTF-8 too. */
function endOf(prefix: string): string {
  return prefix + '\u{10ffff}'
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
