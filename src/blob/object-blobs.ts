import { pathWithout } from './blob-path.ts'
import type { BlobEntry, BlobStore } from './byte-source.ts'
import type { ObjectPlace } from './object-place.ts'
import { createRemoteStore, type RangeRead, type RemoteBlobs } from './remote-store.ts'
import type { RequestLimits } from './retry.ts'

/** The blobs of a place in object storage, which `open` reaches. */
export function createObjectStore(
  location: string,
  place: ObjectPlace,
  open: (place: ObjectPlace) => Promise<RemoteBlobs>,
  requests: RequestLimits | undefined,
): BlobStore {
  const blobs = openedAtFirstRequest(() => open(place))
  return {
    ...createRemoteStore(location, blobs, requests),
    above(path) {
      const prefix = pathWithout(place.prefix, path)
      if (prefix === undefined) return undefined
      return createObjectStore(location, { ...place, prefix }, open, requests)
    },
  }
}

/** The SDK of a service is loaded, and credentials are looked up, when the first blob is asked for. */
function openedAtFirstRequest(open: () => Promise<RemoteBlobs>): RemoteBlobs {
  let opening: Promise<RemoteBlobs> | undefined
  const blobs = (): Promise<RemoteBlobs> => (opening ??= open())
  return {
    listPage: async (folder, mark, signal) => (await blobs()).listPage!(folder, mark, signal),
    readRange: async (range, signal) => (await blobs()).readRange(range, signal),
  }
}

/** No range lies within an object without bytes: services refuse each that is asked for. */
export const emptyBlob: RangeRead = { byteLength: 0, count: 0 }

/** The objects of a page of keys as blobs of the folder whose keys begin with `within`. */
export function entriesWithin(
  within: string,
  objects: Iterable<{ readonly key: string; readonly byteLength: number }>,
): BlobEntry[] {
  const entries: BlobEntry[] = []
  for (const { key, byteLength } of objects) {
    const name = key.slice(within.length)
    // A key that ends with a slash stands for a folder that a console has made.
    if (name !== '') entries.push({ name, byteLength })
  }
  return entries
}

/** What a failed listing is called in messages. */
export function listingName(folder: string): string {
  return `the listing of ${folder || 'the root'}`
}
