import { z } from 'zod'
import { matcher } from './select.ts'

/**
 * What the tables of options (each folder's options.ts, put together in migration/config-schema.ts) are made of.
 * From one entry come: the type, the check of migration.yaml, the flag, the JSON schema and docs/reference/config.md.
 */
export interface OptionMeta {
  /** One sentence, unit and default where they help. */
  description: string
  /** Name of the flag without dashes; absent for secrets and for what only makes sense in a file. */
  flag?: string
  /** What stands after the flag in `--help`, e.g. `URL`. */
  placeholder?: string
  /** A secret's reference: it has no flag, and messages never print what was written. */
  secret?: true
}

/** Gives an option its name and its sentence. Call it last: zod forgets what was noted on the schema before. */
export function option<T extends z.ZodType>(schema: T, meta: OptionMeta): T {
  return schema.meta({ ...meta })
}

const sizeUnits: { [unit: string]: number } = { '': 1, b: 1, kb: 1 << 10, mb: 1 << 20, gb: 1 << 30 }
const sizeError = 'expected a size such as 512kb, 10mb or a number of bytes'
const sizePattern = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i

/** A number of bytes: 1048576, "512kb", "10mb", "1.5gb" (1 kb = 1,024 bytes). */
export function byteSize(limits: { min?: number; max?: number } = {}) {
  return z
    .union([z.int().nonnegative(), z.string().regex(sizePattern, { error: sizeError })], {
      error: sizeError,
    })
    .transform(parseByteSize)
    .refine((bytes) => bytes >= (limits.min ?? 0) && bytes <= (limits.max ?? 2 ** 53), {
      error: `expected a size from ${limits.min ?? 0} to ${limits.max ?? 2 ** 53} bytes`,
    })
}

/** "10mb" → 10485760. The text must fit the pattern of byteSize(). */
export function parseByteSize(size: string | number): number {
  if (typeof size === 'number') return size
  const [, digits = '', unit = ''] = sizePattern.exec(size.trim()) ?? []
  return Math.floor(Number(digits) * (sizeUnits[unit.toLowerCase()] ?? 1))
}

const durationUnits: { [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const durationError = 'expected a time such as 500ms, 30s, 5m, 1h or a number of milliseconds'
const durationPattern = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/

/** A time in milliseconds: "500ms", "30s", "5m", "1h", or a number of milliseconds. */
export function duration(limits: { minMs?: number; maxMs?: number } = {}) {
  return z
    .union([z.int().nonnegative(), z.string().regex(durationPattern, { error: durationError })], {
      error: durationError,
    })
    .transform((value) => {
      if (typeof value === 'number') return value
      const [, digits = '', unit = 'ms'] = durationPattern.exec(value) ?? []
      return Math.round(Number(digits) * (durationUnits[unit] ?? 1))
    })
    .refine((ms) => ms >= (limits.minMs ?? 0) && ms <= (limits.maxMs ?? 2 ** 31 - 1), {
      error: `expected a time from ${limits.minMs ?? 0} to ${limits.maxMs ?? 2 ** 31 - 1} ms`,
    })
}

/** Where a secret is to be had. What was written is never repeated in a message: it may be the secret itself. */
export function secretReference() {
  return z.string({ error: secretError }).regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/s, {
    error: secretError,
  })
}
const secretError =
  'expected env:NAME or file:PATH; a secret itself may not stand here (put it into the environment or a file)'

/** The path of a PEM file, as `file:PATH`. */
export function pemFile() {
  return z
    .string({ error: 'expected file:PATH of a PEM file' })
    .regex(/^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*)$/s, { error: 'expected file:PATH of a PEM file' })
}

/** Name patterns: one, or a list. */
export function namePatterns() {
  return z
    .union([z.string().min(1), z.array(z.string().min(1))], {
      error: 'expected a name pattern such as logs-*, or a list of them',
    })
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .superRefine((patterns, context) => {
      for (const pattern of patterns) {
        try {
          matcher([pattern])
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message })
        }
      }
    })
}
