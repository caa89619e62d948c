import { z } from 'zod'
import { byteSize, duration, option } from '../base/option-types.ts'
import type { ApplierOptions } from './applier-input.ts'

/** The section `sync` of migration.yaml. */

const mb = 1024 * 1024
const addressError = 'expected HOST:PORT such as 127.0.0.1:9202, or off'

export const syncOptions = z.strictObject({
  sourceReadsPerSecondMax: option(z.int().min(1).max(1_000_000).default(2000), {
    description:
      'Documents that are read from the source in a second at most: those whose request does not hold them (updates, scripts, pipelines), and those that the audit finds; when it compares ids a hundred of them count as one document.',
    flag: 'source-reads-max',
    placeholder: 'NUMBER',
  }),
  auditEvery: option(duration({ minMs: 1000 }).default(30_000), {
    description:
      'How often every number of every shard of the source is accounted for, and its indices, aliases, mappings and templates are brought to the target. Default: 30s.',
    flag: 'audit-every',
    placeholder: 'TIME',
  }),
  memoryMax: option(byteSize({ min: 8 * mb }).prefault('32mb'), {
    description:
      'Bytes of changes that are read from the log and not on the target yet; more are not read then.',
    flag: 'sync-memory-max',
    placeholder: 'SIZE',
  }),
  bulkBytesMax: option(byteSize({ min: 1024, max: 95 * mb }).prefault('4mb'), {
    description: 'Size of one bulk request; a document larger than this goes alone.',
    flag: 'sync-bulk-bytes-max',
    placeholder: 'SIZE',
  }),
  lanes: option(z.int().min(1).max(64).default(8), {
    description:
      'Ways by which changes go to the target, each with one bulk under way; all changes of a document go the same way. How many are used at once follows the answers of the target.',
    flag: 'lanes',
    placeholder: 'NUMBER',
  }),
  deadLettersMax: option(z.int().min(0).default(1000), {
    description:
      'Refused documents of one index after which nothing more is written to it: so many are a mistake in the mapping, not in the documents.',
    flag: 'sync-dead-letters-max',
    placeholder: 'NUMBER',
  }),
  gcDeletes: option(duration({ minMs: 60_000 }).default(900_000), {
    description:
      'How long the target remembers deletes (index.gc_deletes) while sync runs; put back at close, or by `settings restore --all`. Default: 15m.',
    flag: 'gc-deletes',
    placeholder: 'TIME',
  }),
  gcDeletesBytesMax: option(byteSize({ min: mb }).prefault('64mb'), {
    description:
      'Memory that remembered deletes may take on the target, at 145 bytes each: with more deletes in a second gcDeletes is lowered.',
    flag: 'gc-deletes-bytes-max',
    placeholder: 'SIZE',
  }),
  waitMax: option(duration({ minMs: 1000 }).default(600_000), {
    description:
      'How long an index of the target may be waited for before it is left to the audit; a cluster that is away for longer is asked anew from the last checkpoint. Default: 10m.',
    flag: 'sync-wait-max',
    placeholder: 'TIME',
  }),
  drainTimeout: option(duration().default(25_000), {
    description:
      'How long what was read may take to get to the target when sync is stopped; what is left is read again later. Default: 25s.',
    flag: 'sync-drain-timeout',
    placeholder: 'TIME',
  }),
  listen: option(
    z
      .string({ error: addressError })
      .regex(/^(off|(\[[0-9a-fA-F:.%]+\]|[^\s:[\]/@]+):\d{1,5})$/, { error: addressError })
      .default('127.0.0.1:9202'),
    {
      description:
        'Where sync tells of itself: /metrics for Prometheus, /health, /status as JSON; off for nowhere. No documents, and no token.',
      flag: 'sync-listen',
      placeholder: 'HOST:PORT',
    },
  ),
})

/** The completed options. */
export type SyncOptions = z.output<typeof syncOptions>

/** Of `memoryMax`: what is read and not looked at, and what is to be written; between them lies as much as the first. */
export function memoryShares({ memoryMax }: Pick<SyncOptions, 'memoryMax'>): {
  readonly feed: number
  readonly applier: number
} {
  return { feed: memoryMax / 8, applier: (memoryMax * 5) / 8 }
}

/** What of them is the applier's. */
export function applierOptions(options: SyncOptions): ApplierOptions {
  const { bulkBytesMax, lanes, waitMax } = options
  const memoryMax = memoryShares(options).applier
  return { memoryMax, bulkBytesMax, lanes, waitMaxMs: waitMax }
}
