import { MigrationError } from '../base/errors.ts'
import { networkError } from './network-errors.ts'

/** Where a repository on object storage is. */
export interface S3Place {
  readonly bucket: string
  /** Without slashes at its ends; '' is the whole bucket. */
  readonly prefix: string
  readonly endpoint?: string
}

/** What the SDK throws: a name by service or SDK, and what came with the answer. */
interface ServiceError {
  name?: string
  message?: string
  Region?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { headers?: Record<string, string> }
}

interface Refusal {
  readonly code: 'MA_BLOB_READ' | 'MA_SECRET' | 'MA_CONFIG'
  readonly text: string
}

const noRegion = 'no region is configured: set snapshot.s3.region (or AWS_REGION)'
const wrongKey =
  'check the access key and its secret (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)'

/** By name of the error: what it means and what to do. */
const refusals: { readonly [name: string]: Refusal } = {
  NoSuchBucket: {
    code: 'MA_BLOB_READ',
    text: 'there is no such bucket: check its name and the region or endpoint (snapshot.s3.region, snapshot.s3.endpoint)',
  },
  AccessDenied: {
    code: 'MA_BLOB_READ',
    text: 'access denied. The credentials need s3:GetObject on the blobs and s3:ListBucket on the bucket; without s3:ListBucket a blob that is missing is answered so, too',
  },
  SignatureDoesNotMatch: {
    code: 'MA_BLOB_READ',
    text: `the signature is refused: the secret does not belong to the access key; ${wrongKey}`,
  },
  InvalidAccessKeyId: {
    code: 'MA_BLOB_READ',
    text: `the access key is not known there: ${wrongKey}`,
  },
  ExpiredToken: {
    code: 'MA_BLOB_READ',
    text: 'the credentials have expired: renew them and start the same command again, which goes on where it was',
  },
  RequestTimeTooSkewed: {
    code: 'MA_BLOB_READ',
    text: 'the clock of this machine is wrong by more than the service allows: set it',
  },
  InvalidObjectState: {
    code: 'MA_BLOB_READ',
    text: 'the object is archived (Glacier): restore it to S3 before the migration',
  },
  CredentialsProviderError: {
    code: 'MA_SECRET',
    text: 'no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role',
  },
}
const wrongRegion = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'Redirect',
])
const passing = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestTimeout',
  'InternalError',
  'ServiceUnavailable',
])

/** True when a listing is refused for lack of a permission, while blobs may still be readable. */
export function isListingRefused(error: unknown): boolean {
  return (error as ServiceError).name === 'AccessDenied'
}

export function isOutsideRange(error: unknown): boolean {
  return (error as ServiceError).name === 'InvalidRange'
}

/** What the SDK throws, in this program's words. */
export function s3Error(
  error: unknown,
  { place, blob, signal }: { place: S3Place; blob: string; signal: AbortSignal },
): MigrationError {
  if (error instanceof MigrationError) return error
  const { name = '', message = '', $metadata } = error as ServiceError
  const status = $metadata?.httpStatusCode
  const where = `s3://${place.bucket}${place.prefix === '' ? '' : `/${place.prefix}`}`
  const details = {
    blob,
    bucket: place.bucket,
    error: name,
    ...(status !== undefined && { status }),
  }
  const failed = (code: Refusal['code'], text: string, retryable = false): MigrationError =>
    new MigrationError(code, `${blob} could not be read from ${where}: ${text}`, {
      cause: error,
      details,
      retryable,
    })
  if (name === 'NoSuchKey' || (name === 'NotFound' && status === 404)) {
    return new MigrationError('MA_BLOB_MISSING', `there is no blob ${blob} in ${where}`, {
      details,
    })
  }
  const refusal = refusals[name]
  if (refusal !== undefined) return failed(refusal.code, refusal.text)
  if (wrongRegion.has(name)) return failed('MA_BLOB_READ', regionText(error as ServiceError))
  if (/region is missing/i.test(message)) return failed('MA_CONFIG', noRegion)
  const signed =
    status === undefined
      ? undefined
      : `the service answers ${status} ${name}: ${message.split('\n', 1)[0]}`
  if (signed === undefined) {
    return networkError(error, { place: place.endpoint ?? where, blob, signal })
  }
  return failed('MA_BLOB_READ', signed, passing.has(name) || status! >= 500 || status === 429)
}

function regionText(error: ServiceError): string {
  const region =
    error.$response?.headers?.['x-amz-bucket-region'] ??
    error.Region ??
    /expecting '([a-z0-9-]+)'/.exec(error.message ?? '')?.[1]
  return region === undefined
    ? 'the bucket is in another region: set snapshot.s3.region to that of the bucket'
    : `the bucket is in region ${region}: set snapshot.s3.region to it`
}
