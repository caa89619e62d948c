import http from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import type { ListObjectsV2CommandOutput, S3ClientConfig } from '@aws-sdk/client-s3'
import { resolveSecret } from '../base/secrets.ts'
import type { BlobStore } from './byte-source.ts'
import { createObjectStore, emptyBlob, entriesWithin, listingName } from './object-blobs.ts'
import {
  keyOf,
  keysWithin,
  parseObjectPlace,
  type ObjectForm,
  type ObjectPlace,
} from './object-place.ts'
import { rangeText, takeRange } from './range-answer.ts'
import { type ListPage, type RemoteBlobs, type RemoteStoreOptions } from './remote-store.ts'
import { isListingRefused, isOutsideRange, s3Error } from './s3-errors.ts'
import { bucketFormOf, getRange, type BucketForm, type SentRequest } from './s3-range.ts'

/** How a bucket is reached. Credentials come from the SDK's own chain only: environment, profile, role. */
export interface S3StoreOptions extends RemoteStoreOptions {
  readonly region?: string
  /** Address of another service than Amazon's. */
  readonly endpoint?: string
  /** The bucket stands in the path, not in the host name. Default: true with an endpoint. */
  readonly pathStyle?: boolean
}

const connectTimeoutMs = 10_000
/** Services that are not Amazon's have no regions; a signature needs one all the same. */
const regionOfOthers = 'us-east-1'

/** How an s3:// location is written. */
export const s3Form: ObjectForm = {
  scheme: 's3',
  names: [{ what: 'BUCKET', pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/ }],
  credentials: 'they come from the environment or a profile, as for other AWS tools',
}

/** The blobs below s3://BUCKET/PREFIX. The SDK is loaded and credentials are looked up at the first request. */
export function createS3Store(location: string, options: S3StoreOptions = {}): BlobStore {
  const place = parseObjectPlace(location, s3Form)
  return createObjectStore(location, place, (at) => openBucket(at, options), options.requests)
}

async function openBucket(place: ObjectPlace, options: S3StoreOptions): Promise<RemoteBlobs> {
  const { S3Client, GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  const agents = await openAgents(options)
  const client = new S3Client(clientConfig(options, agents))
  const [Bucket] = place.names
  const about = { where: place.where, endpoint: options.endpoint }
  let form: BucketForm | undefined
  return {
    async listPage(folder, mark, signal) {
      const within = keysWithin(place, folder)
      try {
        return pageOf(
          within,
          await client.send(
            new ListObjectsV2Command({
              Bucket,
              Delimiter: '/',
              ...(within !== '' && { Prefix: within }),
              ...(mark !== undefined && { ContinuationToken: mark }),
            }),
            { abortSignal: signal },
          ),
        )
      } catch (error) {
        if (isListingRefused(error)) return undefined
        throw s3Error(error, { ...about, blob: listingName(folder), signal })
      }
    },
    async readRange(range, signal) {
      try {
        const { path: blob, offset, into } = range
        const key = keyOf(place, blob)
        if (form !== undefined) {
          const { config } = client
          const found = await getRange(
            {
              ...{ blob, offset, into, key, form },
              identity: await config.credentials(),
              at: new Date(Date.now() + config.systemClockOffset),
              agent: form.origin.startsWith('https:') ? agents.httpsAgent : agents.httpAgent,
            },
            signal,
          )
          if (found !== undefined) return found
          // The SDK knows what refusals mean, and where to ask instead.
          form = undefined
        }
        const command = new GetObjectCommand({ Bucket, Key: key, Range: rangeText(range) })
        let sent: SentRequest | undefined
        command.middlewareStack.add(
          (next) => (args) => {
            sent = args.request as SentRequest
            return next(args)
          },
          { step: 'deserialize', name: 'noteRequest' },
        )
        const answer = await client.send(command, { abortSignal: signal })
        form ??= sent && bucketFormOf(sent, key)
        const { ContentRange: contentRange, ContentLength: contentLength, Body } = answer
        if (!(Body instanceof Readable)) throw new Error(`the answer for ${blob} has no body`)
        return await takeRange(
          { body: Body, contentRange, contentLength },
          { blob, offset, into },
          signal,
        )
      } catch (error) {
        if (isOutsideRange(error) && range.offset === 0) return emptyBlob
        throw s3Error(error, { ...about, blob: range.path, signal })
      }
    },
  }
}

export interface Agents {
  readonly httpAgent: http.Agent
  readonly httpsAgent: https.Agent
}

export async function openAgents({ ca }: S3StoreOptions): Promise<Agents> {
  // As many sockets as there are requests under way: remote-store.ts bounds those.
  const options = { keepAlive: true, maxSockets: Infinity }
  const trust = ca === undefined ? {} : { ca: await resolveSecret(ca, 'snapshot.tls.ca') }
  return {
    httpAgent: new http.Agent(options),
    httpsAgent: new https.Agent({ ...options, ...trust }),
  }
}

export function clientConfig(options: S3StoreOptions, agents: Agents): S3ClientConfig {
  const { endpoint, pathStyle = endpoint !== undefined } = options
  const region = options.region ?? (endpoint === undefined ? undefined : ownRegion())
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: pathStyle,
    // Requests are repeated in retry.ts, where answers that break off are seen too.
    maxAttempts: 1,
    // Blobs carry checksums of their own, and those of S3 cover whole objects, not ranges.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectTimeoutMs, ...agents },
  }
}

function ownRegion(): string {
  return process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || regionOfOthers
}

function pageOf(
  within: string,
  { Contents = [], NextContinuationToken: next }: ListObjectsV2CommandOutput,
): ListPage {
  const objects = Contents.map(({ Key: key = '', Size: byteLength = 0 }) => ({ key, byteLength }))
  return { entries: entriesWithin(within, objects), ...(next !== undefined && { next }) }
}
