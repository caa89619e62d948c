import type http from 'node:http'
import { addAbortSignal } from 'node:stream'
import type { GoogleAuth, JWT } from 'google-auth-library'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import type { BlobStore } from './byte-source.ts'
import { gcsError } from './gcs-errors.ts'
import { get, openAgent, takeAnswer } from './http-get.ts'
import { networkError } from './network-errors.ts'
import { createObjectStore, emptyBlob, entriesWithin, listingName } from './object-blobs.ts'
import {
  keyOf,
  keysWithin,
  parseObjectPlace,
  type ObjectForm,
  type ObjectPlace,
} from './object-place.ts'
import { loadOptional } from '../base/optional-package.ts'
import { rangeText } from './range-answer.ts'
import { type ListPage, type RemoteBlobs, type RemoteStoreOptions } from './remote-store.ts'
import type { AskedBlob } from './service-errors.ts'

/**
 * Google Cloud Storage by its JSON API: https://cloud.google.com/storage/docs/json_api. Google's library does the login,
 * with all its ways to get and renew a token; the two requests that a reader makes are plain GETs. (Its client for
 * storage closes the connections of all reads when one is given up.)
 */
export interface GcsStoreOptions extends RemoteStoreOptions {
  /** Address of another service than Google's public one. With http:// nobody logs in there. */
  readonly endpoint?: string
  /** The project that pays for requests to a bucket whose owner does not. */
  readonly project?: string
  /** Key of a service account (JSON), as `file:PATH` or `env:NAME`. Default: the library's own chain. */
  readonly credentials?: string
}

const form: ObjectForm = {
  scheme: 'gs',
  names: [{ what: 'BUCKET', pattern: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/ }],
  credentials:
    'they come from GOOGLE_APPLICATION_CREDENTIALS, gcloud or the machine, as for other tools of Google',
}
const publicEndpoint = 'https://storage.googleapis.com'
const readOnly = 'https://www.googleapis.com/auth/devstorage.read_only'
/** Gives the token, and renews it. */
type Login = Pick<GoogleAuth | JWT, 'getRequestHeaders'>
/** As many as a page holds at most. */
const pageKeysMax = 1_000
/** A page of keys of the longest names is below 2 MB. */
const answerBytesMax = 16 * 1024 * 1024

/** The blobs below gs://BUCKET/PREFIX. Credentials are looked up at the first request. */
export function createGcsStore(location: string, options: GcsStoreOptions = {}): BlobStore {
  const place = parseObjectPlace(location, form)
  return createObjectStore(location, place, (at) => openBucket(at, options), options.requests)
}

async function openBucket(place: ObjectPlace, options: GcsStoreOptions): Promise<RemoteBlobs> {
  const { endpoint, project, ca } = options
  const objects = new URL(`/storage/v1/b/${place.names[0]}/o`, endpoint ?? publicEndpoint)
  const agent = await openAgent(objects, ca)
  const login = objects.protocol === 'http:' ? undefined : await openLogin(options)
  const ask = async (
    asked: AskedBlob,
    path: string,
    { query, range }: { query: Record<string, string>; range?: string },
  ): Promise<http.IncomingMessage> => {
    const url = new URL(`${objects.href}${path}`)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    if (project !== undefined) url.searchParams.set('userProject', project)
    const headers = login === undefined ? {} : await loginHeaders(login, asked)
    const { signal } = asked
    return get(url, { agent, headers: { ...headers, ...(range && { range }) }, signal })
  }
  const about = { where: place.where, endpoint }
  return {
    async listPage(folder, mark, signal) {
      const within = keysWithin(place, folder)
      const asked = { ...about, blob: listingName(folder), signal }
      const query = {
        delimiter: '/',
        maxResults: `${pageKeysMax}`,
        fields: 'items(name,size),nextPageToken',
        ...(within !== '' && { prefix: within }),
        ...(mark !== undefined && { pageToken: mark }),
      }
      try {
        const answer = await ask(asked, '', { query })
        const status = answer.statusCode ?? 0
        const text = await takeText(answer, signal)
        if (status === 403) return undefined
        if (status !== 200) throw gcsError({ status, text }, asked)
        return parsePage(within, text, asked)
      } catch (error) {
        throw networkError(error, { ...asked, place: endpoint ?? place.where })
      }
    },
    async readRange({ path: blob, offset, into }, signal) {
      const asked = { ...about, blob, signal }
      try {
        const answer = await ask(asked, `/${encodeURIComponent(keyOf(place, blob))}`, {
          query: { alt: 'media' },
          range: rangeText({ offset, into }),
        })
        const found = await takeAnswer(answer, { blob, offset, into }, signal)
        if (found !== undefined) return found
        const status = answer.statusCode ?? 0
        const text = await takeText(answer, signal)
        if (status === 416 && offset === 0) return emptyBlob
        throw gcsError({ status, text }, asked)
      } catch (error) {
        throw networkError(error, { ...asked, place: endpoint ?? place.where })
      }
    },
  }
}

