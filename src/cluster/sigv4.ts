import { awsIdentities } from '../base/aws-identity.ts'
import {
  amzTime,
  authorizationOf,
  emptyHash,
  sha256,
  type AwsIdentity,
} from '../base/aws-signature.ts'

/** How requests to a cluster of Amazon are signed; the credentials are found as other AWS tools find them. */
export interface SigV4Options {
  readonly region: string
  /** Default: `es`, Amazon OpenSearch Service; `aoss` is Amazon OpenSearch Serverless. */
  readonly service?: 'es' | 'aoss'
  readonly profile?: string
}

export interface UnsignedRequest {
  readonly method: string
  readonly url: URL
  /** As it is sent, compressed or not. */
  readonly body?: Uint8Array | undefined
}

/** What is to be sent: the address in the form that was signed, and what it is signed with. */
export interface SignedRequest {
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
}

export interface SignOptions {
  /** Looks the credentials up anew: those in use have expired before their time. */
  readonly again?: boolean
}

export type SignRequest = (
  request: UnsignedRequest,
  options?: SignOptions,
) => Promise<SignedRequest>

type FindIdentity = (options?: SignOptions) => Promise<AwsIdentity>

/**
 * Signs requests by Signature Version 4 over method, path, query, host, time and the hash of the body.
 *
 * The query is sent in the form that is signed, so that both ends read it alike. The path is sent as it is: it is signed
 * with each of its signs encoded once more, as all services but S3 want it.
 */
export function requestSigner(
  { region, service = 'es', profile }: SigV4Options,
  find: FindIdentity = awsIdentities({ purpose: `the cluster in ${region}`, profile }),
  now: () => Date = () => new Date(),
): SignRequest {
  return async ({ method, url, body }, options) => {
    const identity = await find(options)
    const { sessionToken } = identity
    const at = now()
    const bodyHash = body === undefined || body.length === 0 ? emptyHash : sha256(body)
    const sent = new URL(url)
    sent.search = encodedPairs(url.search).map(pairText).join('&')
    // In the order of their names, as they are signed.
    const headers = {
      host: sent.host,
      'x-amz-content-sha256': bodyHash,
      'x-amz-date': amzTime(at),
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    }
    const request = {
      ...{ method, headers, bodyHash },
      path: canonicalPath(sent.pathname),
      query: canonicalQuery(sent.search),
    }
    const authorization = authorizationOf(identity, request, { region, service, at })
    return { url: sent, headers: { ...headers, authorization } }
  }
}

/** Without `.`, `..` and empty segments, all but unreserved signs and slashes encoded. */
export function canonicalPath(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(encode(segment))
  }
  const end = kept.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${kept.join('/')}${end}`
}

/** The pairs in the order of their names, then of their values; each has an equals sign. */
export function canonicalQuery(search: string): string {
  const pairs = encodedPairs(search).map(({ name, value = '' }) => ({ name, value }))
  pairs.sort((a, b) => order(a.name, b.name) || order(a.value, b.value))
  return pairs.map(pairText).join('&')
}

interface Pair {
  readonly name: string
  readonly value?: string
}

function encodedPairs(search: string): Pair[] {
  const texts = search.replace(/^\?/, '').split('&')
  return texts
    .filter((text) => text !== '')
    .map((text) => {
      const [name, value] = halves(text)
      return { name: recoded(name), ...(value !== undefined && { value: recoded(value) }) }
    })
}

function halves(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function pairText({ name, value }: Pair): string {
  return value === undefined ? name : `${name}=${value}`
}

/** A plus sign is a blank in a query. What is no percent-encoding stays for the engine to refuse. */
function recoded(text: string): string {
  try {
    return encode(decodeURIComponent(text.replaceAll('+', ' ')))
  } catch {
    return encode(text)
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** Whether an answer says that the credentials are none any more: others may be there by now. */
export function isExpiredIdentity({ status, body }: { status: number; body: Buffer }): boolean {
  if (status !== 403 && status !== 401) return false
  const text = body.toString('utf8', 0, 4096)
  return /security token included in the request is (expired|invalid)|ExpiredToken/i.test(text)
}
