import http from 'node:http'
import https from 'node:https'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import { blobPathParts } from './blob-path.ts'
import type { BlobStore } from './byte-source.ts'
import { networkError } from './network-errors.ts'
import { takeRange } from './range-answer.ts'
import { createRemoteStore, requestsAtOnceMax, type RangeRead } from './remote-store.ts'

/** Of a certificate authority: `file:PATH` or `env:NAME` of PEM. */
export interface HttpStoreOptions {
  readonly ca?: string
}

/**
 * A repository that a web server serves, as the engines' read-only `url` repositories: blobs by path, ranges, no
 * listing. Redirections are not followed, and nobody logs in.
 */
export function createHttpStore(location: string, { ca }: HttpStoreOptions = {}): BlobStore {
  const base = baseUrl(location)
  let agent: Promise<http.Agent> | undefined
  return createRemoteStore(location, {
    async readRange({ path, offset, into }, signal) {
      const parts = blobPathParts(location, path).map(encodeURIComponent)
      const url = new URL(parts.join('/'), base)
      const context = { place: base.origin, blob: path, signal }
      try {
        const answer = await ask(url, await (agent ??= makeAgent(base, ca)), {
          range: `bytes=${offset}-${offset + into.length - 1}`,
          signal,
        })
        const empty = emptyBlob(answer, offset)
        if (empty !== undefined) return empty
        if (answer.statusCode !== 206 && answer.statusCode !== 200) throw refused(answer, path, url)
        const length = answer.headers['content-length']
        return await takeRange(
          {
            body: answer,
            contentRange: answer.statusCode === 206 ? answer.headers['content-range'] : undefined,
            contentLength: length === undefined ? undefined : Number(length),
          },
          { blob: path, offset, into },
          signal,
        )
      } catch (error) {
        throw networkError(error, context)
      }
    },
  })
}

function baseUrl(location: string): URL {
  const wrong = (expected: string): MigrationError =>
    new MigrationError('MA_CONFIG', `the repository location ${expected}`)
  let url: URL
  try {
    url = new URL(location.endsWith('/') ? location : `${location}/`)
  } catch {
    throw wrong(`${location} is not a URL: write https://HOST[:PORT]/PATH`)
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong('holds a user name or password: repositories on web servers are read without')
  }
  if (location.includes('?') || location.includes('#')) {
    throw wrong('holds a query or fragment: write https://HOST[:PORT]/PATH')
  }
  return url
}

async function makeAgent(base: URL, ca: string | undefined): Promise<http.Agent> {
  const common = { keepAlive: true, maxSockets: requestsAtOnceMax }
  if (base.protocol === 'http:') return new http.Agent(common)
  if (ca === undefined) return new https.Agent(common)
  return new https.Agent({ ...common, ca: await resolveSecret(ca, 'snapshot.tls.ca') })
}

function ask(
  url: URL,
  agent: http.Agent,
  { range, signal }: { range: string; signal: AbortSignal },
): Promise<http.IncomingMessage> {
  // Compressed on the way, a range would be one of other bytes.
  const headers = { range, 'accept-encoding': 'identity' }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, { agent, headers, signal })
    request.once('response', resolve)
    request.once('error', reject)
  })
}

/** No range lies within a blob without bytes: such a request is answered 416. */
function emptyBlob(answer: http.IncomingMessage, offset: number): RangeRead | undefined {
  if (answer.statusCode !== 416 || offset > 0) return undefined
  answer.resume()
  return { byteLength: 0, count: 0 }
}

function refused(answer: http.IncomingMessage, path: string, url: URL): MigrationError {
  const { statusCode = 0, headers } = answer
  answer.resume()
  const details = { blob: path, status: statusCode }
  if (statusCode === 404 || statusCode === 410) {
    return new MigrationError(
      'MA_BLOB_MISSING',
      `there is no blob ${path} at ${url.href} (${statusCode})`,
      { details },
    )
  }
  const retryable = statusCode >= 500 || statusCode === 429 || statusCode === 408
  return new MigrationError(
    'MA_BLOB_READ',
    `${url.href} answers ${statusCode}${reason(statusCode, headers.location)}`,
    { details, retryable },
  )
}

function reason(status: number, location: string | undefined): string {
  if (status === 401 || status === 403) {
    return ': it wants a login or refuses this machine; repositories on web servers are read without login'
  }
  if (status >= 300 && status < 400) {
    return `, a redirection to ${JSON.stringify(location?.slice(0, 200))}: give the address where the repository is now`
  }
  return ''
}
