import type http from 'node:http'
import type { AwsIdentity } from '../base/aws-signature.ts'
import { get, takeAnswer } from './http-get.ts'
import { rangeText, type AskedRange } from './range-answer.ts'
import type { RangeRead } from './remote-store.ts'
import { signedGetHeaders } from './s3-signature.ts'

/**
 * Where the objects of a bucket are asked for. It is taken from a request that the SDK has sent, so that endpoint,
 * region, path style and what else leads there are its own; and requests in this form cost a fraction of the SDK's CPU,
 * which every stored field would pay for.
 */
export interface BucketForm {
  readonly origin: string
  /** What stands before the key: `/`, or `/BUCKET/`. */
  readonly base: string
  readonly region: string
}

/** A request as the SDK sends it. */
export interface SentRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly headers: { readonly [name: string]: string }
}

/** The form of a request for `key`; undefined where it is signed in another way than ours (S3 Express, SigV4a). */
export function bucketFormOf(sent: SentRequest, key: string): BucketForm | undefined {
  const { protocol, hostname, port, path, headers } = sent
  const scope = /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([^/,]+)\/s3\/aws4_request,/
  const region = scope.exec(headers['authorization'] ?? '')?.[1]
  const base = path.slice(0, path.length - encodeKey(key).length)
  if (region === undefined || path !== base + encodeKey(key)) return undefined
  return { origin: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`, base, region }
}

/** As S3 wants it: all but unreserved characters and slashes. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

export interface RangeRequest extends AskedRange {
  readonly key: string
  readonly form: BucketForm
  readonly identity: AwsIdentity
  readonly at: Date
  readonly agent: http.Agent
}

/** Asks for a range of an object; undefined: the answer is another than the range, and was thrown away. */
export async function getRange(
  { key, form, identity, at, agent, ...asked }: RangeRequest,
  signal: AbortSignal,
): Promise<RangeRead | undefined> {
  const url = new URL(form.origin)
  url.pathname = form.base + encodeKey(key)
  const signed = { host: url.host, path: url.pathname, region: form.region, at }
  const headers = { ...signedGetHeaders(identity, signed), range: rangeText(asked) }
  const answer = await get(url, { agent, headers, signal })
  if (answer.statusCode === 206) return takeAnswer(answer, asked, signal)
  answer.resume()
  return undefined
}
