import { z } from 'zod'
import { option } from '../base/option-types.ts'
import { matcher } from '../base/select.ts'
import { renameFault } from './rename.ts'

const numbersByPattern = (limits: { min: number; max: number }) =>
  z.record(z.string().min(1), z.int().min(limits.min).max(limits.max))

const bothNeeded = 'a rule needs both, a pattern of names and the new name'

/** Gives indices whose whole name `from` (a regular expression) fits the name `to`, with `$1` … for its groups. */
const renameRule = z
  .strictObject({ from: z.string().min(1, bothNeeded), to: z.string().min(1, bothNeeded) })
  .superRefine((rule, context) => {
    const fault = renameFault(rule)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })

export interface RenameRule {
  readonly from: string
  readonly to: string
}

/** How metadata is carried over: the section `metadata` of migration.yaml. */
export const metadataOptions = z.strictObject({
  from: option(z.enum(['snapshot', 'source']).optional(), {
    description:
      'Where the metadata is read: in the snapshot, or in the source itself. Default: the snapshot where snapshot.repository is given, else the source.',
    flag: 'from',
    placeholder: 'WHERE',
  }),
  replicas: option(numbersByPattern({ min: 0, max: 100 }).default({}), {
    description:
      'Replicas on the target by index pattern, the first that fits; everything else as on the source.',
    flag: 'replicas',
    placeholder: 'PATTERN=NUMBER',
  }),
  shards: option(numbersByPattern({ min: 1, max: 1024 }).default({}), {
    description:
      'Primary shards on the target by index pattern, the first that fits; refused for an index that holds routed documents.',
    flag: 'shards',
    placeholder: 'PATTERN=NUMBER',
  }),
  rename: option(z.array(renameRule).default([]), {
    description:
      'Other names for indices on the target, the first rule that fits: `from` is a regular expression for the whole name, `to` may hold $1 … for its groups. Aliases and data streams keep their names.',
    flag: 'rename',
    placeholder: 'FROM=TO',
  }),
  templates: option(z.boolean().default(true), {
    description:
      'Whether index templates, component templates and legacy templates are carried over (default: they are).',
    flag: 'templates',
  }),
  pipelines: option(z.boolean().default(true), {
    description:
      'Whether ingest pipelines, search pipelines and stored scripts are carried over (default: they are).',
    flag: 'pipelines',
  }),
  dataStreams: option(z.enum(['stream', 'alias', 'refuse']).default('stream'), {
    description:
      'What becomes of a data stream: a data stream with as many indices (stream), an alias with a plain index for each of its indices (alias), or nothing, and it is named in the plan (refuse).',
    flag: 'data-streams',
    placeholder: 'HOW',
  }),
  types: option(z.enum(['union', 'keep', 'split', 'refuse']).default('union'), {
    description:
      'What becomes of an index with several mapping types (Elasticsearch before 6): one index with the fields of all (union; refused where two types have one id), the same with the type of each document in a field and in its id (keep), an index for each type, INDEX-TYPE (split), or nothing (refuse).',
    flag: 'types',
    placeholder: 'HOW',
  }),
  typeField: option(
    z
      .string()
      .regex(/^[^._][^.]*$/)
      .default('doc_type'),
    {
      description: 'The field that `types: keep` writes the mapping type of each document into.',
      flag: 'type-field',
      placeholder: 'FIELD',
    },
  ),
  stringKeyword: option(z.boolean().default(false), {
    description:
      'Add a sub-field `keyword` to each analysed `string` (Elasticsearch before 6), as newer engines do of themselves.',
    flag: 'string-keyword',
  }),
  flattened: option(z.enum(['refuse', 'object', 'unsearchable']).default('refuse'), {
    description:
      'What becomes of `flattened` where the target has no flat_object (OpenSearch before 2.7): the index is refused, or the field becomes an object whose keys are mapped as they come, or one that is kept and not searched.',
    flag: 'flattened',
    placeholder: 'HOW',
  }),
  adopt: option(z.boolean().default(false), {
    description:
      'Take over an index that exists on the target already, when its mapping and settings are the wanted ones.',
    flag: 'adopt',
  }),
})

/** The completed options. */
export type MetadataOptions = z.output<typeof metadataOptions>

/** The number of the first pattern in the order written that fits the name. */
export function numberFor(
  name: string,
  byPattern: { readonly [pattern: string]: number },
): number | undefined {
  return Object.entries(byPattern).find(([pattern]) => matcher([pattern])(name))?.[1]
}
