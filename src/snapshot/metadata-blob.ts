import { constants, inflateRawSync } from 'node:zlib'
import { CorruptData, Unsupported } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { BlobStore } from '../blob/byte-source.ts'
import { checkFooter, readHeader } from '../bytes/codec.ts'
import { Cursor } from '../bytes/cursor.ts'
import { decompressLzf, isLzf } from '../bytes/lzf.ts'
import { isSmile, parseSmile } from '../bytes/smile.ts'

/**
 * The metadata blobs of a repository (snap-*.dat, meta-*.dat), specified in Elasticsearch's ChecksumBlobStoreFormat:
 *
 *   blob    = header (codec, version 1), content, footer      (bytes/codec.ts; the checksum is over the stored bytes)
 *   content = SMILE | "DFL\0", DEFLATE of SMILE               (the latter when the repository has `compress: true`)
 */
export type MetadataCodec = 'snapshot' | 'metadata' | 'index-metadata'

const formatVersion = 1
const deflateMarker = 'DFL\0'

/** Metadata nested deeper is refused, as it is in SMILE. */
const depthMax = 1000

/** Stored or inflated, no metadata blob may take more memory than this. */
export const metadataBytesMax = 256 * 1024 * 1024

/** Reads and checks one metadata blob. Throws MA_BLOB_MISSING, CorruptData, FormatTooNew, FormatTooOld, Unsupported. */
export async function readMetadataBlob(
  store: BlobStore,
  path: string,
  codec: MetadataCodec,
): Promise<Json> {
  return parseMetadataBlob(await readWhole(store, path), path, codec)
}

/** Reads a blob whole, if it is of a size that metadata may have. */
export async function readWhole(store: BlobStore, path: string): Promise<Buffer> {
  const source = await store.open(path)
  try {
    if (source.byteLength > metadataBytesMax) {
      throw new Unsupported({
        file: path,
        offset: 0,
        expected: `metadata of at most ${metadataBytesMax} bytes`,
        found: `${source.byteLength} bytes`,
      })
    }
    const bytes = await source.read(0, source.byteLength)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  } finally {
    await source.close()
  }
}

export function parseMetadataBlob(bytes: Uint8Array, file: string, codec: MetadataCodec): Json {
  const cursor = new Cursor(file, checkFooter(file, bytes))
  readHeader(cursor, { codec, minVersion: formatVersion, maxVersion: formatVersion })
  const baseOffset = cursor.position
  return parseContent(cursor.readBytes(cursor.remaining), file, baseOffset)
}

/** Parses SMILE or JSON, compressed or not: what the engines call CompressedXContent. */
export function parseContent(content: Buffer, file: string, baseOffset = 0): Json {
  if (content.toString('latin1', 0, deflateMarker.length) === deflateMarker) {
    const inflated = inflate(content.subarray(deflateMarker.length), file, baseOffset)
    return parsePlain(inflated, `${file} (inflated)`, 0)
  }
  if (isLzf(content)) {
    const plain = decompressLzf(content, { file, baseOffset, bytesMax: metadataBytesMax })
    return parsePlain(plain, `${file} (decompressed)`, 0)
  }
  return parsePlain(content, file, baseOffset)
}

function parsePlain(content: Buffer, file: string, baseOffset: number): Json {
  return isSmile(content)
    ? parseSmile(content, file, { baseOffset })
    : parseJson(content, file, baseOffset)
}

export function parseJson(content: Buffer, file: string, baseOffset = 0): Json {
  let json: Json
  try {
    json = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(content)) as Json
  } catch (error) {
    throw new CorruptData(
      {
        file,
        offset: baseOffset,
        expected: 'JSON or SMILE',
        found: `${content.length} other bytes (${(error as Error).message})`,
      },
      error,
    )
  }
  if (!isWithinDepth(json, depthMax)) {
    const expected = `JSON of at most ${depthMax} levels`
    throw new CorruptData({ file, offset: baseOffset, expected, found: 'more' })
  }
  return json
}

/** JSON.parse takes any depth, and whoever walks through the result then runs out of stack. */
function isWithinDepth(json: Json, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return true
  return levels > 0 && Object.values(json).every((value) => isWithinDepth(value, levels - 1))
}

function inflate(bytes: Buffer, file: string, baseOffset: number): Buffer {
  try {
    return inflateRawSync(bytes, {
      maxOutputLength: metadataBytesMax,
      finishFlush: constants.Z_FINISH,
    })
  } catch (error) {
    throw new CorruptData(
      {
        file,
        offset: baseOffset,
        expected: `a DEFLATE stream of at most ${metadataBytesMax} bytes inflated`,
        found: (error as Error).message,
      },
      error,
    )
  }
}
