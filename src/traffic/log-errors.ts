import { MigrationError, type BytesFinding } from '../base/errors.ts'

/** Bytes of a capture log that are not what was written. */
export function damaged(finding: BytesFinding, cause?: unknown): MigrationError {
  const { file, offset, expected, found } = finding
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `the capture log is damaged: ${file} at byte ${offset}: expected ${expected}, found ${found}`,
    { cause, details: { ...finding } },
  )
}
