import { z } from 'zod'
import { duration, option } from '../../base/option-types.ts'

/** The section `compare.performance` of migration.yaml. */
export const performanceOptions = z.strictObject({
  connections: option(z.int().min(1).max(64).default(4), {
    description:
      'Requests under way at once where their number is constant, on one side at a time.',
    flag: 'load-connections',
    placeholder: 'NUMBER',
  }),
  rate: option(z.number().min(0.1).max(20_000).optional(), {
    description:
      'Requests a second where their rate is constant, on one side at a time. Default: half of what the slower side has managed with a constant number of requests under way.',
    flag: 'load-rate',
    placeholder: 'NUMBER',
  }),
  rounds: option(z.int().min(5).max(250).default(30), {
    description:
      'Rounds of each kind of load. In a round each side has one turn, in random order; intervals come from the spread between rounds.',
    flag: 'rounds',
    placeholder: 'NUMBER',
  }),
  turn: option(duration({ minMs: 50, maxMs: 60_000 }).default(2000), {
    description: 'How long a turn of one side aims to be. Default: 2s.',
    flag: 'turn',
    placeholder: 'TIME',
  }),
  warmUp: option(duration({ maxMs: 600_000 }).default(10_000), {
    description: 'Load on each side before anything is measured. Default: 10s.',
    flag: 'warm-up',
    placeholder: 'TIME',
  }),
  timeMax: option(duration({ minMs: 1000 }).default(1_800_000), {
    description: 'After this time the load ends, whatever is left. Default: 30m.',
    flag: 'time-max',
    placeholder: 'TIME',
  }),
  requestsMax: option(z.int().min(100).max(100_000_000).default(500_000), {
    description: 'After this many requests to a side the load ends, whatever is left.',
    flag: 'load-requests-max',
    placeholder: 'NUMBER',
  }),
  requestTimeout: option(duration({ minMs: 100, maxMs: 600_000 }).default(30_000), {
    description:
      'A request without an answer by then is an error, and counts as slow as that. Default: 30s.',
    flag: 'request-timeout',
    placeholder: 'TIME',
  }),
  ratioMax: option(z.number().min(1.01).max(100).default(1.1), {
    description:
      'Ratio of latencies (or rates) up to which both sides are the same: 1.1 is ten percent.',
    flag: 'ratio-max',
    placeholder: 'NUMBER',
  }),
  ignoreBelow: option(duration({ maxMs: 60_000 }).default(1), {
    description: 'Latencies that are less than this apart are the same. Default: 1ms.',
    flag: 'ignore-below',
    placeholder: 'TIME',
  }),
  shapesMax: option(z.int().min(1).max(200).default(50), {
    description: 'Shapes of requests that take part: the most frequent ones.',
    flag: 'shapes-max',
    placeholder: 'NUMBER',
  }),
  saturation: option(z.enum(['none', 'target', 'both']).default('none'), {
    description:
      'Sides whose highest rate is looked for, in steps until p99 or errors break. It overloads them for a moment.',
    flag: 'saturation',
    placeholder: 'SIDES',
  }),
  sourceBrake: z
    .strictObject({
      p99: option(duration({ minMs: 1 }).default(2000), {
        description:
          'The load ends when more than one percent of the latest answers of the source take longer. Default: 2s.',
        flag: 'source-brake-p99',
        placeholder: 'TIME',
      }),
      errorRate: option(z.number().min(0).max(1).default(0.05), {
        description:
          'The load ends when a larger share of the latest answers of the source are errors.',
        flag: 'source-brake-errors',
        placeholder: 'SHARE',
      }),
    })
    .prefault({}),
})

export type PerformanceOptions = z.output<typeof performanceOptions>
