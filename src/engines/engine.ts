/**
 * Real engines on this machine, for tests and demonstrations: `startEngine` downloads one when needed
 * (home.ts), starts it on 127.0.0.1 in a folder of its own (launch.ts), under a watchdog that lets nothing
 * outlive this program (watchdog.ts), and answers when it is healthy.
 */
import { execFile } from 'node:child_process'
import {
  chmod,
  chown,
  lchown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
} from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MigrationError } from '../base/errors.ts'
import { engineCatalogue, findEngine } from './catalogue.ts'
import type { EngineKind, EngineRow } from './engine-row.ts'
import { startGuarded, type GuardedProcess } from './guarded-process.ts'
import { askHealth, isListening } from './health.ts'
import { isPrepared, prepareEngine } from './home.ts'
import { javaFor, javaRuntimes } from './java.ts'
import { writeKeystore } from './keystore.ts'
import { prepareLaunch, type LaunchOptions } from './launch.ts'
import { prepareWithPlugin } from './plugins.ts'
import { freePort } from './ports.ts'
import { kafkaArguments } from './services.ts'

export { engineCatalogue, findEngine } from './catalogue.ts'
export type { EngineKind, EngineRow } from './engine-row.ts'

export interface StartEngineOptions {
  readonly kind: EngineKind
  /** As in the catalogue, or short: `7` is 7.10.2. */
  readonly version: string
  /** 0 (default): a free one. */
  readonly port?: number
  /** Where the engine lives; kept when it stops. Without it a temporary folder, removed when it stops. */
  readonly dir?: string
  /** TLS and users: `admin` with password `admin`, and client certificates (`caFile` and its siblings). */
  readonly security?: boolean
  /** 512 by default, which is enough for a few hundred MB of data. */
  readonly heapMb?: number
  /** Lines of the engine's configuration file, name → value as YAML; they win over the launcher's own. */
  readonly settings?: Readonly<Record<string, string>>
  /** A plugin of the catalogue to start it with, e.g. `repository-s3`. */
  readonly plugin?: string
  /** Secure settings, name → secret, for its keystore. OpenSearch only. */
  readonly keystore?: Readonly<Record<string, string>>
  /** How long the engine may take until it is healthy, download excluded. */
  readonly readyTimeoutMs?: number
  readonly signal?: AbortSignal
  /** Told what is being done that takes a while. */
  readonly onProgress?: (message: string) => void
}

export interface Engine {
  readonly kind: EngineKind
  readonly version: string
  /** `http://127.0.0.1:port`, `https:` with security; for Kafka `127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly dir: string
  /** The only folder below which the engine may hold file repositories (`path.repo`); nothing for Kafka and S3. */
  readonly repositoryDir: string
  /** With security: PEM of the CA; beside it client.pem with client-key.pem (user `migrator`) and admin.pem with admin-key.pem. */
  readonly caFile?: string
  readonly adminAuth?: { readonly username: string; readonly password: string }
  /** Stops the engine, waits until it is gone, and removes its folder if that was a temporary one. */
  stop(): Promise<void>
  /** The last lines of what the engine has written. */
  logTail(lines?: number): Promise<string>
}

const defaultHeapMb = 512
const defaultReadyTimeoutMs = 240_000
const stopGraceMs = 20_000
const bindAttemptsMax = 3
const tailLines = 25
const kafkaClusterId = 'MkU3OEVBNTcwNTJENDM2Qg'

const running = new Set<Engine>()
const run = promisify(execFile)

/** Says whether an engine can be had here, and if not, what is missing and how to get it. Starts nothing. */
export async function engineAvailable(
  kind: EngineKind,
  version: string,
  options: { security?: boolean } = {},
): Promise<{ ok: true } | { ok: false; reason: string }> {
  const row = findEngine(kind, version, options.security)
  if (row === undefined) return { ok: false, reason: unknownEngine(kind, version) }
  if ((await javaFor(row.java)) === undefined) return { ok: false, reason: await noJava(row) }
  if (await isPrepared(row, options.security ?? false)) return { ok: true }
  try {
    await run('mvn', ['-v'], { timeout: 60_000 })
    return { ok: true }
  } catch {
    const reason = `Maven, which downloads ${kind} ${row.version}, is not found: install it (for example \`apt-get install maven\`)`
    return { ok: false, reason }
  }
}

/** Starts an engine and waits until it is healthy. Throws MA_ENGINE, or the signal's reason. */
export async function startEngine(options: StartEngineOptions): Promise<Engine> {
  const { kind, version, security = false, signal } = options
  signal?.throwIfAborted()
  const row = findEngine(kind, version, security)
  if (row === undefined) throw new MigrationError('MA_ENGINE', unknownEngine(kind, version))
  if (security && row.security === undefined && row.securityInside !== true) {
    throw new MigrationError('MA_ENGINE', noSecurity(row))
  }
  const java = await javaFor(row.java)
  if (java === undefined) throw new MigrationError('MA_ENGINE', await noJava(row))
  const plain = await prepareEngine(row, { ...pick(options, 'signal', 'onProgress'), security })
  const home =
    options.plugin === undefined
      ? plain
      : await prepareWithPlugin(row, options.plugin, { home: plain, ...pick(options, 'signal') })
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(row, { home, javaHome: java.home }, options)
    } catch (error) {
      const again = error instanceof PortTaken && (options.port ?? 0) === 0
      if (!again || attempt === bindAttemptsMax) throw error
    }
  }
}

