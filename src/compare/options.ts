import { z } from 'zod'
import { byteSize, option } from '../base/option-types.ts'

const mb = 1024 * 1024

/** The section `compare` of migration.yaml. */
export const compareOptions = z.strictObject({
  slices: option(z.int().min(1).max(64).default(2), {
    description: 'Shards of the target that are scanned at once.',
    flag: 'slices',
    placeholder: 'NUMBER',
  }),
  pageBytesMax: option(byteSize({ min: 64 * 1024, max: 64 * mb }).prefault('8mb'), {
    description:
      'Size that one page of a scan aims at. Judged by the documents of the source: a page holds at least one document.',
    flag: 'page-bytes-max',
    placeholder: 'SIZE',
  }),
  examplesMax: option(z.int().min(0).max(10_000).default(20), {
    description: 'Differing documents that a verdict names; the counts are exact all the same.',
    flag: 'examples-max',
    placeholder: 'NUMBER',
  }),
})

export type CompareOptions = z.output<typeof compareOptions>
