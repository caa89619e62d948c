import { MigrationError, type BytesFinding } from '../base/errors.ts'
import { lastHolder } from '../base/folder-lock.ts'
import { contentBytesMax } from './record-layout.ts'

/** Bytes of a capture log that are not what was written. */
export function damaged(finding: BytesFinding, cause?: unknown): MigrationError {
  const { file, offset, expected, found } = finding
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the capture log is damaged: ${file} at byte ${offset}: expected ${expected}, found ${found}`,
    { cause, details: { ...finding } },
  )
}

export function fullError(folder: string, bytesMax: number): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the capture log in ${folder} is full: it holds all of its ${bytesMax} bytes (capture.log.bytesMax). It takes more ` +
      'when sync has released what it read; start sync, or allow more bytes.',
    { details: { folder, bytesMax, cause: 'full' }, retryable: true },
  )
}

export function slowError(folder: string, waitingBytesMax: number): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the disk of the capture log in ${folder} is too slow: ${waitingBytesMax} bytes wait to be written`,
    { details: { folder, waitingBytesMax, cause: 'slow' }, retryable: true },
  )
}

export function failedError(folder: string, error: unknown): MigrationError {
  const reason = error instanceof Error ? error.message : String(error)
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the capture log in ${folder} cannot be written: ${reason}. It is tried again by itself.`,
    { cause: error, details: { folder, cause: 'failed' }, retryable: true },
  )
}

export function stuckError(folder: string, error: unknown): MigrationError {
  if (error instanceof MigrationError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `what was released of the capture log in ${folder} cannot be removed: ${reason}`,
    { cause: error, details: { folder }, retryable: true },
  )
}

export function tooLargeError(bytes: number): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `a record with a body of ${bytes} bytes is more than a capture log takes (${contentBytesMax} bytes)`,
    { details: { bytes, cause: 'too large' } },
  )
}

export function closedError(folder: string): MigrationError {
  return new MigrationError('MA_CAPTURE_LOG', `the capture log in ${folder} was closed`, {
    details: { folder, cause: 'closed' },
  })
}

export function lockedError(folder: string): MigrationError {
  const holder = lastHolder(folder)
  return new MigrationError(
    'MA_LOCKED',
    `another process writes to the capture log in ${folder}` +
      (holder ? `: pid ${holder.pid}, since ${holder.since}` : '') +
      '. Each proxy needs a name of its own.',
    { details: { folder, ...holder }, retryable: true },
  )
}

export function unusableError(folder: string, error: unknown): MigrationError {
  const reason = error instanceof Error ? error.message : String(error)
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the capture log in ${folder} cannot be opened: ${reason}. Its folder must be one that osmigrate may write to.`,
    { cause: error, details: { folder, cause: 'unusable' } },
  )
}
