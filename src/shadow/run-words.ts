import { MigrationError } from '../base/errors.ts'
import type { ShadowOptions } from './options.ts'

/** How it was replayed, for verdicts and reports. */
export function methodText({ speed, rate, writes }: ShadowOptions): string {
  const what = writes ? 'reads and writes' : 'reads'
  const pace =
    rate !== undefined
      ? `${rate} a second`
      : speed === 'max'
        ? 'as fast as the target answers'
        : `at ${speed} times the recorded speed`
  return `recorded ${what} sent to the target ${pace}, in order per connection`
}

export function stopped(): MigrationError {
  return new MigrationError('MA_STOPPED', 'the replay is stopped; shadow start goes on from there')
}

export function isStopError(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError'
  return isAbort || (error instanceof MigrationError && error.code === 'MA_STOPPED')
}

export function errorRecord(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  return { code: error instanceof MigrationError ? error.code : 'MA_BUG', message }
}
