/**
 * Reads the archives that the engines come as. A fresh machine may have a Java runtime without `jar`, and
 * no `unzip`; these archives are plain (stored or deflated, no encryption, below 4 GB), so that the reader
 * is smaller than the care of a dependency in the published package.
 *
 *     archive   = member* central* end
 *     central   = 0x02014b50 .. flags@8:u16 method@10:u16 .. crc@16:u32 packed@20:u32 size@24:u32
 *                 nameLength@28:u16 extraLength@30:u16 commentLength@32:u16 .. offset@42:u32 name extra comment
 *     member    = 0x04034b50 .. nameLength@26:u16 extraLength@28:u16 name extra data
 *     end       = 0x06054b50 .. count@10:u16 centralSize@12:u32 centralOffset@16:u32 commentLength@20:u16 comment
 *
 * Layout: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
 */
import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import { CorruptData, Unsupported } from '../base/errors.ts'

export interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly bytes: number
  readonly offset: number
}

const inflate = promisify<Buffer, Buffer>(inflateRaw)
const endBytes = 22
const commentBytesMax = 0xffff
/** No member of an engine's archive comes near this; more is a damaged length. */
const memberBytesMax = 1 << 30

/** An open zip archive. */
export class ZipArchive {
  readonly #file: FileHandle
  readonly path: string
  readonly entries: readonly ZipEntry[]

  private constructor(file: FileHandle, archivePath: string, entries: readonly ZipEntry[]) {
    this.#file = file
    this.path = archivePath
    this.entries = entries
  }

  /** Opens an archive and reads its table of contents. Throws CorruptData, Unsupported. */
  static async open(archivePath: string): Promise<ZipArchive> {
    const file = await open(archivePath)
    try {
      return new ZipArchive(file, archivePath, await readEntries(file, archivePath))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The bytes of one member, checked against its CRC32. */
  async read(entry: ZipEntry): Promise<Buffer> {
    const header = await readAt(this.#file, this.path, { offset: entry.offset, length: 30 })
    expectMagic(header, 0, 0x04034b50, this.path, entry.offset)
    const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    const packed = await readAt(this.#file, this.path, { offset: start, length: entry.packedBytes })
    const bytes = entry.method === 0 ? packed : await this.#inflate(packed, entry, start)
    if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc) {
      throw new CorruptData({
        file: `${this.path}!${entry.name}`,
        offset: start,
        expected: `${entry.bytes} bytes with CRC32 ${entry.crc}`,
        found: `${bytes.length} bytes with CRC32 ${crc32(bytes)}`,
      })
    }
    return bytes
  }

  async #inflate(packed: Buffer, entry: ZipEntry, offset: number): Promise<Buffer> {
    try {
      return await inflate(packed)
    } catch (cause) {
      const file = `${this.path}!${entry.name}`
      throw new CorruptData({ file, offset, expected: 'deflated bytes', found: 'others' }, cause)
    }
  }

  /**
   * Writes every member whose name `rename` turns into a path (undefined: left out) below a folder.
   * Files are 0644 and folders 0755, so that the unprivileged user who runs the engine can read them.
   */
  async extract(
    folder: string,
    rename: (name: string) => string | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const entry of this.entries) {
      signal?.throwIfAborted()
      const name = entry.name.endsWith('/') ? undefined : rename(entry.name)
      if (name === undefined) continue
      const target = path.resolve(folder, name)
      if (!target.startsWith(path.resolve(folder) + path.sep)) {
        const found = entry.name
        throw new CorruptData({ file: this.path, offset: 0, expected: 'names inside', found })
      }
      await mkdir(path.dirname(target), { recursive: true, mode: 0o755 })
      await writeFile(target, await this.read(entry), { mode: 0o644 })
    }
  }

  /** Reads every member and keeps nothing. Throws CorruptData. */
  async check(): Promise<void> {
    for (const entry of this.entries) await this.read(entry)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function readEntries(file: FileHandle, name: string): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const tailBytes = Math.min(size, endBytes + commentBytesMax)
  const tail = await readAt(file, name, { offset: size - tailBytes, length: tailBytes })
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (end < 0 || end + endBytes > tail.length) {
    throw new CorruptData({ file: name, offset: size, expected: 'a zip archive', found: 'no end' })
  }
  const count = tail.readUInt16LE(end + 10)
  const length = tail.readUInt32LE(end + 12)
  const offset = tail.readUInt32LE(end + 16)
  if (offset === 0xffffffff || count === 0xffff) {
    throw new Unsupported({ file: name, offset: size, expected: 'plain zip', found: 'zip64' })
  }
  return parseEntries(await readAt(file, name, { offset, length }), { name, count, offset })
}

function parseEntries(
  central: Buffer,
  where: { name: string; count: number; offset: number },
): ZipEntry[] {
  const entries: ZipEntry[] = []
  let at = 0
  for (let i = 0; i < where.count; i++) {
    if (at + 46 > central.length) throw truncated(where.name, where.offset + at, 46)
    expectMagic(central, at, 0x02014b50, where.name, where.offset + at)
    const nameEnd = at + 46 + central.readUInt16LE(at + 28)
    const entry: ZipEntry = {
      name: central.toString('utf8', at + 46, nameEnd),
      method: central.readUInt16LE(at + 10),
      crc: central.readUInt32LE(at + 16),
      packedBytes: central.readUInt32LE(at + 20),
      bytes: central.readUInt32LE(at + 24),
      offset: central.readUInt32LE(at + 42),
    }
    const supported = entry.method === 0 || entry.method === 8
    if (!supported || (central.readUInt16LE(at + 8) & 1) !== 0) {
      const found = `method ${entry.method}`
      throw new Unsupported({
        file: `${where.name}!${entry.name}`,
        offset: where.offset + at,
        expected: 'stored or deflated, not encrypted',
        found,
      })
    }
    entries.push(entry)
    at = nameEnd + central.readUInt16LE(at + 30) + central.readUInt16LE(at + 32)
  }
  return entries
}

async function readAt(
  file: FileHandle,
  name: string,
  range: { offset: number; length: number },
): Promise<Buffer> {
  const { size } = await file.stat()
  if (range.length > memberBytesMax || range.offset + range.length > size) {
    throw truncated(name, range.offset, range.length)
  }
  const buffer = Buffer.allocUnsafe(range.length)
  const { bytesRead } = await file.read(buffer, 0, range.length, range.offset)
  if (bytesRead !== range.length) throw truncated(name, range.offset, range.length)
  return buffer
}

function truncated(file: string, offset: number, length: number): CorruptData {
  return new CorruptData({ file, offset, expected: `${length} bytes`, found: 'end of archive' })
}

function expectMagic(bytes: Buffer, at: number, magic: number, file: string, offset: number): void {
  const found = bytes.readUInt32LE(at)
  if (found === magic) return
  const hex = (value: number) => `0x${value.toString(16)}`
  throw new CorruptData({ file, offset, expected: hex(magic), found: hex(found) })
}