/** Stops every engine that this process has started. */
export async function stopAllEngines(): Promise<void> {
  await Promise.all([...running].map((engine) => engine.stop()))
}

class PortTaken extends MigrationError {}

async function startOnce(
  row: EngineRow,
  installed: { home: string; javaHome: string },
  options: StartEngineOptions,
): Promise<Engine> {
  const ownFolder = options.dir === undefined
  const dir = await makeFolder(options.dir)
  try {
    return await startIn(dir, row, installed, options)
  } catch (error) {
    if (ownFolder) await rm(dir, { recursive: true, force: true })
    throw error
  }
}

async function startIn(
  dir: string,
  row: EngineRow,
  installed: { home: string; javaHome: string },
  options: StartEngineOptions,
): Promise<Engine> {
  const isKafka = row.kind === 'kafka'
  // These are told a port, since they do not say which one they took.
  const needsPort = isKafka || row.kind === 's3'
  const launchOptions: LaunchOptions = {
    row,
    ...installed,
    dir,
    port: options.port || (needsPort ? await freePort() : 0),
    transportPort: isKafka ? await freePort() : 0,
    heapMb: options.heapMb ?? defaultHeapMb,
    security: options.security ?? false,
    settings: options.settings ?? {},
  }
  const launch = await prepareLaunch(launchOptions)
  if (isKafka) await formatKafka(launchOptions, launch.command)
  if (options.keystore !== undefined) await writeKeystore(launchOptions, options.keystore)
  const user = await engineUser()
  if (user !== undefined) await giveTo(dir, user)
  const logFile = path.join(dir, 'logs', 'stdout.log')
  const logStart = await sizeOf(logFile)
  const guarded = await startGuarded({
    ...launch,
    logFile,
    ...(user === undefined ? {} : { user }),
    graceMs: stopGraceMs,
    remove: options.dir === undefined ? [dir] : [],
  })
  const started = { row, dir, guarded, logFile, logStart }
  try {
    return register(await untilHealthy(started, launchOptions, options), guarded)
  } catch (error) {
    await guarded.stop()
    throw error
  }
}

function register(engine: Omit<Engine, 'stop'>, guarded: GuardedProcess): Engine {
  const registered: Engine = {
    ...engine,
    stop: async () => {
      await guarded.stop()
      running.delete(registered)
    },
  }
  running.add(registered)
  return registered
}

interface Started {
  readonly row: EngineRow
  readonly dir: string
  readonly guarded: GuardedProcess
  readonly logFile: string
  /** Where this start's output begins in the log file. */
  readonly logStart: number
}

async function untilHealthy(
  started: Started,
  launch: LaunchOptions,
  options: StartEngineOptions,
): Promise<Omit<Engine, 'stop'>> {
  const deadline = Date.now() + (options.readyTimeoutMs ?? defaultReadyTimeoutMs)
  const secured = launch.security
  const caFile = path.join(started.dir, 'config/certs/ca.pem')
  const adminAuth = { username: 'admin', password: 'admin' }
  const ca = secured ? await readFile(caFile) : undefined
  for (;;) {
    options.signal?.throwIfAborted()
    const ended = started.guarded.ended()
    if (ended !== undefined) throw await notStarted(started, `ended (${ended})`)
    if (Date.now() > deadline) throw await notStarted(started, 'did not become healthy in time')
    const port = await portOf(started, launch)
    const url = urlOf(started.row.kind, port, secured)
    if (port !== undefined && (await isReady(started, { port, url, ca, adminAuth }))) {
      return {
        kind: started.row.kind,
        version: started.row.version,
        url,
        port,
        pid: started.guarded.pid,
        dir: started.dir,
        repositoryDir: path.join(started.dir, 'snap'),
        ...(secured ? { caFile, adminAuth } : {}),
        logTail: (lines = tailLines) => tailOf(started.logFile, started.logStart, lines),
      }
    }
    // The engines have no way to say that they are ready but to be asked.
    await wait(200, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

async function isReady(
  started: Started,
  at: { port: number; url: string; ca: Buffer | undefined; adminAuth: Engine['adminAuth'] },
): Promise<boolean> {
  if (started.row.kind === 'kafka') {
    const log = await readFrom(started.logFile, started.logStart)
    return /Kafka Server started|from STARTING to STARTED/.test(log) && isListening(at.port)
  }
  if (started.row.kind === 's3') return isListening(at.port)
  return askHealth(at.url, at.ca === undefined ? {} : { ca: at.ca, auth: at.adminAuth! })
}

function urlOf(kind: EngineKind, port: number | undefined, secured: boolean): string {
  if (kind === 'kafka') return `127.0.0.1:${port}`
  return `${secured ? 'https' : 'http'}://127.0.0.1:${port}`
}

/**
 * The port that the engine says that it has bound. It is told to take any free one unless the caller wants a certain
 * one, so no other process can get in between; and before it says so, whoever answers there is somebody else.
 */
async function portOf(started: Started, launch: LaunchOptions): Promise<number | undefined> {
  if (started.row.kind === 'kafka' || started.row.kind === 's3') return launch.port
  const log = await readFrom(started.logFile, started.logStart)
  const line = /Http\w*\].*publish_address \{(?:[^}]*?)127\.0\.0\.1:(\d+)\]?\}/i.exec(log)
  return line?.[1] === undefined ? undefined : Number(line[1])
}

