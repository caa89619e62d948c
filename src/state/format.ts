import { copyFileSync, existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { MigrationError } from '../base/errors.ts'

/** Step i brings a state of format i to format i + 1; format 0 is an empty file. A step is never changed once published. */
const formatSteps: readonly string[] = [
  `CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, revision INTEGER NOT NULL,
     PRIMARY KEY (kind, key)) WITHOUT ROWID;
   CREATE TABLE sequence (revision INTEGER NOT NULL);
   INSERT INTO sequence VALUES (0);`,
]

export interface FormatOptions {
  file: string
  /** False for readers: they take the file as it is or not at all. */
  mayWrite: boolean
  steps?: readonly string[]
}

/**
 * Brings the file to the present format. The format's number stands in the header of the SQLite file (`user_version`).
 * A newer one is refused (MA_STATE): this program does not know what it means. An older one is copied to
 * `<file>.format-N` first, then changed in one transaction.
 */
export function migrateFormat(database: DatabaseSync, options: FormatOptions): void {
  const { file, mayWrite, steps = formatSteps } = options
  const found = formatOf(database)
  if (found === steps.length) return
  const details = { file, expected: steps.length, found }
  if (found > steps.length) {
    throw new MigrationError(
      'MA_STATE',
      `${file} has state format ${found}, written by a newer osmigrate; this one knows formats up to ` +
        `${steps.length}. Use the newer program, or another folder.`,
      { details },
    )
  }
  if (!mayWrite) {
    throw new MigrationError(
      'MA_STATE',
      `${file} has state format ${found}, this osmigrate uses ${steps.length}. ` +
        `Start or go on with the migration once: it makes a backup and brings the file up to date.`,
      { details },
    )
  }
  if (found > 0) backup(database, `${file}.format-${found}`, file)
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(found)) database.exec(step)
    database.exec(`PRAGMA user_version=${steps.length}; COMMIT`)
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

function formatOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

/** A backup that is there already is the elder one and is kept: the attempt that made it did not end. */
function backup(database: DatabaseSync, copy: string, file: string): void {
  if (existsSync(copy)) return
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  copyFileSync(file, copy)
}
