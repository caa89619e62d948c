import { z } from 'zod'
import { duration, namePatterns } from '../base/option-types.ts'
import { convertTypes } from './declared.ts'
import type { DeclaredAction } from './spec.ts'

const fieldError = 'expected a field such as user.name'
const fieldPath = z.string().regex(/^[^.]+(\.[^.]+)*$/, { error: fieldError })
const fieldPaths = z
  .union([fieldPath, z.array(fieldPath).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value))

/** What a step does: one of these. */
const actions = {
  module: z.string().min(1).optional().meta({
    description:
      'A TypeScript or JavaScript module that exports mapping, document, documentBack or request.',
  }),
  rename: z.record(fieldPath, fieldPath).optional().meta({
    description: 'Fields that get another name, { old: new }, in mappings, too. Has an inverse.',
  }),
  copy: z.record(fieldPath, fieldPath).optional().meta({
    description: 'Fields that are copied, { from: to }, in mappings, too. Has an inverse.',
  }),
  remove: fieldPaths.optional().meta({
    description: 'Fields that are left out, in mappings, too. Has no inverse.',
  }),
  set: z.record(fieldPath, z.json()).optional().meta({
    description: 'Fields that get this value, { field: value }. Has no inverse.',
  }),
  convert: z.record(fieldPath, z.enum(convertTypes)).optional().meta({
    description:
      'Fields that get another type, { field: long }, in mappings, too. What does not fit is a dead letter. Has no inverse.',
  }),
  keepType: z.strictObject({ field: fieldPath }).optional().meta({
    description:
      'Writes the mapping type of documents before Elasticsearch 6 into a field. Has an inverse.',
  }),
  splitTypes: z.literal(true).optional().meta({
    description:
      'An index for each mapping type (Elasticsearch before 6), INDEX-TYPE, as `metadata.types: split` makes of every index.',
  }),
  onlyTypes: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .optional()
    .meta({
      description:
        'Drops documents of other mapping types: to move each type by a migration of its own. Has an inverse.',
    }),
}

type ActionName = keyof typeof actions
const actionNames = Object.keys(actions) as ActionName[]

/** One step of `transform` in migration.yaml. */
const step = z
  .strictObject({
    ...actions,
    index: namePatterns()
      .optional()
      .meta({ description: 'Source indices that it is for. Default: all.' }),
    options: z
      .record(z.string(), z.json())
      .default({})
      .meta({ description: 'Handed to the functions of a module as ctx.options.' }),
    allowDrop: z.boolean().default(false).meta({
      description: 'Documents that it drops were meant to be: the exit code does not tell of them.',
    }),
    deadline: duration({ minMs: 10, maxMs: 600_000 }).prefault('10s').meta({
      description:
        'How long it may take for one document; of several steps the longest time holds for all.',
    }),
  })
  .refine((one) => actionNames.filter((name) => one[name] !== undefined).length === 1, {
    error: `expected one of ${actionNames.join(', ')} in each step`,
  })

export const transformStepKeys = Object.keys(step.shape)

const stepsError = 'expected a module, a step such as { rename: { old: new } }, or a list of them'

/** A step, or the path of a module alone. */
const stepOrModule = z.union(
  [
    z
      .string()
      .min(1)
      .transform((module) => step.parse({ module })),
    step,
  ],
  { error: stepsError },
)

/** The section `transform` of migration.yaml: a step, or a list of steps that run in this order. */
export const transformOptions = z
  .union([stepOrModule, z.array(stepOrModule)], { error: stepsError })
  .transform((steps) => (Array.isArray(steps) ? steps : [steps]))

export type TransformOptions = z.output<typeof transformOptions>

/** What a declared step does; undefined for a module. */
export function declaredAction(one: TransformOptions[number]): DeclaredAction | undefined {
  const kind = actionNames.find((name) => one[name] !== undefined)!
  if (kind === 'module') return undefined
  return { kind, [kind]: one[kind] } as unknown as DeclaredAction
}
