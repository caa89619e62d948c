import { createHash, createHmac } from 'node:crypto'
import { MigrationError } from '../base/errors.ts'

export interface AwsIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const validSeconds = 900
/** SHA-256 of no bytes, which is what a GET sends. */
const emptyHash = createHash('sha256').digest('hex')

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
  return async (): Promise<string> => signedToken(await awsIdentity(), { region, at: new Date() })
}

async function awsIdentity(): Promise<AwsIdentity> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  try {
    return await defaultProvider()()
  } catch (error) {
    const text = `no credentials of AWS were found for Kafka: ${(error as Error).message}`
    throw new MigrationError('MA_SECRET', text, { cause: error })
  }
}

/**
 * A token is a URL that is signed for 15 minutes, in Base64 of URLs without padding:
 *
 *   token     = base64url("https://" host "/?" query "&X-Amz-Signature=" signature "&User-Agent=osmigrate")
 *   host      = "kafka." region ".amazonaws.com"
 *   query     = "Action=kafka-cluster%3AConnect&X-Amz-Algorithm=…&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=900"
 *               ["&X-Amz-Security-Token=…"] "&X-Amz-SignedHeaders=host"                       ; in this order
 *   request   = "GET" LF "/" LF query LF "host:" host LF LF "host" LF emptyHash
 *   signature = hex of Signature Version 4 over request, for the service kafka-cluster
 *
 * Specified by Amazon's own signers (aws-msk-iam-auth, "Details"); Signature Version 4 in the AWS General Reference.
 */
export function signedToken(
  identity: AwsIdentity,
  { region, at }: { region: string; at: Date },
): string {
  const { accessKeyId, secretAccessKey, sessionToken } = identity
  const host = `kafka.${region}.amazonaws.com`
  const time = at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/kafka-cluster/aws4_request`
  const query = Object.entries({
    Action: 'kafka-cluster:Connect',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(validSeconds),
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const request = ['GET', '/', query, `host:${host}`, '', 'host', emptyHash].join('\n')
  const hash = createHash('sha256').update(request).digest('hex')
  const text = ['AWS4-HMAC-SHA256', time, scope, hash].join('\n')
  let key: Buffer | string = `AWS4${secretAccessKey}`
  for (const part of scope.split('/')) key = hmac(key, part)
  const signature = hmac(key, text).toString('hex')
  const url = `https://${host}/?${query}&X-Amz-Signature=${signature}&User-Agent=osmigrate`
  return Buffer.from(url).toString('base64url')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
