import type { Readable } from 'node:stream'
import type * as Sdk from '@azure/storage-blob'
import type {
  ContainerClient,
  ContainerListBlobHierarchySegmentResponse,
  Pipeline,
} from '@azure/storage-blob'
import { resolveSecret } from '../base/secrets.ts'
import { azureError, isListingRefused, isOutsideRange } from './azure-errors.ts'
import type { BlobStore } from './byte-source.ts'
import { openAgent } from './http-get.ts'
import { createObjectStore, emptyBlob, entriesWithin, listingName } from './object-blobs.ts'
import {
  keyOf,
  keysWithin,
  parseObjectPlace,
  type ObjectForm,
  type ObjectPlace,
} from './object-place.ts'
import { loadOptional } from '../base/optional-package.ts'
import { takeRange } from './range-answer.ts'
import { type ListPage, type RemoteBlobs, type RemoteStoreOptions } from './remote-store.ts'

/** How a container of Azure Blob Storage is reached. */
export interface AzureStoreOptions extends RemoteStoreOptions {
  /** Address of the account where it is not https://ACCOUNT.blob.core.windows.net. */
  readonly endpoint?: string
  /** Access key of the account, as `file:PATH` or `env:NAME`. Default: AZURE_STORAGE_KEY, where that is set. */
  readonly key?: string
  /** Shared access signature, as `key`. Default: AZURE_STORAGE_SAS_TOKEN, where that is set. */
  readonly sas?: string
}

const form: ObjectForm = {
  scheme: 'azure',
  names: [
    { what: 'ACCOUNT', pattern: /^[a-z0-9]{3,24}$/ },
    { what: 'CONTAINER', pattern: /^(\$root|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$/ },
  ],
  credentials: 'they come from AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or an identity',
}
/** More would do; all services give so many. */
const pageKeysMax = 1_000

/**
 * The blobs below azure://ACCOUNT/CONTAINER/PREFIX. The SDK is loaded and credentials are looked up at the first
 * request; without a key and a SAS token that is an identity: of the environment, a workload, the machine, az login.
 */
export function createAzureStore(location: string, options: AzureStoreOptions = {}): BlobStore {
  const place = parseObjectPlace(location, form)
  return createObjectStore(location, place, (at) => openContainer(at, options), options.requests)
}

async function openContainer(place: ObjectPlace, options: AzureStoreOptions): Promise<RemoteBlobs> {
  const container = await openClient(place, options)
  const about = { where: place.where, endpoint: options.endpoint }
  return {
    async listPage(folder, mark, signal) {
      const within = keysWithin(place, folder)
      try {
        const pages = container
          .listBlobsByHierarchy('/', { prefix: within, abortSignal: signal })
          .byPage({
            maxPageSize: pageKeysMax,
            ...(mark !== undefined && { continuationToken: mark }),
          })
        const { value } = (await pages.next()) as { value?: Listing }
        return pageOf(within, value)
      } catch (error) {
        if (isListingRefused(error)) return undefined
        throw azureError(error, { ...about, blob: listingName(folder), signal })
      }
    },
    async readRange({ path: blob, offset, into }, signal) {
      try {
        // Answers that break off are seen, and made again, by takeRange() and retry.ts alone.
        const answer = await container
          .getBlobClient(keyOf(place, blob))
          .download(offset, into.length, { abortSignal: signal, maxRetryRequests: 0 })
        const { contentRange, contentLength, readableStreamBody } = answer
        const body = readableStreamBody as Readable
        return await takeRange(
          { body, contentRange, contentLength },
          { blob, offset, into },
          signal,
        )
      } catch (error) {
        if (isOutsideRange(error) && offset === 0) return emptyBlob
        throw azureError(error, { ...about, blob, signal })
      }
    },
  }
}

type Listing = ContainerListBlobHierarchySegmentResponse

function pageOf(within: string, page: Listing | undefined): ListPage {
  const objects = (page?.segment.blobItems ?? []).map(({ name: key, properties }) => ({
    key,
    byteLength: properties.contentLength ?? 0,
  }))
  const next = page?.continuationToken
  return { entries: entriesWithin(within, objects), ...(next && { next }) }
}

async function openClient(
  place: ObjectPlace,
  options: AzureStoreOptions,
): Promise<ContainerClient> {
  const sdk = await loadOptional(() => import('@azure/storage-blob'), {
    name: '@azure/storage-blob',
    install: '@azure/storage-blob',
    neededBy: 'a repository at azure://',
  })
  const [account = '', container] = place.names
  const endpoint = options.endpoint ?? `https://${account}.blob.core.windows.net`
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/${container}`)
  const sas = await secretOf(options.sas, 'AZURE_STORAGE_SAS_TOKEN', 'snapshot.azure.sas')
  const key = await secretOf(options.key, 'AZURE_STORAGE_KEY', 'snapshot.azure.key')
  if (sas !== undefined) url.search = sas
  const pipeline = await openPipeline(sdk, { account, key, sas })
  if (options.ca !== undefined && url.protocol === 'https:') await trust(pipeline, url, options.ca)
  return new sdk.ContainerClient(url.href, pipeline)
}

async function openPipeline(
  sdk: typeof Sdk,
  login: { account: string; key: string | undefined; sas: string | undefined },
): Promise<Pipeline> {
  // Requests are repeated in retry.ts.
  const options = { retryOptions: { maxTries: 1 } }
  if (login.sas !== undefined) return sdk.newPipeline(new sdk.AnonymousCredential(), options)
  if (login.key !== undefined) {
    return sdk.newPipeline(new sdk.StorageSharedKeyCredential(login.account, login.key), options)
  }
  const { DefaultAzureCredential } = await loadOptional(() => import('@azure/identity'), {
    name: '@azure/identity',
    install: '@azure/storage-blob @azure/identity',
    neededBy: 'a repository at azure:// without AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN',
  })
  return sdk.newPipeline(new DefaultAzureCredential(), options)
}

async function secretOf(
  reference: string | undefined,
  variable: string,
  option: string,
): Promise<string | undefined> {
  if (reference !== undefined) return resolveSecret(reference, option)
  return process.env[variable] || undefined
}

/** The SDK has no option for a certificate authority; each request may bring its agent. */
async function trust(pipeline: Pipeline, url: URL, ca: string): Promise<void> {
  const agent = await openAgent(url, ca)
  pipeline.factories.push({
    create: (next) => ({
      sendRequest: (request) => next.sendRequest(Object.assign(request, { agent })),
    }),
  })
}
