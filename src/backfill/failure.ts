import { MigrationError, unreadableCodes, type ErrorCode } from '../base/errors.ts'

/** Something that kept a part from being carried over; the other parts were finished. */
export interface Failure {
  index: string
  /** null: the index as a whole. */
  shard: number | null
  error: MigrationError
}

/** How far an error reaches: a shard that cannot be read, an index that cannot be written, or the whole run. */
export function reachOf(error: unknown): 'shard' | 'index' | 'run' {
  if (!(error instanceof MigrationError)) return 'run'
  if (shardCodes.has(error.code)) return 'shard'
  return indexCodes.has(error.code) ? 'index' : 'run'
}

const shardCodes: ReadonlySet<ErrorCode> = new Set(unreadableCodes)

const indexCodes: ReadonlySet<ErrorCode> = new Set([
  'MA_TARGET_INDEX',
  'MA_TOO_MANY_DEAD_LETTERS',
  'MA_TRANSFORM',
])

/** One failure as it is, several as a list, under the code of the first. */
export function failureOf(failures: readonly Failure[]): MigrationError {
  const lines = failures.map(({ index, shard, error }) => {
    const what = shard === null ? `index ${index}` : `index ${index}, shard ${shard}`
    return `${what}: ${error.message}`
  })
  const first = failures[0]!.error
  const message =
    lines.length === 1
      ? `${lines[0]} (everything else is written; run the backfill again to go on with it)`
      : `${lines.length} parts failed, everything else is written:\n  ${lines.join('\n  ')}\n` +
        'Run the backfill again to go on with them.'
  return new MigrationError(first.code, message, {
    cause: first,
    details: {
      ...first.details,
      failures: failures.map(({ index, shard, error }) => {
        return { index, shard, code: error.code, message: error.message }
      }),
    },
  })
}

/** As the state keeps it. */
export function errorRecord(error: unknown): { code: string; message: string } {
  const code = error instanceof MigrationError ? error.code : 'internal'
  return { code, message: error instanceof Error ? error.message : 'unknown error' }
}

/** Index by index what must be mended. */
export function tooManyDeadLetters(index: string, count: number, max: number): MigrationError {
  return new MigrationError(
    'MA_TOO_MANY_DEAD_LETTERS',
    `index ${index} was stopped: the target refused ${count} of its documents, more than deadLettersMax (${max}). ` +
      `Look at their causes (osmigrate deadletters list --index ${index}); mend the target index, or raise ` +
      '--dead-letters-max; then run the backfill again.',
    { details: { index, deadLetters: count, max } },
  )
}
