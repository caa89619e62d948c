import { statSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { CorruptData, MigrationError } from '../base/errors.ts'
import { blobPathParts, pathWithout } from './blob-path.ts'
import type { BlobEntry, BlobStore, ByteSource } from './byte-source.ts'
import { checkRange, readInto } from './range.ts'

/** How many files stay open for the next read; reads in flight may hold more for a moment. */
const handlesMax = 64
/** How many stat calls of a listing are under way at once. */
const statsAtOnce = 32

/**
 * The blobs below one folder. Files are opened at their first read and the least recently read ones are closed when
 * more than `handlesMax` are open, so a snapshot of any number of files can be read.
 */
export function createFileStore(location: string, folder: string): BlobStore {
  checkFolder(location, folder)
  const handles = new HandlePool()
  return {
    location,
    isFar: false,
    list: (name) => listFolder(folder, name),
    open: (path) => openFile(folder, path, handles),
    above(path) {
      const root = pathWithout(folder, path)
      return root ? createFileStore(location, root) : undefined
    },
  }
}

function checkFolder(location: string, folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  throw new MigrationError(
    'MA_REPOSITORY',
    found === undefined
      ? `there is no folder ${folder} (repository ${location}): check the path and that it is mounted on this machine`
      : `${folder} (repository ${location}) is a file: give the folder that holds index-N and indices/`,
  )
}

async function listFolder(folder: string, name: string): Promise<BlobEntry[]> {
  const path = name === '' ? folder : inside(folder, name)
  let names: string[]
  try {
    names = await readdir(path)
  } catch (error) {
    if (isMissing(error)) return []
    throw readError(path, error, 'list (r and x on the folder)')
  }
  const entries: BlobEntry[] = []
  for (let start = 0; start < names.length; start += statsAtOnce) {
    const some = names.slice(start, start + statsAtOnce)
    const found = await Promise.all(some.map((file) => statFile(join(path, file))))
    some.forEach((file, i) => {
      const byteLength = found[i]
      if (byteLength !== undefined) entries.push({ name: file, byteLength })
    })
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** The length of a regular file; undefined for anything else: opening a pipe would wait for ever. */
async function statFile(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw readError(path, error, 'stat (x on its folders)')
  }
}

async function openFile(folder: string, name: string, handles: HandlePool): Promise<ByteSource> {
  const path = inside(folder, name)
  const byteLength = await statFile(path)
  if (byteLength === undefined) {
    throw new MigrationError('MA_BLOB_MISSING', `there is no blob ${name} in ${folder}`, {
      details: { blob: name },
    })
  }
  return {
    name,
    byteLength,
    async read(offset, length, into) {
      checkRange(name, byteLength, offset, length)
      const bytes = readInto(name, length, into)
      await handles.use(path, (handle) => readFully(handle, path, bytes, offset))
      return bytes
    },
    close: () => handles.release(path),
  }
}

async function readFully(
  handle: FileHandle,
  path: string,
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done)
    if (bytesRead === 0) {
      throw new CorruptData({
        file: path,
        offset: offset + done,
        expected: `${bytes.length - done} more bytes, as its length said`,
        found: 'the end of the file: it became shorter while it was read',
      })
    }
    done += bytesRead
  }
}

/** A path of the store inside its folder. */
function inside(folder: string, name: string): string {
  return join(folder, ...blobPathParts(folder, name))
}

interface OpenFile {
  readonly handle: Promise<FileHandle>
  readers: number
}

/** Open files by path, least recently used first. */
class HandlePool {
  readonly #open = new Map<string, OpenFile>()

  async use<T>(path: string, read: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#take(path)
    file.readers++
    try {
      return await read(await file.handle)
    } catch (error) {
      if (error instanceof MigrationError) throw error
      throw readError(path, error, 'read (r on the file, x on its folders)')
    } finally {
      file.readers--
      this.#trim()
    }
  }

  /** Closes the file if it is open and nobody reads it; another source of the same path opens it again. */
  async release(path: string): Promise<void> {
    const file = this.#open.get(path)
    if (file === undefined || file.readers > 0) return
    this.#open.delete(path)
    await (await file.handle).close()
  }

  /** The file, now the most recently used one. */
  #take(path: string): OpenFile {
    const known = this.#open.get(path)
    const file = known ?? { handle: open(path, 'r'), readers: 0 }
    if (known === undefined) file.handle.catch(() => this.#open.delete(path))
    this.#open.delete(path)
    this.#open.set(path, file)
    return file
  }

  #trim(): void {
    for (const [path, file] of this.#open) {
      if (this.#open.size <= handlesMax) return
      if (file.readers > 0) continue
      this.#open.delete(path)
      void file.handle.then((handle) => handle.close()).catch(() => undefined)
    }
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function readError(path: string, error: unknown, needed: string): MigrationError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new MigrationError('MA_BLOB_MISSING', `there is no blob ${path} any more`, {
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new MigrationError(
      'MA_BLOB_READ',
      `${path} may not be read by user ${userName()}: give that user permission to ${needed}`,
      { cause: error, details: { path } },
    )
  }
  return new MigrationError('MA_BLOB_READ', `${path} could not be read: ${message}`, {
    cause: error,
    details: { path },
    retryable: code === 'EIO' || code === 'EAGAIN' || code === 'ETIMEDOUT' || code === 'ESTALE',
  })
}

function userName(): string {
  const uid = process.geteuid?.()
  try {
    const { username, uid: own } = userInfo()
    return own === uid ? `${username} (uid ${uid})` : `with uid ${uid}`
  } catch {
    return `with uid ${uid}`
  }
}
