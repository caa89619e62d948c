import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import { MigrationError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import type { BlobStore } from '../../src/blob/byte-source.ts'
import { memorySource } from '../../src/blob/sources.ts'

/** A repository in memory, to be damaged at will: blob path → bytes. */
export type Blobs = Map<string, Uint8Array>

/** All files below a folder, by path with slashes. */
export function loadBlobs(folder: string): Blobs {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path), readFileSync(path)]),
  )
}

export function memoryStore(blobs: Blobs): BlobStore {
  return {
    location: 'memory',
    isFar: false,
    async list(folder) {
      const prefix = folder === '' ? '' : `${folder}/`
      return [...blobs]
        .filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
        .map(([path, bytes]) => ({ name: path.slice(prefix.length), byteLength: bytes.length }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async open(path) {
      const bytes = blobs.get(path)
      if (bytes === undefined) throw new MigrationError('MA_BLOB_MISSING', `no blob ${path}`)
      return memorySource(path, bytes)
    },
  }
}

/** A metadata blob as the engines frame it, with JSON (or other bytes) as its content and a right checksum. */
export function metadataBlob(codec: string, content: Json | Buffer, version = 1): Buffer {
  const body = Buffer.concat([
    int32(0x3fd76c17),
    Buffer.from([codec.length]),
    Buffer.from(codec),
    int32(version),
    Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content)),
    int32(~0x3fd76c17),
    int32(0),
  ])
  return Buffer.concat([body, int32(0), int32(crc32(body))])
}

/** Gives damaged bytes a right checksum again, so that the parser behind it is reached. */
export function repairChecksum(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, -4), int32(crc32(bytes.subarray(0, -8)))])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}
