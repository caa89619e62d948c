import { z } from 'zod'
import { duration, option } from '../../base/option-types.ts'

/** The section `compare.searches` of migration.yaml. */
export const searchesOptions = z.strictObject({
  requestsMax: option(z.int().min(1).max(100_000).default(1000), {
    description: 'Requests that are compared at most; of more of them so many by chance.',
    flag: 'requests-max',
    placeholder: 'NUMBER',
  }),
  atOnce: option(z.int().min(1).max(64).default(4), {
    description: 'Requests that are compared at once; each is up to two searches on the source.',
    flag: 'at-once',
    placeholder: 'NUMBER',
  }),
  requestsPerSecond: option(z.number().min(0.1).max(10_000).default(20), {
    description:
      'Requests that are begun in a second at most; each is two searches on the source and one on the target.',
    flag: 'requests-per-second',
    placeholder: 'NUMBER',
  }),
  timeout: option(duration({ minMs: 100, maxMs: 600_000 }).default(30_000), {
    description: 'How long one answer is waited for. Default: 30s.',
    flag: 'search-timeout',
    placeholder: 'TIME',
  }),
})

export type SearchesOptions = z.output<typeof searchesOptions>
