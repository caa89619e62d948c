import { z } from 'zod'
import type { OptionMeta } from '../base/option-types.ts'
import { configSchema } from './config-schema.ts'

/** How a flag's text becomes the value that migration.yaml would hold; `pairs` is a list of { from, to }. */
export type OptionKind = 'text' | 'number' | 'boolean' | 'list' | 'map' | 'pairs'

/** One line of the table: an option with its place in migration.yaml and its flag. */
export interface OptionRow extends OptionMeta {
  /** e.g. ['source', 'url']. */
  path: string[]
  kind: OptionKind
  /** What it takes, for the reference: `touched | full`, `size`, `true | false`. */
  takes: string
  /** undefined: none. */
  default: unknown
}

/** All options of the configuration in the order of the schema. */
export function optionTable(): OptionRow[] {
  return rowsOf(configSchema, [])
}

function rowsOf(schema: z.ZodObject, path: string[]): OptionRow[] {
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const field = value as z.ZodType
    const inner = unwrap(field)
    if (inner instanceof z.ZodObject) return rowsOf(inner, [...path, key])
    const meta = field.meta() as OptionMeta | undefined
    if (meta === undefined) return []
    return [
      {
        ...meta,
        path: [...path, key],
        kind: kindOf(inner),
        takes: takes(inner, meta),
        default: defaultOf(field),
      },
    ]
  })
}

/** The schema inside optional, default, prefault, pipe. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in as z.ZodType) : schema
}

function kindOf(schema: z.ZodType): OptionKind {
  if (schema instanceof z.ZodBoolean) return 'boolean'
  if (schema instanceof z.ZodNumber) return 'number'
  if (schema instanceof z.ZodRecord) return 'map'
  if (schema instanceof z.ZodArray) return schema.element instanceof z.ZodObject ? 'pairs' : 'list'
  if (schema instanceof z.ZodUnion && schema.options.some((one) => one instanceof z.ZodArray)) {
    return 'list'
  }
  return 'text'
}

function takes(schema: z.ZodType, meta: OptionMeta): string {
  if (schema instanceof z.ZodEnum) return schema.options.join(' or ')
  if (meta.secret) return 'env:NAME or file:PATH'
  switch (kindOf(schema)) {
    case 'boolean':
      return 'true or false'
    case 'number':
      return 'number'
    case 'map':
      return 'pattern: value'
    case 'pairs':
      return 'a list of { from, to }'
    case 'list':
      return schema instanceof z.ZodArray
        ? `a list of ${meta.placeholder ?? 'texts'}`
        : `${meta.placeholder ?? 'text'} or a list`
    case 'text':
      return meta.placeholder ?? 'text'
  }
}

function defaultOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return schema.def.defaultValue
  }
  return undefined
}
