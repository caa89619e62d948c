import type { RangeRead, RemoteBlobs } from './remote-store.ts'

/** The SDK of a service is loaded, and credentials are looked up, when the first blob is asked for. */
export function openedAtFirstRequest(open: () => Promise<RemoteBlobs>): RemoteBlobs {
  let opening: Promise<RemoteBlobs> | undefined
  const blobs = (): Promise<RemoteBlobs> => (opening ??= open())
  return {
    listPage: async (folder, mark, signal) => (await blobs()).listPage!(folder, mark, signal),
    readRange: async (range, signal) => (await blobs()).readRange(range, signal),
  }
}

/** No range lies within an object without bytes: services refuse each that is asked for. */
export const emptyBlob: RangeRead = { byteLength: 0, count: 0 }

/** What a failed listing is called in messages. */
export function listingName(folder: string): string {
  return `the listing of ${folder || 'the root'}`
}
