import type { RawHeaders } from './exchange.ts'

/**
 * What is kept of heads. Headers by a list of names, so that a credential under a name that nobody thought of is not
 * kept either; of the query only values whose names say that they are secrets are taken out.
 */
const requestHeaders: ReadonlySet<string> = new Set([
  'accept',
  'content-encoding',
  'content-type',
  'elastic-api-version',
  'traceparent',
  'user-agent',
  'x-elastic-client-meta',
  'x-opaque-id',
])

const responseHeaders: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-type',
  'location',
  'retry-after',
  'warning',
  'x-elastic-product',
  'x-opaque-id',
])

export function keptRequestHeaders(headers: RawHeaders): RawHeaders {
  return keptHeaders(headers, requestHeaders)
}

export function keptResponseHeaders(headers: RawHeaders): RawHeaders {
  return keptHeaders(headers, responseHeaders)
}

function keptHeaders(headers: RawHeaders, names: ReadonlySet<string>): RawHeaders {
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!)
  }
  return kept
}

/** The value of a header, by its name in small letters. */
export function headerValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.length === name.length && headers[i]!.toLowerCase() === name) {
      return headers[i + 1]
    }
  }
  return undefined
}

const secretNames = /(password|passwd|secret|token|signature|credential|authorization|api_?key)/i
const withoutValue = '***'

/** The target without the values of parameters like `X-Amz-Signature` or `token`, and without user and password. */
export function keptTarget(target: string): string {
  const path = target.replace(/^(https?:\/\/)[^/?]*@/i, '$1')
  const mark = path.indexOf('?')
  if (mark < 0 || !secretNames.test(path.slice(mark))) return path
  const query = path.slice(mark + 1).split('&')
  const kept = query.map((pair) => {
    const equals = pair.indexOf('=')
    const isSecret = equals >= 0 && secretNames.test(pair.slice(0, equals))
    return isSecret ? `${pair.slice(0, equals)}=${withoutValue}` : pair
  })
  return `${path.slice(0, mark)}?${kept.join('&')}`
}
