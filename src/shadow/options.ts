import { z } from 'zod'
import { byteSize, duration, option } from '../base/option-types.ts'

/** The section `shadow` of migration.yaml. */

const kb = 1024
const mb = 1024 * kb
const speedError = 'expected a number such as 1 or 2.5, or max'
const prefixError =
  'expected small letters, digits, dashes and dots, a letter or digit first, such as shadow-'

const tupleOptions = z.strictObject({
  to: option(z.string().min(1).optional(), {
    description:
      'Where each request with both answers is written: a folder, s3://BUCKET/PREFIX, or off. Default: tuples in the state folder.',
    flag: 'tuples',
    placeholder: 'PLACE',
  }),
  fileBytesMax: option(byteSize({ min: 64 * kb, max: 4096 * mb }).prefault('256mb'), {
    description: 'Size of a file of them, packed, after which another is begun.',
    flag: 'tuple-file-bytes-max',
    placeholder: 'SIZE',
  }),
  fileTimeMax: option(duration({ minMs: 1000 }).default(600_000), {
    description: 'Time after which another file is begun. Default: 10m.',
    flag: 'tuple-file-time-max',
    placeholder: 'TIME',
  }),
  s3: z
    .strictObject({
      region: option(z.string().min(1).optional(), {
        description: 'Region of the bucket of tuples. Default: as for other AWS tools.',
        flag: 'tuples-s3-region',
        placeholder: 'REGION',
      }),
      endpoint: option(
        z
          .string()
          .regex(/^https?:\/\/[^\s/@]+/)
          .optional(),
        {
          description: 'Address of an S3 service for tuples other than the one of AWS.',
          flag: 'tuples-s3-endpoint',
          placeholder: 'URL',
        },
      ),
    })
    .optional(),
})

export const shadowOptions = z.strictObject({
  speed: option(
    z
      .preprocess(
        (value) => (typeof value === 'string' && value !== 'max' ? Number(value) : value),
        z.union([z.number().positive().max(1000), z.literal('max')], { error: speedError }),
      )
      .default(1),
    {
      description:
        'How fast time goes: 1 as recorded, 2 twice as fast, max as fast as the target answers.',
      flag: 'speed',
      placeholder: 'FACTOR|max',
    },
  ),
  rate: option(z.number().positive().max(1_000_000).optional(), {
    description:
      'Requests in a second, evenly, in the place of the times at which they were recorded.',
    flag: 'rate',
    placeholder: 'NUMBER',
  }),
  connections: option(z.int().min(1).max(4096).default(64), {
    description:
      'Requests under way at once. Those of one connection of a client go one after the other, always.',
    flag: 'connections',
    placeholder: 'NUMBER',
  }),
  memoryMax: option(byteSize({ min: mb }).prefault('64mb'), {
    description: 'Bytes of requests and answers that are read from the log ahead of their time.',
    flag: 'shadow-memory-max',
    placeholder: 'SIZE',
  }),
  attempts: option(z.int().min(1).max(100).default(1), {
    description:
      'How often a request is sent while the target does not answer, or with 429, 502, 503, 504.',
    flag: 'attempts',
    placeholder: 'NUMBER',
  }),
  writes: option(z.boolean().default(false), {
    description:
      'Replay writes as well. Needs indexPrefix, or a target that is declared as scratch; the target of a migration is refused.',
    flag: 'writes',
  }),
  indexPrefix: option(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,60}$/, { error: prefixError })
      .refine((prefix) => !prefix.startsWith('osmigrate'), { error: 'osmigrate is in use itself' })
      .optional(),
    {
      description:
        'Put before the name of every index and alias of a request, e.g. shadow-: writes go to indices of their own.',
      flag: 'index-prefix',
      placeholder: 'PREFIX',
    },
  ),
  scratchTarget: option(z.boolean().default(false), {
    description:
      'The target holds nothing that matters: writes may go to it under the names that they were recorded with.',
    flag: 'scratch-target',
  }),
  tuples: tupleOptions.prefault({}),
})

/** The completed options. */
export type ShadowOptions = z.output<typeof shadowOptions>
