import { awsIdentities } from '../base/aws-identity.ts'
import {
  amzTime,
  emptyHash,
  scopeText,
  signatureOf,
  type AwsIdentity,
} from '../base/aws-signature.ts'
import { MigrationError } from '../base/errors.ts'

const validSeconds = 900

/**
 * Tokens by which a client logs in to Amazon MSK with the credentials of AWS, found as other tools find them. `region`
 * is that of AWS_REGION unless it is given. Throws MA_CONFIG without a region; the tokens fail with MA_SECRET where no
 * credentials are found.
 */
export function mskToken(region = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION']) {
  if (region === undefined || region === '') {
    throw new MigrationError(
      'MA_CONFIG',
      'capture.log.kafka.sasl: aws-msk-iam needs the region of the cluster: set sasl.region, or AWS_REGION',
    )
  }
  const find = awsIdentities({ purpose: 'Kafka' })
  return async (): Promise<string> => signedToken(await find(), { region, at: new Date() })
}

/**
 * A token is a URL that is signed for 15 minutes, in Base64 of URLs without padding:
 *
 *   token     = base64url("https://" host "/?" query "&X-Amz-Signature=" signature "&User-Agent=osmigrate")
 *   host      = "kafka." region ".amazonaws.com"
 *   query     = "Action=kafka-cluster%3AConnect&X-Amz-Algorithm=…&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=900"
 *               ["&X-Amz-Security-Token=…"] "&X-Amz-SignedHeaders=host"                       ; in this order
 *   signature = that of a GET of "/" with this query and host alone, for the service kafka-cluster (aws-signature.ts)
 *
 * Specified by Amazon's own signers (aws-msk-iam-auth, "Details").
 */
export function signedToken(
  identity: AwsIdentity,
  { region, at }: { region: string; at: Date },
): string {
  const { accessKeyId, sessionToken } = identity
  const host = `kafka.${region}.amazonaws.com`
  const scope = { region, service: 'kafka-cluster', at }
  const query = Object.entries({
    Action: 'kafka-cluster:Connect',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': amzTime(at),
    'X-Amz-Expires': String(validSeconds),
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const request = { method: 'GET', path: '/', query, headers: { host }, bodyHash: emptyHash }
  const signature = signatureOf(identity, request, scope)
  const url = `https://${host}/?${query}&X-Amz-Signature=${signature}&User-Agent=osmigrate`
  return Buffer.from(url).toString('base64url')
}
