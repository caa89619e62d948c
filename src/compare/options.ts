import { z } from 'zod'
import { byteSize, duration, option } from '../base/option-types.ts'
import { searchesOptions } from './searches/options.ts'
import { performanceOptions } from './performance/options.ts'

const mb = 1024 * 1024

/** The section `compare` of migration.yaml. */
export const compareOptions = z.strictObject({
  source: option(z.enum(['auto', 'live', 'snapshot']).default('auto'), {
    description:
      'Where documents of the source are read: the live cluster, or the snapshot. auto: the live cluster once capture or sync is in use, or where there is no snapshot; else the snapshot.',
    flag: 'source',
    placeholder: 'WHERE',
  }),
  slices: option(z.int().min(1).max(64).default(2), {
    description: 'Shards of each side that are scanned at once.',
    flag: 'slices',
    placeholder: 'NUMBER',
  }),
  pageBytesMax: option(byteSize({ min: 64 * 1024, max: 64 * mb }).prefault('8mb'), {
    description:
      'Size that one page of a scan aims at, judged by the documents that are there. A page holds 1 to 1,000 documents.',
    flag: 'page-bytes-max',
    placeholder: 'SIZE',
  }),
  sourceBytesPerSecondMax: option(byteSize({ min: 64 * 1024 }).optional(), {
    description:
      'Bytes that are read from the source in a second at most. Default: as fast as it goes.',
    flag: 'source-rate-max',
    placeholder: 'SIZE',
  }),
  targetBytesPerSecondMax: option(byteSize({ min: 64 * 1024 }).optional(), {
    description:
      'Bytes that are read from the target in a second at most. Default: as fast as it goes.',
    flag: 'target-rate-max',
    placeholder: 'SIZE',
  }),
  examplesMax: option(z.int().min(0).max(10_000).default(20), {
    description: 'Differing documents that a verdict names; the counts are exact all the same.',
    flag: 'examples-max',
    placeholder: 'NUMBER',
  }),
  differencesMax: option(z.int().min(0).max(100_000).default(10_000), {
    description:
      'Differing documents of an index that are kept for `compare show`, and written again by one round of --repair.',
    flag: 'differences-max',
    placeholder: 'NUMBER',
  }),
  settledWithin: option(duration({ minMs: 1000 }).default(300_000), {
    description:
      'While sync runs, how long what differs may wait to be looked at again until all that is under way has come. Default: 5m.',
    flag: 'settled-within',
    placeholder: 'TIME',
  }),
  freshFor: option(duration({ minMs: 60_000 }).default(24 * 3_600_000), {
    description:
      'How long a verdict counts; what was written since makes it stale at once. Default: 24h.',
    flag: 'fresh-for',
    placeholder: 'TIME',
  }),
  performance: performanceOptions.prefault({}),
  searches: searchesOptions.prefault({}),
})

export type CompareOptions = z.output<typeof compareOptions>
