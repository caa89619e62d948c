import type { MigrationError } from '../base/errors.ts'
import { serviceError, type AskedBlob, type Refusal } from './service-errors.ts'

/** What the SDK throws: a name by service or SDK, and what came with the answer. */
interface ServiceError {
  name?: string
  message?: string
  Region?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { headers?: Record<string, string> }
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
export function s3Error(error: unknown, asked: AskedBlob): MigrationError {
  const { name = '', message = '', $metadata } = error as ServiceError
  const status = $metadata?.httpStatusCode
  return serviceError(
    error,
    { name, status, message },
    {
      isMissing: name === 'NoSuchKey' || (name === 'NotFound' && status === 404),
      refusal: refusalOf(error as ServiceError),
      passes: passing.has(name),
    },
    asked,
  )
}

function refusalOf(error: ServiceError): Refusal | undefined {
  const { name = '', message = '' } = error
  if (wrongRegion.has(name)) return { code: 'MA_BLOB_READ', text: regionText(error) }
  if (/region is missing/i.test(message)) return { code: 'MA_CONFIG', text: noRegion }
  return refusals[name]
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
