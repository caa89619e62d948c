/** A reading request that both sides are asked. */
export interface SearchRequest {
  readonly method: string
  /** As a client would send it to the source, with the query string. */
  readonly path: string
  /** JSON, or NDJSON (msearch); absent: none. */
  readonly body?: string
  readonly origin: 'captured' | 'file' | 'generated'
  /** What a person calls it: the name in the file, or what was generated. */
  readonly name?: string
}

/** What one side answered. */
export interface SearchAnswer {
  /** 0: no whole answer came; `error` says why. */
  readonly status: number
  /** As parseAnswer() gives it; undefined: there is none, or it is no JSON. */
  readonly body: unknown
  /** From sending to the last byte, in milliseconds. */
  readonly ms: number
  /** Length of the body, unpacked. */
  readonly bytes: number
  readonly error?: string
}

const longNumber = /\d{16}/

/** What Node.js gives a reviver, and TypeScript does not know yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown

/**
 * The JSON of an answer; undefined where it is none. Whole numbers beyond 2^53 become bigint, so that sums and ids do not
 * meet by being rounded; fractions are doubles, which is what engines calculate with.
 */
export function parseAnswer(text: string): unknown {
  try {
    return longNumber.test(text) ? parseWith(text, exactInteger) : JSON.parse(text)
  } catch {
    return undefined
  }
}

function exactInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const { source } = context
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value
}
