import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import {
  currentHolder,
  lastHolder,
  takeFolderLock,
  type FolderLock,
  type LockHolder,
} from '../base/folder-lock.ts'

/** What a process does with the state of a migration; of each there is one process at most. */
export type WriterRole = 'write' | 'sync' | 'shadow'

const stopCommands: Record<WriterRole, string> = {
  write: 'osmigrate backfill stop',
  sync: 'osmigrate sync stop',
  shadow: 'osmigrate shadow stop',
}

const runsAlready: Record<WriterRole, string> = {
  write: 'another process works on the migration',
  sync: 'sync already runs for the migration',
  shadow: 'shadow already runs for the migration',
}

/** Takes the lock of the one process of a role, or throws MA_LOCKED that names the process that has it. */
export function takeWriterLock(folder: string, role: WriterRole): FolderLock {
  const place = lockFolder(folder, role)
  mkdirSync(place, { recursive: true, mode: 0o700 })
  const lock = takeFolderLock(place)
  if (lock !== undefined) return lock
  const writer = lastHolder(place)
  throw new MigrationError(
    'MA_LOCKED',
    `${runsAlready[role]} in ${folder}` +
      (writer ? `: pid ${writer.pid}, since ${writer.since}` : '') +
      `. Wait until it ends, or stop it (${stopCommands[role]}).`,
    { details: { folder, ...writer }, retryable: true },
  )
}

/** The process of a role that is at work; undefined when none is. */
export function currentWriter(folder: string, role: WriterRole): LockHolder | undefined {
  return currentHolder(lockFolder(folder, role))
}

/** Names the last process of a role, by a text that is another one for each process; undefined: one is at work. */
export function writerMark(folder: string, role: WriterRole): string | undefined {
  if (currentWriter(folder, role) !== undefined) return undefined
  const last = lastHolder(lockFolder(folder, role))
  return last === undefined ? 'none' : `${last.pid} ${last.since}`
}

function lockFolder(folder: string, role: WriterRole): string {
  return role === 'write' ? folder : join(folder, role)
}
