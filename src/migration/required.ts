import { MigrationError } from '../base/errors.ts'
import { optionTable } from './option-table.ts'

/** A value of the configuration that a step cannot do without; throws MA_CONFIG that says how to give it. */
export function required<T>(value: T | undefined, path: string): T {
  if (value !== undefined) return value
  const row = optionTable().find((one) => one.path.join('.') === path)
  throw new MigrationError(
    'MA_CONFIG',
    `${path} is missing\nGive it with --${row?.flag ?? path}, or in migration.yaml (osmigrate init writes one).`,
    { details: { path } },
  )
}
