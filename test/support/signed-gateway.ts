/**
 * A gateway in front of a real engine that lets through only what is signed as Amazon's do: it computes each signature anew
 * with the signer of AWS' own SDK, from the bytes that came in.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignatureV4 } from '@smithy/signature-v4'

export interface SignedGateway {
  readonly url: string
  /** Requests that were let through, by method; and what was refused, with the reason. */
  readonly passed: Map<string, number>
  readonly refused: string[]
  /** Session tokens that are good no longer. */
  readonly expired: Set<string>
  /** Those that requests came with. */
  readonly seenTokens: Set<string>
  /** Bodies that came compressed. */
  compressed: number
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly engineUrl: string
  readonly region: string
  readonly service: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const skewMsMax = 5 * 60_000

/** As the SDK wants it. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Uint8Array)
  }

  update(bytes: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes as Uint8Array)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}

export async function startSignedGateway(options: GatewayOptions): Promise<SignedGateway> {
  const server = http.createServer((request, response) => {
    carry(request).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gateway: SignedGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: new Map(),
    refused: [],
    expired: new Set(),
    seenTokens: new Set(),
    compressed: 0,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return gateway

  async function carry(request: http.IncomingMessage): Promise<Carried> {
    const body = await bodyOf(request)
    const { method = 'GET', url = '/' } = request
    const why = await refusal({ method, url, headers: request.headers, body }, options, gateway)
    if (why !== undefined) {
      gateway.refused.push(`${method} ${url}: ${why}`)
      return { status: 403, headers: {}, body: Buffer.from(JSON.stringify({ message: why })) }
    }
    gateway.passed.set(method, (gateway.passed.get(method) ?? 0) + 1)
    if (request.headers['content-encoding'] === 'gzip') gateway.compressed++
    return forward(new URL(options.engineUrl), { method, url, headers: request.headers, body })
  }
}

interface Came {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

interface Carried {
  readonly status: number
  readonly headers: http.OutgoingHttpHeaders
  readonly body: Buffer
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Undefined: it is signed as it must be. */
async function refusal(
  { method, url, headers, body }: Came,
  { region, service, accessKeyId, secretAccessKey }: GatewayOptions,
  { expired, seenTokens }: SignedGateway,
): Promise<string | undefined> {
  const authorization = headers.authorization ?? ''
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    )
  if (found === null) return `Missing or unreadable Authorization header: ${authorization}`
  const [, key, , ofRegion, ofService, names, signature] = found
  if (key !== accessKeyId || ofRegion !== region || ofService !== service) {
    return 'Credential should be scoped to a valid region and service'
  }
  const token = headers['x-amz-security-token'] as string | undefined
  if (token !== undefined) {
    seenTokens.add(token)
    if (expired.has(token)) return 'The security token included in the request is expired'
  }
  const date = String(headers['x-amz-date'])
  const signingDate = new Date(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  )
  if (!(Math.abs(signingDate.getTime() - Date.now()) < skewMsMax))
    return `Signature expired: ${date}`
  const signed = names!.split(';')
  for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256']) {
    if (!signed.includes(name)) return `${name} must be signed`
  }
  if (token !== undefined && !signed.includes('x-amz-security-token'))
    return 'the token is not signed'
  const hash = createHash('sha256').update(body).digest('hex')
  if (headers['x-amz-content-sha256'] !== hash) return 'The hash of the body is another'
  const own = await new SignatureV4({
    ...{ service, region, sha256: Sha256, applyChecksum: true },
    credentials: { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) },
  }).sign(
    {
      ...{ method, protocol: 'http:', hostname: 'ignored', body },
      path: url.split('?')[0]!,
      query: queryOf(url),
      headers: Object.fromEntries(signed.map((name) => [name, String(headers[name])])),
    },
    { signingDate },
  )
  const expected = /Signature=([0-9a-f]{64})$/.exec(own.headers['authorization']!)?.[1]
  if (expected === signature) return undefined
  return 'The request signature we calculated does not match the signature you provided'
}

function queryOf(url: string): Record<string, string[]> {
  const query: Record<string, string[]> = {}
  for (const [name, value] of new URL(url, 'http://x').searchParams) {
    query[name] = [...(query[name] ?? []), value]
  }
  return query
}

async function forward(engine: URL, { method, url, headers, body }: Came): Promise<Carried> {
  const kept = Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name !== 'authorization' && name !== 'host' && !name.startsWith('x-amz-'),
    ),
  )
  const onward = http.request({
    ...{ host: engine.hostname, port: engine.port, method, path: url },
    headers: { ...kept, 'content-length': body.length },
  })
  onward.end(body)
  const [answer] = (await once(onward, 'response')) as [http.IncomingMessage]
  const bytes = await bodyOf(answer)
  const answered = { ...answer.headers }
  delete answered['transfer-encoding']
  if (method !== 'HEAD') answered['content-length'] = String(bytes.length)
  return { status: answer.statusCode!, headers: answered, body: bytes }
}
