import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { MigrationError } from '../base/errors.ts'

/** Takes whole files away, to object storage for example. */
export type TakeFile = (path: string, name: string) => Promise<void>

export interface TupleFilesOptions {
  readonly folder: string
  /** First in each file. */
  readonly header: string
  readonly fileBytesMax: number
  readonly fileTimeMaxMs: number
  /** Files that are whole go there, and are then removed here. */
  readonly take?: TakeFile | undefined
  readonly onWait: (key: string, what: string | undefined) => void
}

/** How far what was written is to be relied on. */
export interface TupleMark {
  readonly file: string
  readonly bytes: number
}

interface OpenFile {
  readonly handle: FileHandle
  readonly name: string
  bytes: number
  readonly since: number
}

const batchBytes = 1024 * 1024
const compress = promisify(gzip)
const ending = '.ndjson.gz'
const partEnding = `${ending}.part`

/**
 * Lines of JSON in files, packed in gzip members of about 1 MB, mode 0600. The one that is written ends in `.part`; it is
 * renamed when it is whole. What is given is written by mark(), or when enough of it has come; the bytes up to a mark stay
 * when a run goes on from it, and what was written behind it is cut off.
 */
export class TupleFiles {
  readonly #options: TupleFilesOptions
  #lines: string[] = []
  #chars = 0
  #file: OpenFile | undefined
  #number = 0
  #writing: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined
  #marked: TupleMark | null = null

  /** `from`: where this replay goes on; `others`: where others will. */
  static async open(
    options: TupleFilesOptions,
    from: TupleMark | null = null,
    others: readonly TupleMark[] = [],
  ): Promise<TupleFiles> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const files = new TupleFiles(options)
    await files.#goOn(from, others)
    await files.#takeWhole()
    return files
  }

  private constructor(options: TupleFilesOptions) {
    this.#options = options
  }

  /** Characters that are given and not on the way to a file. */
  get waitingChars(): number {
    return this.#chars
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#chars += line.length
    if (this.#chars >= batchBytes) void this.#write(this.#cut())
  }

  /** Writes all that was given until now, and tells up to where the file belongs to it. Throws what kept it from being written. */
  async mark(): Promise<TupleMark | null> {
    await this.#write(this.#cut())
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#marked
  }

  /** Begins another file where this one is long or old enough; to be called when the last mark is kept. */
  async rotate(): Promise<void> {
    const { fileBytesMax, fileTimeMaxMs } = this.#options
    const file = this.#file
    if (file === undefined) return
    if (file.bytes < fileBytesMax && Date.now() - file.since < fileTimeMaxMs) return
    this.#writing = this.#writing.then(() => this.#end())
    await this.#writing
  }

  /** The file that is written becomes whole. */
  async close(): Promise<void> {
    await this.#write(this.#cut())
    await this.#end()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #cut(): string {
    const text = this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`
    this.#lines = []
    this.#chars = 0
    return text
  }

  /** One after the other; the first that fails is the last. */
  #write(text: string): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      if (this.#failure !== undefined) return
      try {
        if (text !== '') await this.#append(text)
        this.#note()
      } catch (error) {
        this.#failure = { error: writeError(this.#options.folder, error) }
      }
    })
    return this.#writing
  }

  async #append(text: string): Promise<void> {
    const file = (this.#file ??= await this.#begin())
    const packed = await compress(text, { level: constants.Z_BEST_SPEED })
    await file.handle.appendFile(packed)
    file.bytes += packed.length
  }

  async #begin(): Promise<OpenFile> {
    const name = `${this.#stamp()}${ending}`
    const handle = await open(join(this.#options.folder, `${name}.part`), 'ax', 0o600)
    const header = await compress(`${this.#options.header}\n`)
    await handle.appendFile(header)
    return { handle, name, bytes: header.length, since: Date.now() }
  }

  #stamp(): string {
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
    return `tuples-${time}-${process.pid}-${String(this.#number++).padStart(4, '0')}`
  }

  async #end(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    await file.handle.datasync()
    await file.handle.close()
    const path = join(this.#options.folder, file.name)
    await rename(`${path}.part`, path)
    this.#note()
    await this.#takeWhole()
  }

  /** Of what a killed run has left, only what a checkpoint knows of is kept: the rest is replayed again. */
  async #goOn(from: TupleMark | null, others: readonly TupleMark[]): Promise<void> {
    const { folder } = this.#options
    for (const entry of await readdir(folder)) {
      if (!entry.endsWith(partEnding)) continue
      const name = entry.slice(0, -'.part'.length)
      const path = join(folder, entry)
      const mark = from?.file === name ? from : others.find(({ file }) => file === name)
      if (mark === undefined) {
        await rm(path)
        continue
      }
      const handle = await open(path, 'a', 0o600)
      const bytes = Math.min((await handle.stat()).size, mark.bytes)
      await handle.truncate(bytes)
      if (mark === from) this.#file = { handle, name, bytes, since: Date.now() }
      else {
        await handle.close()
        await rename(path, join(folder, name))
      }
    }
    this.#note()
  }

  #note(): void {
    const file = this.#file
    this.#marked = file === undefined ? null : { file: file.name, bytes: file.bytes }
  }

  async #takeWhole(): Promise<void> {
    const { folder, take, onWait } = this.#options
    if (take === undefined) return
    for (const name of (await readdir(folder)).filter((one) => one.endsWith(ending)).sort()) {
      try {
        await take(join(folder, name), name)
        await rm(join(folder, name))
        onWait('tuples', undefined)
      } catch (error) {
        // It stays here, and is taken when the next one is whole.
        onWait('tuples', (error as Error).message)
        return
      }
    }
  }
}

function writeError(folder: string, error: unknown): MigrationError {
  return new MigrationError(
    'MA_STATE',
    `tuples cannot be written to ${folder}: ${(error as Error).message}. Make room there, or name another place (shadow.tuples.to); then start again`,
    { cause: error, details: { folder } },
  )
}
