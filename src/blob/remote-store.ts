import assert from 'node:assert/strict'
import { allOf } from '../base/all-of.ts'
import { CorruptData, MigrationError } from '../base/errors.ts'
import { blobPathParts } from './blob-path.ts'
import type { BlobEntry, BlobStore, ByteSource } from './byte-source.ts'
import { checkRange, readInto } from './range.ts'
import { requestDefaults, withRetries, type RequestLimits } from './retry.ts'

/**
 * What object storage and web servers have in common: a request costs a round trip, may fail and is made again; many
 * requests at once are fast. Requests of a store that are under way are bounded, a long range is cut into pieces that
 * are fetched at the same time, and small reads take along what lies beside them.
 */
export interface RemoteBlobs {
  /**
   * One page of the blobs directly in a folder, and the mark of the next page; undefined when the place tells no
   * listing. Absent: it never does.
   */
  listPage?(
    folder: string,
    mark: string | undefined,
    signal: AbortSignal,
  ): Promise<ListPage | undefined>
  /**
   * Fills `into` with what the blob holds from `offset` on. Throws MA_BLOB_MISSING, or MA_BLOB_READ, retryable where
   * that may help.
   */
  readRange(range: RemoteRange, signal: AbortSignal): Promise<RangeRead>
}

/** How any store over the network is reached. */
export interface RemoteStoreOptions {
  /** Of the certificate authority of the server: `file:PATH` or `env:NAME` of PEM. */
  readonly ca?: string
  readonly requests?: RequestLimits
}

export interface ListPage {
  readonly entries: readonly BlobEntry[]
  readonly next?: string
}

export interface RemoteRange {
  readonly path: string
  readonly offset: number
  readonly into: Uint8Array
}

export interface RangeRead {
  /** Bytes of the whole blob. */
  readonly byteLength: number
  /** Bytes that were read: less than asked for only where the blob ends. */
  readonly count: number
}

/** A longer range is fetched in pieces of this many bytes. */
const pieceBytes = 4 * 1024 * 1024
/** A blob of unknown length is opened by reading so much of it: most of those hold metadata and are shorter. */
const headBytes = 64 * 1024
/** A read of up to smallBytes fetches what follows it, too, up to nearBytes in all: small things lie side by side. */
const smallBytes = 40 * 1024
const nearBytes = 128 * 1024
/** So many stretches around small reads are kept for all sources of a store that are open: 8 MB at most. */
const nearMax = 64
/** Keys of one folder: a bound for memory far above what engines write. */
const listedMax = 2_000_000
/** Lengths known from listings are kept for so many blobs. */
const knownLengthsMax = 200_000

export function createRemoteStore(
  location: string,
  blobs: RemoteBlobs,
  limits: RequestLimits = requestDefaults,
): BlobStore {
  const slots = new Slots(limits.atOnce)
  const lengths = new Map<string, number>()
  const near: Near[] = []
  const never = new AbortController().signal
  return {
    location,
    isFar: true,
    async list(folder) {
      if (folder !== '') blobPathParts(location, folder)
      if (blobs.listPage === undefined) return undefined
      const entries = await listAll(location, (mark) =>
        slots.use(() =>
          withRetries((signal) => blobs.listPage!(folder, mark, signal), never, limits),
        ),
      )
      if (entries !== undefined) rememberLengths(lengths, folder, entries)
      return entries
    },
    async open(path, listed) {
      blobPathParts(location, path)
      const closing = new AbortController()
      const fetchRange = (offset: number, into: Uint8Array): Promise<RangeRead> =>
        slots.use(() =>
          withRetries(
            (signal) => blobs.readRange({ path, offset, into }, signal),
            closing.signal,
            limits,
          ),
        )
      const known = lengths.get(path) ?? listed?.byteLength
      const common = { path, closing, fetchRange, near }
      if (known !== undefined) return remoteSource({ ...common, byteLength: known })
      const head = new Uint8Array(headBytes)
      const { byteLength, count } = await fetchRange(0, head)
      const bytes = Promise.resolve(head.subarray(0, count))
      keepNear(near, { reader: closing, offset: 0, end: count, bytes })
      return remoteSource({ ...common, byteLength })
    },
  }
}

