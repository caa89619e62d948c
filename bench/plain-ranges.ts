/** Range requests to an S3 service by nothing but node:http and a signature: what reading is measured against. */
import { createHash, createHmac } from 'node:crypto'
import http from 'node:http'

export interface PlainRange {
  /** `/BUCKET/KEY` */
  readonly path: string
  readonly offset: number
  readonly length: number
}

export interface PlainOptions {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Requests under way at once. */
  readonly atOnce: number
}

/** Fetches all ranges into memory that is thrown away; gives the bytes that came. */
export async function fetchRanges(
  ranges: readonly PlainRange[],
  options: PlainOptions,
): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: options.atOnce })
  let next = 0
  let bytes = 0
  const fetchOn = async (): Promise<void> => {
    const into = Buffer.allocUnsafeSlow(Math.max(...ranges.map(({ length }) => length)))
    while (next < ranges.length) bytes += await fetchRange(ranges[next++]!, into, agent, options)
  }
  await Promise.all(Array.from({ length: options.atOnce }, fetchOn))
  agent.destroy()
  return bytes
}

function fetchRange(
  { path, offset, length }: PlainRange,
  into: Buffer,
  agent: http.Agent,
  options: PlainOptions,
): Promise<number> {
  const url = new URL(path, options.endpoint)
  const range = `bytes=${offset}-${offset + length - 1}`
  const headers = { range, ...signature(url, options) }
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers }, (response) => {
      let at = 0
      response.on('data', (chunk: Buffer) => {
        into.set(chunk, at)
        at += chunk.length
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 206 && at === length) resolve(at)
        else reject(new Error(`${path} ${range}: status ${response.statusCode}, ${at} bytes`))
      })
    })
    request.on('error', reject)
  })
}

const region = 'us-east-1'

/** AWS Signature Version 4 over method, path, host and date, as its specification has it. */
function signature(
  url: URL,
  { accessKeyId, secretAccessKey }: PlainOptions,
): { [header: string]: string } {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const day = time.slice(0, 8)
  const payload = 'UNSIGNED-PAYLOAD'
  const signed = 'host;x-amz-content-sha256;x-amz-date'
  const request = [
    ...['GET', url.pathname, '', `host:${url.host}`, `x-amz-content-sha256:${payload}`],
    ...[`x-amz-date:${time}`, '', signed, payload],
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const hash = createHash('sha256').update(request).digest('hex')
  let key: Buffer | string = `AWS4${secretAccessKey}`
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  const text = ['AWS4-HMAC-SHA256', time, scope, hash].join('\n')
  const mark = createHmac('sha256', key).update(text).digest('hex')
  return {
    'x-amz-date': time,
    'x-amz-content-sha256': payload,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${mark}`,
  }
}
