import { z } from 'zod'
import { duration, option } from '../../base/option-types.ts'

/** The section `gates.compare` of migration.yaml: what must be so before clients are moved. */
export const compareGateOptions = z.strictObject({
  documents: option(z.enum(['equal', 'any']).default('equal'), {
    description: 'equal: every document of every selected index must be equal. any: not looked at.',
    flag: 'gate-documents',
    placeholder: 'WHAT',
  }),
  metadata: option(z.enum(['equal', 'announced', 'any']).default('announced'), {
    description:
      'equal: nothing of the metadata may be lost. announced: what differs must have been announced by the plan. any: not looked at.',
    flag: 'gate-metadata',
    placeholder: 'WHAT',
  }),
  overlapAt10: option(z.number().min(0).max(1).optional(), {
    description:
      'Share of the first ten hits that both sides must have, on average over the searches that were compared: 0 to 1. Default: not looked at.',
    flag: 'gate-overlap-at-10',
    placeholder: 'SHARE',
  }),
  p99Ratio: option(z.number().positive().optional(), {
    description:
      'How many times as long as on the source the slowest hundredth of the searches may take on the target, e.g. 1.2. Default: not looked at.',
    flag: 'gate-p99-ratio',
    placeholder: 'RATIO',
  }),
  errorRateMax: option(z.number().min(0).max(1).optional(), {
    description:
      'Share of requests that the target may answer with an error, of those that were compared or measured: 0 to 1. Default: not looked at.',
    flag: 'gate-error-rate-max',
    placeholder: 'SHARE',
  }),
  freshFor: option(duration({ minMs: 60_000 }).default(24 * 3_600_000), {
    description: 'How old a verdict may be that a gate goes by. Default: 24h.',
    flag: 'gate-fresh-for',
    placeholder: 'TIME',
  }),
})

export type CompareGateOptions = z.output<typeof compareGateOptions>