async function notStarted(started: Started, what: string): Promise<MigrationError> {
  const tail = await tailOf(started.logFile, started.logStart, tailLines)
  const taken =
    /Address already in use|Failed to bind|BindHttpException|BindTransportException/.test(tail)
  const name = `${started.row.kind} ${started.row.version}`
  const message = taken
    ? `${name} could not bind its port on 127.0.0.1: another process has it. Choose another port, or stop that process`
    : `${name} ${what}; folder ${started.dir}. Its last lines:\n${tail}`
  return taken ? new PortTaken('MA_ENGINE', message) : new MigrationError('MA_ENGINE', message)
}

async function formatKafka(launch: LaunchOptions, java: string): Promise<void> {
  const formatted = (await readdir(path.join(launch.dir, 'data'))).includes('meta.properties')
  if (formatted) return
  const args = ['format', '-t', kafkaClusterId, '-c']
  try {
    await run(java, kafkaArguments(launch, 'kafka.tools.StorageTool', ...args), { timeout: 60_000 })
  } catch (cause) {
    const message = `Kafka ${launch.row.version} could not format ${launch.dir}/data: ${String(cause).slice(0, 500)}`
    throw new MigrationError('MA_ENGINE', message, { cause })
  }
}

async function makeFolder(dir: string | undefined): Promise<string> {
  if (dir === undefined) return mkdtemp(path.join(os.tmpdir(), 'osmigrate-engine-'))
  const absolute = path.resolve(dir)
  await mkdir(absolute, { recursive: true })
  return absolute
}

/** Engines refuse to run as root; `nobody` is on every system. */
async function engineUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

async function giveTo(dir: string, user: { uid: number; gid: number }): Promise<void> {
  await chown(dir, user.uid, user.gid)
  await chmod(dir, 0o755)
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    await lchown(path.join(entry.parentPath, entry.name), user.uid, user.gid)
  }
  for (let above = path.dirname(dir); above !== path.dirname(above); above = path.dirname(above)) {
    if (((await stat(above)).mode & 0o001) === 0) {
      throw new MigrationError(
        'MA_ENGINE',
        `as root the engine runs as the user nobody, who cannot enter ${above}: choose a folder elsewhere, or \`chmod a+x ${above}\``,
      )
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0 // the first start in this folder
  }
}

async function readFrom(file: string, offset: number): Promise<string> {
  const handle = await open(file)
  try {
    const bytes = Buffer.alloc(Math.min(1 << 20, Math.max(0, (await handle.stat()).size - offset)))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
    return bytes.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Stack frames say little to a reader of the last lines and push out what matters. */
async function tailOf(file: string, offset: number, lines: number): Promise<string> {
  const size = await sizeOf(file)
  const text = size === 0 ? '' : await readFrom(file, Math.max(offset, size - (1 << 18)))
  const kept = text.split('\n').filter((line) => !/^\s+at /.test(line) && line !== '')
  return kept.slice(-lines).join('\n')
}

function unknownEngine(kind: EngineKind, version: string): string {
  const known = engineCatalogue.filter((row) => row.kind === kind).map((row) => row.version)
  return `there is no ${kind} ${version} in the catalogue of engines; there are: ${known.join(', ')}`
}

function noSecurity(row: EngineRow): string {
  const secured = engineCatalogue.filter(
    (other) =>
      other.kind === row.kind && (other.security !== undefined || other.securityInside === true),
  )
  const versions = secured.map((other) => other.version).join(', ')
  return `${row.kind} ${row.version} cannot be started with security; these can: ${versions || 'none'}`
}

async function noJava(row: EngineRow): Promise<string> {
  const found = (await javaRuntimes()).map((java) => java.major)
  const range = `Java ${row.java[0]} to ${row.java[1]}`
  return (
    `${row.kind} ${row.version} needs ${range}; found: ${found.join(', ') || 'no Java'}. ` +
    `Install one (for example \`apt-get install openjdk-${row.java[0]}-jre-headless\`) or set JAVA_HOME to it`
  )
}

function pick<T, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
  ) as Pick<T, K>
}
