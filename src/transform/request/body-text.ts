import type { Json } from '../../base/json.ts'

/** Of the language since ES2025-to-be; Node.js 24 has it, TypeScript's library does not know it. */
const exactJson = JSON as unknown as {
  rawJSON(text: string): Json
  parse(text: string, reviver: (key: string, value: Json, context: Context) => Json): Json
}
interface Context {
  readonly source?: string
}

/**
 * The JSON of a request; numbers that JavaScript would write otherwise (1.0, 9007199254740993) stay as they were written.
 * Undefined for what is no JSON: the engines say what is wrong with it.
 */
export function parseBody(text: string): Json | undefined {
  try {
    return exactJson.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && String(value) !== source ? exactJson.rawJSON(source!) : value,
    )
  } catch {
    return undefined
  }
}

/** The lines of an NDJSON body, each as JSON; empty lines are `{}`. Undefined where one is no JSON. */
export function parseLines(text: string): Json[] | undefined {
  const lines = text.replace(/\r?\n$/, '').split('\n')
  const values: Json[] = []
  for (const line of lines) {
    const value = line.trim() === '' ? {} : parseBody(line)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

export function printLines(values: readonly Json[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}
