/** The blobs of a repository, each read by what reads it, with the rest of a fixture's repository around it. */
import { deflateRawSync } from 'node:zlib'
import type { Json } from '../../src/base/json.ts'
import type { BlobStore } from '../../src/blob/byte-source.ts'
import { footerBytes, readAnyHeader } from '../../src/bytes/codec.ts'
import { Cursor } from '../../src/bytes/cursor.ts'
import { inflate } from '../../src/bytes/inflate.ts'
import { decompressLzf, isLzf } from '../../src/bytes/lzf.ts'
import { isSmile, parseSmile } from '../../src/bytes/smile.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { memoryStore, repairChecksum } from '../support/memory-store.ts'
import type { Blobs } from '../support/memory-store.ts'
import { encodeSmile } from './encoders.ts'
import { fixtureSets, repositoryOf, unlessRefused } from './fixtures.ts'
import { jsonText, mutateJson } from './json-mutations.ts'
import { mutate, pick } from './mutations.ts'
import type { Random } from './mutations.ts'
import type { Sample, Target } from './target.ts'

/** Blobs of one kind that are taken of each repository. */
const blobsOfEach = 3

/** A repository of which one blob may be another for a while. */
interface Bench {
  readonly set: string
  readonly blobs: Blobs
  /** Paths that were opened since it was cleared. */
  readonly opened: Set<string>
  readonly store: BlobStore
  /** The same place, telling no listing. */
  readonly bare: BlobStore
  readonly snapshots: readonly Snapshot[]
}

let benches: Promise<Bench[]> | undefined

/** 5.x and 6.x keep a list of what they cannot restore, where there is such a thing: no fixture has it. */
const incompatibleBlob = 'incompatible-snapshots'
const incompatibleJson = '{"incompatible-snapshots":[{"name":"old","uuid":"old-uuid"}]}'

function openBenches(): Promise<Bench[]> {
  benches ??= Promise.all(fixtureSets().map(openBench))
  return benches
}

async function openBench(set: string): Promise<Bench> {
  const blobs = new Map(repositoryOf(set))
  if (/elasticsearch-[56]/.test(set)) blobs.set(incompatibleBlob, Buffer.from(incompatibleJson))
  const opened = new Set<string>()
  const memory = memoryStore(blobs)
  const store: BlobStore = {
    ...memory,
    open(path) {
      opened.add(path)
      return memory.open(path)
    },
  }
  const repository = await openRepository(store)
  const usable = repository.snapshots.filter(({ state }) => /SUCCESS|PARTIAL|UNKNOWN/.test(state))
  const snapshots: Snapshot[] = []
  for (const { name } of usable) {
    const snapshot = await unlessRefused(() => repository.openSnapshot(name))
    if (snapshot !== undefined) snapshots.push(snapshot)
  }
  return { set, blobs, opened, store, bare: { ...store, list: async () => undefined }, snapshots }
}

/** Samples: the blobs of each repository that one of the reads opens and whose path is of the pattern. */
function ofBlobs(
  name: string,
  pattern: RegExp,
  readsOf: (bench: Bench) => readonly (() => Promise<unknown>)[],
): Target {
  return {
    name,
    bytesPerByte: 4000,
    async samples() {
      const samples: Sample[] = []
      for (const bench of await openBenches()) {
        let left = blobsOfEach
        for (const read of readsOf(bench)) {
          bench.opened.clear()
          if ((await unlessRefused(read)) === undefined) continue
          const path = [...bench.opened].find((one) => pattern.test(one) && bench.blobs.has(one))
          if (path !== undefined && left-- > 0) samples.push(blobSample(bench, path, read))
        }
      }
      return samples
    },
  }
}

function blobSample({ set, blobs }: Bench, path: string, read: () => Promise<unknown>): Sample {
  const bytes = blobs.get(path)!
  const content = contentOf(bytes)
  return {
    name: `${set} ${path}`,
    bytes,
    guarded: content.framed,
    vary: (random) => varyBlob(random, content),
    async decode(hostile) {
      blobs.set(path, hostile)
      try {
        const value = await read()
        // It will be shown, and sent.
        JSON.stringify(value)
        return value
      } finally {
        blobs.set(path, bytes)
      }
    },
  }
}

interface Content {
  readonly framed: boolean
  readonly bytes: Buffer
  /** Decompressed. */
  readonly plain: Buffer
  /** undefined: not JSON in any form. */
  readonly json: Json | undefined
  readonly compress: (plain: Buffer) => Buffer
  /** The blob with that content. */
  readonly seal: (content: Buffer) => Uint8Array
}

function contentOf(blob: Uint8Array): Content {
  const { head, bytes } = unframed(blob)
  const framed = head.length > 0
  const isDeflated = bytes.toString('latin1', 0, 4) === 'DFL\0'
  const compress = (plain: Buffer): Buffer => {
    if (isDeflated) return Buffer.concat([Buffer.from('DFL\0'), deflateRawSync(plain)])
    return isLzf(bytes) ? lzfOf(plain) : plain
  }
  const plain = isDeflated
    ? inflateAll(bytes.subarray(4))
    : isLzf(bytes)
      ? decompressLzf(bytes, { file: 'fixture', bytesMax: 1e9 })
      : bytes
  const footer = Buffer.from(blob.subarray(-footerBytes))
  const seal = (content: Buffer): Uint8Array =>
    framed ? repairChecksum(Buffer.concat([head, content, footer])) : content
  return { framed, bytes, plain, json: jsonOf(plain), compress, seal }
}

