import http from 'node:http'
import https from 'node:https'
import { resolveSecret } from '../base/secrets.ts'
import { takeRange, type AskedRange } from './range-answer.ts'
import type { RangeRead } from './remote-store.ts'

/** Connections to one service; they are used again. `ca` is `file:PATH` or `env:NAME` of PEM, for https:// alone. */
export async function openAgent(base: URL, ca: string | undefined): Promise<http.Agent> {
  const common = { keepAlive: true }
  if (base.protocol === 'http:') return new http.Agent(common)
  if (ca === undefined) return new https.Agent(common)
  return new https.Agent({ ...common, ca: await resolveSecret(ca, 'snapshot.tls.ca') })
}

export interface GetOptions {
  readonly agent: http.Agent
  readonly headers?: http.OutgoingHttpHeaders
  readonly signal: AbortSignal
}

/** One GET, up to its headers. Redirections are answers as others. */
export function get(
  url: URL,
  { agent, headers, signal }: GetOptions,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      agent,
      // Compressed on the way, a range would be one of other bytes.
      headers: { ...headers, 'accept-encoding': 'identity' },
      signal,
    })
    request.once('response', resolve)
    request.once('error', reject)
  })
}

/** Takes the body of an answer 200 or 206 into memory; undefined: the answer is another one. */
export async function takeAnswer(
  answer: http.IncomingMessage,
  asked: AskedRange,
  signal: AbortSignal,
): Promise<RangeRead | undefined> {
  const { statusCode, headers } = answer
  if (statusCode !== 206 && statusCode !== 200) return undefined
  const length = headers['content-length']
  return takeRange(
    {
      body: answer,
      contentRange: statusCode === 206 ? headers['content-range'] : undefined,
      contentLength: length === undefined ? undefined : Number(length),
    },
    asked,
    signal,
  )
}
