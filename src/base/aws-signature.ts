import { createHmac, hash } from 'node:crypto'

/**
 * Signature Version 4, by which requests to services of AWS are signed: what object storage, Kafka and clusters have in
 * common. Which headers, path and query stand in it, and how they are written, is the affair of the service.
 *
 *   request   = method LF path LF query LF (name ":" value LF)* LF names LF bodyHash   ; names in order, joined by ";"
 *   text      = "AWS4-HMAC-SHA256" LF time LF scope LF sha256(request)
 *   scope     = day "/" region "/" service "/aws4_request"
 *   key       = hmac(hmac(hmac(hmac("AWS4" secret, day), region), service), "aws4_request")
 *   signature = hex(hmac(key, text))
 *
 * Specified in the AWS IAM User Guide, "Create a signed AWS API request".
 */
export interface AwsIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A request in the canonical form of its service. */
export interface CanonicalRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  /** Names in small letters, in their order. */
  readonly headers: { readonly [name: string]: string }
  /** Hex of SHA-256. */
  readonly bodyHash: string
}

export interface AwsScope {
  readonly region: string
  readonly service: string
  readonly at: Date
}

/** SHA-256 of no bytes: the hash of a request without a body. */
export const emptyHash = sha256('')

export function sha256(bytes: string | Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}

/** `20260301T123456Z`. */
export function amzTime(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
}

/** What stands behind the key's name in a credential: `20260301/eu-west-1/es/aws4_request`. */
export function scopeText({ region, service, at }: AwsScope): string {
  return `${amzTime(at).slice(0, 8)}/${region}/${service}/aws4_request`
}

export function signedNames({ headers }: Pick<CanonicalRequest, 'headers'>): string {
  return Object.keys(headers).join(';')
}

/** The signature by itself, in hex. */
export function signatureOf(
  { secretAccessKey }: Pick<AwsIdentity, 'secretAccessKey'>,
  request: CanonicalRequest,
  scope: AwsScope,
): string {
  const { method, path, query, headers, bodyHash } = request
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`)
  const canonical = [method, path, query, ...lines, '', signedNames(request), bodyHash].join('\n')
  const text = ['AWS4-HMAC-SHA256', amzTime(scope.at), scopeText(scope), sha256(canonical)]
  return hmac(signingKey(secretAccessKey, scopeText(scope)), text.join('\n')).toString('hex')
}

/** The value of the header `authorization` of a signed request. */
export function authorizationOf(
  identity: AwsIdentity,
  request: CanonicalRequest,
  scope: AwsScope,
): string {
  const signature = signatureOf(identity, request, scope)
  return `AWS4-HMAC-SHA256 Credential=${identity.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedNames(request)}, Signature=${signature}`
}

let lastKey: { readonly secret: string; readonly scope: string; readonly key: Buffer } | undefined

/** A key is good for a day; most requests are signed with the one of the request before. */
function signingKey(secret: string, scope: string): Buffer {
  if (lastKey?.secret === secret && lastKey.scope === scope) return lastKey.key
  let key: Buffer | string = `AWS4${secret}`
  for (const part of scope.split('/')) key = hmac(key, part)
  lastKey = { secret, scope, key: key as Buffer }
  return lastKey.key
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
