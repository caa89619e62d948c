import { MigrationError } from '../base/errors.ts'

export function stopped(): MigrationError {
  return new MigrationError(
    'MA_STOPPED',
    'the backfill was stopped; the same command goes on where it was',
  )
}
