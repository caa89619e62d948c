import { amzTime, authorizationOf, emptyHash, type AwsIdentity } from '../base/aws-signature.ts'

export interface SignedGet {
  /** Host, with the port where it is not the usual one. */
  readonly host: string
  /** As it stands in the request, encoded; without a query. */
  readonly path: string
  readonly region: string
  readonly at: Date
}

/**
 * The headers that sign a GET of an object. S3 takes the path as it was sent, where other services encode it once more.
 * Specified in the Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
 */
export function signedGetHeaders(
  identity: AwsIdentity,
  { host, path, region, at }: SignedGet,
): { [header: string]: string } {
  const { sessionToken } = identity
  // In the order of their names, as they are signed.
  const headers = {
    host,
    'x-amz-content-sha256': emptyHash,
    'x-amz-date': amzTime(at),
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const request = { method: 'GET', path, query: '', headers, bodyHash: emptyHash }
  return {
    ...headers,
    authorization: authorizationOf(identity, request, { region, service: 's3', at }),
  }
}
