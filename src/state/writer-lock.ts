import { MigrationError } from '../base/errors.ts'
import { lastHolder, takeFolderLock, type FolderLock } from '../base/folder-lock.ts'

/** Takes the lock of the one process that works on a migration, or throws MA_LOCKED that names the process that has it. */
export function takeWriterLock(folder: string): FolderLock {
  const lock = takeFolderLock(folder)
  if (lock !== undefined) return lock
  const writer = lastHolder(folder)
  throw new MigrationError(
    'MA_LOCKED',
    `another process works on the migration in ${folder}` +
      (writer ? `: pid ${writer.pid}, since ${writer.since}` : '') +
      '. Wait until it ends, or stop it (osmigrate backfill stop).',
    { details: { folder, ...writer }, retryable: true },
  )
}