async function listAll(
  location: string,
  listPage: (mark: string | undefined) => Promise<ListPage | undefined>,
): Promise<BlobEntry[] | undefined> {
  const entries: BlobEntry[] = []
  let mark: string | undefined
  do {
    const page = await listPage(mark)
    if (page === undefined) return undefined
    for (const entry of page.entries) entries.push(entry)
    if (entries.length > listedMax || (page.next !== undefined && page.next === mark)) {
      throw new MigrationError(
        'MA_BLOB_READ',
        `the listing of ${location} does not end (${entries.length} blobs so far): check what serves it`,
      )
    }
    mark = page.next
  } while (mark !== undefined)
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** Blobs of a repository are written once, so a length stays true. `index.latest` alone is not, and is always 8 bytes. */
function rememberLengths(
  lengths: Map<string, number>,
  folder: string,
  entries: readonly BlobEntry[],
): void {
  if (lengths.size + entries.length > knownLengthsMax) lengths.clear()
  if (entries.length > knownLengthsMax) return
  for (const { name, byteLength } of entries) {
    lengths.set(folder === '' ? name : `${folder}/${name}`, byteLength)
  }
}

interface RemoteSource {
  path: string
  byteLength: number
  closing: AbortController
  fetchRange: (offset: number, into: Uint8Array) => Promise<RangeRead>
  /** Of all sources of the store, the newest last. */
  near: Near[]
}

/** A stretch of a blob in memory, or on its way. */
interface Near {
  /** The source that it was read for. */
  readonly reader: AbortController
  readonly offset: number
  readonly end: number
  readonly bytes: Promise<Uint8Array>
}

function keepNear(near: Near[], one: Near): void {
  near.push(one)
  if (near.length > nearMax) near.shift()
}

function dropNear(near: Near[], isDropped: (one: Near) => boolean): void {
  near.splice(0, near.length, ...near.filter((one) => !isDropped(one)))
}

function remoteSource({ path, byteLength, closing, fetchRange, near }: RemoteSource): ByteSource {
  const fetchPiece = async (offset: number, into: Uint8Array): Promise<void> => {
    const found = await fetchRange(offset, into)
    if (found.byteLength === byteLength && found.count === into.length) return
    throw new CorruptData({
      file: path,
      offset,
      expected: `${into.length} of ${byteLength} bytes`,
      found: `${found.count} of ${found.byteLength}: it is not as listed, or was changed meanwhile`,
    })
  }
  const fetchRead = async (offset: number, bytes: Uint8Array): Promise<Uint8Array> => {
    const { length } = bytes
    const pieces: Promise<void>[] = []
    for (let at = 0; at < length; at += pieceBytes) {
      pieces.push(fetchPiece(offset + at, bytes.subarray(at, Math.min(at + pieceBytes, length))))
    }
    await allOf(pieces)
    return bytes
  }
  const findNear = (offset: number, end: number): Near | undefined =>
    near.find((one) => one.reader === closing && one.offset <= offset && end <= one.end)
  /** A long read may begin with what a small one has taken along. */
  const fetchLong = async (offset: number, target: Uint8Array): Promise<Uint8Array> => {
    const start = findNear(offset, offset + 1)
    if (start === undefined) return fetchRead(offset, target)
    const count = start.end - offset
    await allOf([
      start.bytes.then((bytes) => target.set(bytes.subarray(offset - start.offset))),
      fetchRead(offset + count, target.subarray(count)).then(() => undefined),
    ])
    return target
  }
  const fetchNear = (offset: number): Near => {
    const end = Math.min(byteLength, offset + nearBytes)
    const bytes = fetchRead(offset, new Uint8Array(end - offset))
    const made = { reader: closing, offset, end, bytes }
    bytes.catch(() => dropNear(near, (one) => one === made))
    keepNear(near, made)
    return made
  }
  return {
    name: path,
    byteLength,
    async read(offset, length, into) {
      checkRange(path, byteLength, offset, length)
      assert(!closing.signal.aborted, `${path} is closed`)
      const target = readInto(path, length, into)
      if (length === 0) return target
      const known = findNear(offset, offset + length)
      if (known === undefined && length > smallBytes) return fetchLong(offset, target)
      const { offset: start, bytes } = known ?? fetchNear(offset)
      target.set((await bytes).subarray(offset - start, offset - start + length))
      return target
    },
    async close() {
      closing.abort(new MigrationError('MA_BLOB_READ', `${path} was closed while it was read`))
      dropNear(near, (one) => one.reader === closing)
    },
  }
}

/** At most `max` things at once, in the order in which they came. */
class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(max: number) {
    this.#free = max
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
