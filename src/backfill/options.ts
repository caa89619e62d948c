import { z } from 'zod'
import { byteSize, duration, option } from '../base/option-types.ts'

const mb = 1024 * 1024

/** The section `backfill` of migration.yaml. */
export const backfillOptions = z.strictObject({
  share: option(
    z
      .string()
      .regex(/^\d{1,4}\/\d{1,4}$/, { error: 'expected NUMBER/OF, e.g. 2/5' })
      .optional(),
    {
      description:
        'The part that this host does, e.g. 2/5 on the second of five hosts. Each has a state of its own; the index is complete when all shares are done.',
      flag: 'share',
      placeholder: 'NUMBER/OF',
    },
  ),
  verify: option(z.enum(['touched', 'full']).default('touched'), {
    description:
      'How much of the snapshot is checked: what is read, or every byte of every file that is used, before documents of a shard are written. Long shards in object storage are then read twice.',
    flag: 'verify',
    placeholder: 'touched|full',
  }),
  bulkBytesMax: option(byteSize({ min: 1024, max: 95 * mb }).prefault('4mb'), {
    description:
      'Size of one bulk request. A document larger than this goes alone; the target itself refuses requests above its http.max_content_length (100mb).',
    flag: 'bulk-bytes-max',
    placeholder: 'SIZE',
  }),
  bulksInFlightMax: option(z.int().min(1).max(64).default(4), {
    description:
      'Bulk requests under way at once, per thread. The run begins with two and goes up while the target keeps pace, down when it does not.',
    flag: 'bulks-in-flight-max',
    placeholder: 'NUMBER',
  }),
  threads: option(z.int().min(1).max(16).default(1), {
    description:
      'Threads that read and send. One does everything in the main thread and is fast enough for most targets.',
    flag: 'threads',
    placeholder: 'NUMBER',
  }),
  itemBytesMax: option(byteSize({ min: 1024 }).prefault('256mb'), {
    description:
      'Stored bytes of one work item: larger segments are split, so that several threads can work on them.',
    flag: 'item-bytes-max',
    placeholder: 'SIZE',
  }),
  deadLettersMax: option(z.int().min(0).default(1000), {
    description:
      'Refused documents of one index after which that index is stopped: so many are a mistake in the mapping, not in the documents.',
    flag: 'dead-letters-max',
    placeholder: 'NUMBER',
  }),
  speedUpTarget: option(z.boolean().default(false), {
    description:
      'Switch refresh and replicas of the target indices off while they are filled, and put both back at the end (also after a kill).',
    flag: 'speed-up-target',
  }),
  gzip: option(z.boolean().default(false), {
    description: 'Compress bulk requests: for slow links only, it costs more than everything else.',
    flag: 'gzip',
  }),
  bulkWaitMax: option(duration({ minMs: 1000 }).prefault('15m'), {
    description:
      'How long one bulk may wait for a target that is overloaded or unreachable before the run fails.',
    flag: 'bulk-wait-max',
    placeholder: 'TIME',
  }),
  stopWaitMax: option(duration({ minMs: 0, maxMs: 300_000 }).prefault('10s'), {
    description:
      'When stopping: how long to wait for the answers of bulk requests under way. What is not answered by then is sent again when the run goes on.',
    flag: 'stop-wait-max',
    placeholder: 'TIME',
  }),
})

export type BackfillOptions = z.output<typeof backfillOptions>
