import type http from 'node:http'
import { MigrationError } from '../base/errors.ts'
import { blobPathParts } from './blob-path.ts'
import type { BlobStore } from './byte-source.ts'
import { get, openAgent, takeAnswer } from './http-get.ts'
import { networkError } from './network-errors.ts'
import { emptyBlob } from './object-blobs.ts'
import { rangeText } from './range-answer.ts'
import { createRemoteStore, type RemoteBlobs, type RemoteStoreOptions } from './remote-store.ts'

/**
 * A repository that a web server serves, as the engines' read-only `url` repositories: blobs by path, ranges, no
 * listing. Redirections are not followed, and nobody logs in.
 */
export function createHttpStore(
  location: string,
  { ca, requests }: RemoteStoreOptions = {},
): BlobStore {
  const base = baseUrl(location)
  let agent: Promise<http.Agent> | undefined
  const blobs: RemoteBlobs = {
    async readRange({ path, offset, into }, signal) {
      const parts = blobPathParts(location, path).map(encodeURIComponent)
      const url = new URL(parts.join('/'), base)
      try {
        const answer = await get(url, {
          agent: await (agent ??= openAgent(base, ca)),
          headers: { range: rangeText({ offset, into }) },
          signal,
        })
        if (answer.statusCode === 416 && offset === 0) {
          answer.resume()
          return emptyBlob
        }
        const found = await takeAnswer(answer, { blob: path, offset, into }, signal)
        if (found === undefined) throw refused(answer, path, url)
        return found
      } catch (error) {
        throw networkError(error, { place: base.origin, blob: path, signal })
      }
    },
  }
  return createRemoteStore(location, blobs, requests)
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