function unframed(blob: Uint8Array): { head: Buffer; bytes: Buffer } {
  const whole = Buffer.from(blob)
  if (whole.length < 4 || whole.readInt32BE() !== 0x3fd76c17)
    return { head: Buffer.alloc(0), bytes: whole }
  const cursor = new Cursor('fixture', whole)
  readAnyHeader(cursor)
  const { position } = cursor
  return { head: whole.subarray(0, position), bytes: whole.subarray(position, -footerBytes) }
}

function jsonOf(plain: Buffer): Json | undefined {
  if (isSmile(plain)) return parseSmile(plain, 'fixture')
  try {
    return JSON.parse(plain.toString()) as Json
  } catch {
    return undefined
  }
}

/** As chunks of LZF that are not compressed. */
function lzfOf(plain: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < plain.length; at += 0xffff) {
    const piece = plain.subarray(at, at + 0xffff)
    chunks.push(Buffer.from([0x5a, 0x56, 0, piece.length >> 8, piece.length & 0xff]), piece)
  }
  return Buffer.concat(chunks)
}

function inflateAll(bytes: Buffer): Buffer {
  for (let outputBytes = bytes.length * 2; ; outputBytes++) {
    try {
      return inflate('deflate', { input: bytes, outputBytes }, { file: 'fixture', offset: 0 })
    } catch (error) {
      const found = /found (\d+)$/.exec((error as Error).message)
      outputBytes = found === null ? outputBytes * 2 : Number(found[1]) - 1
    }
  }
}

/** Hostile bytes in place of the content, of what it decompresses to, or a hostile tree in place of what that means. */
function varyBlob(random: Random, { bytes, plain, json, compress, seal }: Content): Uint8Array {
  const kind = pick(random, json === undefined ? 2 : 4)
  if (kind === 0) return seal(Buffer.from(mutate(random, bytes)))
  if (kind === 1) return seal(compress(Buffer.from(mutate(random, plain))))
  const hostile = mutateJson(random, json!)
  const asText = !isSmile(plain) || random() < 0.2
  return seal(compress(asText ? Buffer.from(jsonText(hostile)) : encodeSmile(random, hostile)))
}

const list = async (store: BlobStore): Promise<unknown> => {
  const { generation, snapshots } = await openRepository(store)
  return { generation, snapshots }
}

const eachIndex = <T>(bench: Bench, read: (snapshot: Snapshot, index: string) => Promise<T>) =>
  bench.snapshots.flatMap((snapshot) =>
    snapshot.indices.map((index) => () => read(snapshot, index)),
  )

async function openFirstShard(snapshot: Snapshot, index: string): Promise<unknown> {
  const files = await snapshot.openShard(index, 0)
  return [...files.names()].map((name) => files.file(name))
}

/** Before 5.0 the root needs a listing. */
const withoutListing = ({ blobs, bare }: Bench): BlobStore[] => (blobs.has('index') ? [] : [bare])

const hasHashes = ({ blobs }: Bench): boolean =>
  [...blobs.keys()].some((path) => path.startsWith('snapshot_shard_paths/'))

const shardFiles = /\/0\/(snap-.*\.dat|snapshot-.*)$/

export const snapshotTargets: readonly Target[] = [
  ofBlobs('root', /^index(-\d+)?$/, (bench) =>
    [bench.store, ...withoutListing(bench)].map((store) => () => list(store)),
  ),
  ofBlobs('index-latest', /^index\.latest$/, (bench) =>
    withoutListing(bench).map((store) => () => list(store)),
  ),
  ofBlobs('incompatible-snapshots', /^incompatible-snapshots$/, ({ store }) => [() => list(store)]),
  ofBlobs('snapshot-info', /^(snap-.*\.dat|snapshot-.*)$/, ({ snapshots, store }) =>
    snapshots.map(({ name }) => async () => {
      const snapshot = await (await openRepository(store)).openSnapshot(name)
      const { state, indices, startTimeMs, endTimeMs, shardFailures } = snapshot
      return { state, indices, startTimeMs, endTimeMs, shardFailures }
    }),
  ),
  ofBlobs('global-metadata', /^(meta-.*\.dat|metadata-.*)$/, ({ snapshots }) =>
    snapshots.map((snapshot) => () => snapshot.readGlobalMetadata()),
  ),
  ofBlobs('index-metadata', /^indices\/[^/]+\/(meta-.*\.dat|snapshot-.*)$/, (bench) =>
    eachIndex(bench, (snapshot, index) => snapshot.readIndexMetadata(index)),
  ),
  ofBlobs('shard-files', shardFiles, (bench) => eachIndex(bench, openFirstShard)),
  // Shards below hashes are not found without one.
  ofBlobs('shard-files-without-listing', shardFiles, (bench) =>
    (hasHashes(bench) ? [] : withoutListing(bench)).flatMap((store) =>
      eachIndex(bench, async ({ name }, index) =>
        openFirstShard(await (await openRepository(store)).openSnapshot(name), index),
      ),
    ),
  ),
  // Of a snapshot opened anew: it keeps what it has read of these.
  ofBlobs('shard-paths', /^snapshot_shard_paths\//, (bench) =>
    eachIndex(bench, async ({ name }, index) =>
      openFirstShard(await (await openRepository(bench.store)).openSnapshot(name), index),
    ),
  ),
]
