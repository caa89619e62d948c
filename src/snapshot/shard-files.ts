import assert from 'node:assert/strict'
import { CorruptData, MigrationError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { BlobStore, ByteSource } from '../blob/byte-source.ts'
import { readAhead } from '../blob/read-ahead.ts'
import { concatenatedSource, memorySource } from '../blob/sources.ts'
import type { SourcePart } from '../blob/sources.ts'
import { Fields, isPathSegment } from './fields.ts'
import { framedBlobs, type SnapshotBlobs } from './snapshot-blobs.ts'
import type { ShardFile, ShardFiles } from './snapshot.ts'

/**
 * The file list of one shard in one snapshot, indices/<index id>/<shard>/snap-<snapshot uuid>.dat, specified in
 * Elasticsearch's BlobStoreIndexShardSnapshot:
 *
 *   { name, index_version, start_time, time, number_of_files, total_size, files: [file] }
 *   file = { name: blob, physical_name: Lucene name, length, checksum?, part_size?, written_by?, meta_hash?: bytes }
 *
 * A file longer than part_size (the repository's chunk_size) lies in blobs <name>.part0, .part1 …, all but the last of
 * part_size bytes. A blob name that begins with v__ (since 7.5) is in no blob: meta_hash is the whole content.
 */
export interface ShardLocation {
  readonly index: string
  readonly shard: number
  /** indices/<index id>/<shard> */
  readonly folder: string
  readonly snapshotUuid: string
  /** framedBlobs unless said. */
  readonly blobs?: SnapshotBlobs
}

const virtualPrefix = 'v__'

/** A file of Lucene is not cut into more parts, or its list is nonsense. */
const partsMax = 1_000_000

/**
 * Reads a shard's file list and compares it with the blobs that are there: each must exist in its length. Where the
 * place tells no listing this is found out when a blob is read. Throws MA_BLOB_MISSING naming blob, file, index and
 * shard, or CorruptData.
 */
export async function openShardFiles(
  store: BlobStore,
  location: ShardLocation,
): Promise<ShardFiles> {
  const { folder, snapshotUuid, blobs: layout = framedBlobs } = location
  const path = layout.shardFiles(folder, snapshotUuid)
  const json = await layout.read(store, path, 'snapshot')
  const listing = await store.list(location.folder)
  const blobs = listing && new Map(listing.map(({ name, byteLength }) => [name, byteLength]))
  const files = new Map<string, ListedFile>()
  for (const fields of new Fields(path, '', json).each('files')) {
    const file = parseFile(fields, location, blobs)
    if (files.has(file.name)) {
      throw fields.wrong('physical_name', 'each file once', file.name)
    }
    files.set(file.name, file)
  }
  return shardFiles(store, location, files)
}

interface ListedFile extends ShardFile {
  readonly content?: Buffer
  readonly partBytes: readonly number[]
}

function parseFile(
  fields: Fields,
  location: ShardLocation,
  blobs: ReadonlyMap<string, number> | undefined,
): ListedFile {
  const name = fields.text('physical_name')
  if (!isFileName(name)) throw fields.wrong('physical_name', 'the name of a Lucene file', name)
  const blob = fields.pathSegment('name')
  const byteLength = fields.count('length')
  const checksum = fields.optionalText('checksum')
  const writtenBy = fields.optionalText('written_by')
  const common = {
    name,
    byteLength,
    ...(checksum !== undefined && { checksum }),
    ...(writtenBy !== undefined && { writtenBy }),
  }
  if (blob.startsWith(virtualPrefix)) {
    return { ...common, blobs: [], partBytes: [], content: virtualContent(fields, byteLength) }
  }
  return { ...common, ...findParts({ name, blob, byteLength }, fields, location, blobs) }
}

function virtualContent(fields: Fields, byteLength: number): Buffer {
  const content = Buffer.from(fields.optionalText('meta_hash') ?? '', 'base64')
  if (content.length !== byteLength) {
    throw fields.wrong(
      'meta_hash',
      `the ${byteLength} bytes of a virtual file`,
      `${content.length} bytes` as Json,
    )
  }
  return content
}

/** The blobs of a file, each checked to be there in the length that the list implies. */
function findParts(
  file: { name: string; blob: string; byteLength: number },
  fields: Fields,
  location: ShardLocation,
  blobs: ReadonlyMap<string, number> | undefined,
): { blobs: string[]; partBytes: number[] } {
  const partSize = parsePartSize(fields)
  const count = Math.max(1, Math.ceil(file.byteLength / partSize))
  if (blobs === undefined && count > partsMax) {
    throw fields.wrong('part_size', `at most ${partsMax} parts`, partSize)
  }
  const names: string[] = []
  const partBytes: number[] = []
  for (let i = 0; i < count; i++) {
    const name = count > 1 ? `${file.blob}.part${i}` : file.blob
    const expected =
      count > 1 ? Math.min(partSize, file.byteLength - i * partSize) : file.byteLength
    // Stops at the first absent part, so that a wild count costs nothing.
    if (blobs) checkBlob({ ...file, blob: name, expected, found: blobs.get(name) }, location)
    names.push(`${location.folder}/${name}`)
    partBytes.push(expected)
  }
  return { blobs: names, partBytes }
}

/** Without chunk_size the engines write 0, nothing, or 2^63 - 1, which the SMILE parser gives as text. */
function parsePartSize(fields: Fields): number {
  if (fields.object['part_size'] === '9223372036854775807') return Infinity
  return fields.optionalCount('part_size') || Infinity
}

function checkBlob(
  blob: { name: string; blob: string; expected: number; found: number | undefined },
  location: ShardLocation,
): void {
  const path = `${location.folder}/${blob.blob}`
  const { index, shard } = location
  if (blob.found === undefined) {
    throw new MigrationError(
      'MA_BLOB_MISSING',
      `blob ${path} is not in the repository: it holds file ${blob.name} of index ${index}, shard ${shard}. ` +
        'The repository is damaged or was copied in part: copy it again, or take another snapshot.',
      { details: { blob: path, file: blob.name, index, shard } },
    )
  }
  if (blob.found !== blob.expected) {
    throw new CorruptData({
      file: path,
      offset: Math.min(blob.found, blob.expected),
      expected: `${blob.expected} bytes for file ${blob.name} of index ${index}, shard ${shard}`,
      found: `${blob.found} bytes`,
    })
  }
}

function shardFiles(
  store: BlobStore,
  { index, shard }: ShardLocation,
  files: ReadonlyMap<string, ListedFile>,
): ShardFiles {
  const name = `${index}/${shard}`
  let byteLength = 0
  for (const file of files.values()) byteLength += file.byteLength
  return {
    name,
    index,
    shard,
    isFar: store.isFar,
    byteLength,
    names: () => files.keys(),
    has: (file) => files.has(file),
    file(file) {
      const listed = files.get(file)
      assert(listed, `${name} has no file ${file}`)
      return listed
    },
    async open(file) {
      const listed = files.get(file)
      if (listed === undefined) throw missingFile(file, index, shard)
      return openFile(store, listed)
    },
  }
}

async function openFile(store: BlobStore, file: ListedFile): Promise<ByteSource> {
  if (file.content !== undefined) return memorySource(file.name, file.content)
  const parts = file.blobs.map((blob, i): SourcePart => {
    const byteLength = file.partBytes[i]!
    return { byteLength, open: () => store.open(blob, { byteLength }) }
  })
  const source = concatenatedSource(file.name, parts)
  return store.isFar ? readAhead(source) : source
}

function missingFile(file: string, index: string, shard: number): MigrationError {
  return new MigrationError(
    'MA_BLOB_MISSING',
    `the snapshot has no file ${file} for index ${index}, shard ${shard}: its file list is incomplete`,
    { details: { file, index, shard } },
  )
}

/** Lucene's own names have letters, digits, dots and underscores; codecs of plug-ins may add a little. */
function isFileName(name: string): boolean {
  return isPathSegment(name) && !/[*?"<>|,\s]/.test(name)
}
