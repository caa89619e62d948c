import { createHash, createHmac } from 'node:crypto'

export interface S3Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface SignedGet {
  /** Host, with the port where it is not the usual one. */
  readonly host: string
  /** As it stands in the request, encoded; without a query. */
  readonly path: string
  readonly region: string
  readonly at: Date
}

/** SHA-256 of no bytes, which is what a GET sends. */
const emptyHash = createHash('sha256').digest('hex')

/**
 * The headers that sign a GET of an object: Signature Version 4 over method, path, host and time.
 *
 *   request   = "GET" LF path LF (no query) LF (name ":" value LF)* LF names LF emptyHash
 *   text      = "AWS4-HMAC-SHA256" LF time LF scope LF sha256(request)
 *   scope     = day "/" region "/s3/aws4_request"
 *   signature = hmac(hmac(hmac(hmac(hmac("AWS4" secret, day), region), "s3"), "aws4_request"), text)
 *
 * Specified in the Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
 */
export function signedGetHeaders(
  identity: S3Identity,
  { host, path, region, at }: SignedGet,
): { [header: string]: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = identity
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  // In the order of their names, as they are signed.
  const headers = {
    host,
    'x-amz-content-sha256': emptyHash,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const names = Object.keys(headers).join(';')
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}`)
  const request = ['GET', path, '', ...lines, '', names, emptyHash].join('\n')
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const hash = createHash('sha256').update(request).digest('hex')
  const text = ['AWS4-HMAC-SHA256', time, scope, hash].join('\n')
  let key: Buffer | string = `AWS4${secretAccessKey}`
  for (const part of scope.split('/')) key = hmac(key, part)
  const signature = hmac(key, text).toString('hex')
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
