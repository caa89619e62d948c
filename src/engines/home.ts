/** Homes of engines: the unpacked archive with all its modules, assembled once and kept in a cache folder. */
import {
  access,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { EngineRow } from './engine-row.ts'
import { withCacheLock } from './cache-lock.ts'
import { patchForJava9 } from './java9-patch.ts'
import { copyArtifact, copyDependencies, jarsOf } from './maven.ts'
import { addExtraJars, addModules, borrowModule } from './modules.ts'
import { ZipArchive } from './zip.ts'

/** Changes when homes of the same version must be assembled anew. */
const layoutVersion = 1
export const workPrefix = '.work-'
/** No preparation takes so long: Maven is stopped after a quarter of an hour. */
const abandonedAfterMs = 60 * 60_000

/**
 * Where homes are kept: the user's cache folder; for root, whose home folder no other user can read, a
 * place that the unprivileged user who runs the engines can.
 */
export function engineCacheFolder(): string {
  if (process.getuid?.() === 0) return '/var/cache/osmigrate/engines'
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache')
  return path.join(cache, 'osmigrate', 'engines')
}

/** The folder that the home of a row has, or would have. */
function engineHome(
  row: EngineRow,
  security: boolean,
  cache: string = engineCacheFolder(),
): string {
  const variant = security && row.security !== undefined ? '-secured' : ''
  return path.join(cache, `${row.kind}-${row.version}${variant}-v${layoutVersion}`)
}

/** True if the home is there, complete. */
export async function isPrepared(row: EngineRow, security: boolean): Promise<boolean> {
  return exists(engineHome(row, security))
}

export interface PrepareOptions {
  readonly security: boolean
  /** engineCacheFolder() unless said. */
  readonly cache?: string
  readonly signal?: AbortSignal
  readonly onProgress?: (message: string) => void
}

/** Downloads and assembles an engine unless it is in the cache, and gives its home. Throws MA_ENGINE. */
export async function prepareEngine(row: EngineRow, options: PrepareOptions): Promise<string> {
  const cache = options.cache ?? engineCacheFolder()
  const home = engineHome(row, options.security, cache)
  if (await exists(home)) return home
  await makeReadableFolder(cache)
  return withCacheLock(
    `${home}.lock`,
    async () => {
      if (await exists(home)) return home
      options.onProgress?.(`downloading ${row.kind} ${row.version} (once, kept in ${cache})`)
      await removeAbandoned(cache)
      const work = await mkdtemp(path.join(cache, workPrefix))
      try {
        await assemble(row, work, options)
        await moveIntoPlace(path.join(work, 'home'), home)
      } finally {
        await rm(work, { recursive: true, force: true })
      }
      return home
    },
    options.signal,
  )
}

async function assemble(
  row: EngineRow,
  work: string,
  options: { security: boolean; signal?: AbortSignal },
): Promise<void> {
  const { signal } = options
  const home = path.join(work, 'home')
  await mkdir(home)
  await chmod(home, 0o755) // mkdir's mode is cut by the umask
  if (row.kind === 's3') {
    await copyJars([await copyArtifact(row.archive, work, signal)], path.join(home, 'lib'))
  } else if (row.archive.type === undefined) {
    const coordinates = [row.archive, ...(row.besideArchive ?? [])]
    await copyDependencies([{ name: 'server', coordinates }], work, signal)
    await copyJars(await jarsOf(work, 'server'), path.join(home, 'lib'))
    // The server looks into these and must not make them: its home is not its own.
    for (const name of ['bin', 'config', 'modules']) await mkdir(path.join(home, name))
  } else {
    await unpack(await copyArtifact(row.archive, work, signal), home, { signal, keep: keepOf(row) })
  }
  if (row.kind === 'kafka' || row.kind === 's3') return
  await mkdir(path.join(home, 'plugins'), { recursive: true })
  await addModules(row, home, path.join(work, 'modules'), signal)
  if (row.extraJars !== undefined) await addExtraJars(row.extraJars, home, signal)
  if (row.borrowedModule !== undefined) {
    await borrowModule(row.borrowedModule, { home, work, version: row.version }, signal)
  }
  if (options.security && row.security !== undefined) {
    const plugin = path.join(home, 'plugins', row.security.artifact)
    await unpack(await copyArtifact(row.security, work, signal), plugin, { signal, strip: 0 })
  }
  if (row.beforeJava9 === true) await patchForJava9(row, { home, work }, signal)
  await makeReadable(home)
}

function keepOf(row: EngineRow): (name: string) => boolean {
  const without = (row.withoutModules ?? []).map((name) => `modules/${name}/`)
  return (name) => !without.some((prefix) => name.startsWith(prefix))
}

/** Unpacks an archive into a folder, without the first `strip` (default 1) folders of its names. */
export async function unpack(
  archivePath: string,
  folder: string,
  options: { signal: AbortSignal | undefined; strip?: number; keep?: (name: string) => boolean },
): Promise<void> {
  const archive = await ZipArchive.open(archivePath)
  try {
    const strip = options.strip ?? 1
    await archive.extract(
      folder,
      (name) => {
        const inside = name.split('/').slice(strip).join('/')
        return options.keep?.(inside) === false ? undefined : inside
      },
      options.signal,
    )
  } finally {
    await archive.close()
  }
}

async function copyJars(jars: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const jar of jars) {
    await copyFile(jar, path.join(folder, path.basename(jar)))
  }
  await makeReadable(path.dirname(folder))
}

/** The rename is what makes a home "ready": half a home is never seen under its name. */
async function moveIntoPlace(assembled: string, home: string): Promise<void> {
  try {
    await rename(assembled, home)
  } catch (error) {
    if (!(await exists(home))) throw error // else somebody else was first, with the same content
  }
}

/** What a process that was killed has left half done. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = path.join(cache, name)
    if (!name.startsWith(workPrefix) || (await isFresh(folder))) continue
    await rm(folder, { recursive: true, force: true })
  }
}

/** False also for what another process has just finished with and removed. */
async function isFresh(folder: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(folder)).mtimeMs < abandonedAfterMs
  } catch {
    return false
  }
}

/** For the unprivileged user who runs the engines. */
export async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await chmod(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  }
}

async function makeReadableFolder(cache: string): Promise<void> {
  try {
    const made = await mkdir(cache, { recursive: true, mode: 0o755 })
    if (made === undefined) return
    for (let folder = cache; folder.length >= made.length; folder = path.dirname(folder)) {
      await chmod(folder, 0o755) // whatever the umask is
    }
  } catch (cause) {
    throw new MigrationError(
      'MA_ENGINE',
      `the engine cache ${cache} cannot be made: ${String(cause)}`,
      {
        cause,
      },
    )
  }
}

export async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