async function openLogin({ credentials }: GcsStoreOptions): Promise<Login> {
  const { GoogleAuth, JWT } = await loadOptional(() => import('google-auth-library'), {
    name: 'google-auth-library',
    install: 'google-auth-library',
    neededBy: 'a repository at gs://',
  })
  const scopes = [readOnly]
  if (credentials === undefined) return new GoogleAuth({ scopes })
  return new JWT({ ...(await readKey(credentials)), scopes })
}

/** `{ type: "service_account", client_email, private_key, … }` */
async function readKey(reference: string): Promise<{ email: string; key: string }> {
  const option = 'snapshot.gcs.credentials'
  const text = await resolveSecret(reference, option)
  const found = parseKey(text)
  if (found !== undefined) return found
  throw new MigrationError(
    'MA_SECRET',
    `${option} does not lead to the key of a service account (JSON with client_email and private_key). Other kinds of ` +
      'credentials are found by GOOGLE_APPLICATION_CREDENTIALS',
  )
}

function parseKey(text: string): { email: string; key: string } | undefined {
  try {
    const { client_email: email, private_key: key } = JSON.parse(text) as Record<string, unknown>
    return typeof email === 'string' && typeof key === 'string' ? { email, key } : undefined
  } catch {
    return undefined
  }
}

/** The token, which the library keeps and renews. */
async function loginHeaders(
  login: Login,
  { blob, where, signal }: AskedBlob,
): Promise<Record<string, string>> {
  signal.throwIfAborted()
  try {
    return Object.fromEntries(await login.getRequestHeaders())
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    // Codes of files are about the file that should hold a key.
    const isAway = /^E(?!NOENT|ACCES|PERM|ISDIR|NOTDIR)[A-Z]+$/.test(`${code}`)
    throw new MigrationError(
      isAway ? 'MA_BLOB_READ' : 'MA_SECRET',
      `${blob} could not be read from ${where}: no token of Google could be had (${message.split('\n', 1)[0]}). ` +
        'Set GOOGLE_APPLICATION_CREDENTIALS or snapshot.gcs.credentials to the key of a service account, log in ' +
        '(gcloud auth application-default login), or give this machine a service account',
      { cause: error, retryable: isAway },
    )
  }
}

async function takeText(answer: http.IncomingMessage, signal: AbortSignal): Promise<string> {
  addAbortSignal(signal, answer)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > answerBytesMax) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** `{ items?: [{ name, size: text }], nextPageToken? }` */
function parsePage(within: string, text: string, { blob, where }: AskedBlob): ListPage {
  let page: { items?: { name: string; size: string }[]; nextPageToken?: string }
  try {
    page = JSON.parse(text) as typeof page
  } catch (error) {
    throw new MigrationError('MA_BLOB_READ', `${blob} of ${where} is not JSON`, { cause: error })
  }
  const objects = (page.items ?? []).map(({ name: key, size }) => ({
    key,
    byteLength: Number(size),
  }))
  const next = page.nextPageToken
  return { entries: entriesWithin(within, objects), ...(next && { next }) }
}
