import { z } from 'zod'
import { duration, namePatterns } from '../base/option-types.ts'

/** One step of `transform` in migration.yaml. */
const step = z.strictObject({
  module: z.string().min(1).meta({
    description:
      'A TypeScript or JavaScript module that exports mapping, document, documentBack or request.',
  }),
  index: namePatterns()
    .optional()
    .meta({ description: 'Source indices that it is for. Default: all.' }),
  options: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: 'Handed to the functions of the module as ctx.options.' }),
  allowDrop: z.boolean().default(false).meta({
    description: 'Documents that it drops were meant to be: the exit code does not tell of them.',
  }),
  deadline: duration({ minMs: 10, maxMs: 600_000 }).prefault('10s').meta({
    description:
      'How long it may take for one document; of several steps the longest time holds for all.',
  }),
})

/** A step, or the path of a module alone. */
const stepOrModule = z.union([
  z
    .string()
    .min(1)
    .transform((module) => step.parse({ module })),
  step,
])

/** The section `transform` of migration.yaml: a step, or a list of steps that run in this order. */
export const transformOptions = z
  .union([stepOrModule, z.array(stepOrModule)])
  .transform((steps) => (Array.isArray(steps) ? steps : [steps]))

export type TransformOptions = z.output<typeof transformOptions>
