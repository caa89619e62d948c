/**
 * Emulators of Azure Blob Storage and of Google Cloud Storage for tests: Azurite (Microsoft's own, from npm) and
 * fake-gcs-server (a Go module, built by the machine's Go). Each is downloaded once, checked against the sum below, and
 * kept where the engines are kept. Neither is a dependency: they weigh more than all others together.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { withCacheLock } from '../../src/engines/cache-lock.ts'
import { startGuarded } from '../../src/engines/guarded-process.ts'
import { isListening } from '../../src/engines/health.ts'
import { engineCacheFolder } from '../../src/engines/home.ts'
import { freePort } from '../../src/engines/ports.ts'

export interface Emulator {
  readonly url: string
  readonly port: number
  /** For the options of test(): false, or why it cannot run here. */
  readonly skip: string | false
}

const azurite = {
  name: 'azurite-3.37.0',
  integrity:
    'sha512-dl2AXMkXtVlX9s3U3ttIQFFlKwe64k/ugSIVNT4V3qX488Ncw988rIHAs6apgUtfEzyqwtFN9MZp0Foq60Htag==',
}
const fakeGcs = {
  name: 'fake-gcs-server-1.56.1',
  module: 'github.com/fsouza/fake-gcs-server@v1.56.1',
  sum: 'h1:K03sAvbLvDz4hAynpCCUqnNRp+ik9JFSvHbkD/wTPOU=',
}
/** The only account that Azurite knows here. */
export const azureAccount = {
  name: 'osmigratetest',
  key: Buffer.from('the key of an emulator').toString('base64'),
}

const run = promisify(execFile)
const installTimeoutMs = 10 * 60_000
const readyTimeoutMs = 60_000
const uploadsAtOnce = 16

/** Azurite with an empty account, `url` up to the account. It checks keys and SAS tokens as Azure does. */
export async function useAzurite(): Promise<Emulator> {
  const home = await install(azurite.name, async (work) => {
    const [name, version] = [azurite.name.slice(0, 7), azurite.name.slice(8)]
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', work]
    await run('npm', ['install', ...flags, `${name}@${version}`], { timeout: installTimeoutMs })
    const lock = await readFile(join(work, 'node_modules/.package-lock.json'), 'utf8')
    requireSum(name, lock.includes(azurite.integrity))
  })
  const main = join(home, 'node_modules/azurite/dist/src/blob/main.js')
  const own = ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck']
  const { url, port } = await start(
    process.execPath,
    (at) => [main, '--blobPort', `${at}`, ...own],
    { AZURITE_ACCOUNTS: `${azureAccount.name}:${azureAccount.key}` },
  )
  return { url: `${url}/${azureAccount.name}`, port, skip: false }
}

/** Makes a container of each folder in `folder`, with its files as blobs. */
export async function uploadToAzure(url: string, folder: string): Promise<void> {
  const account = new BlobServiceClient(
    url,
    new StorageSharedKeyCredential(azureAccount.name, azureAccount.key),
  )
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  const containers = new Set(files.map((file) => relative(folder, file).split('/')[0]!))
  for (const container of containers) await account.createContainer(container)
  const uploader = async (): Promise<void> => {
    for (let file; (file = files.pop()) !== undefined;) {
      const [container, ...key] = relative(folder, file).split('/')
      const blob = account.getContainerClient(container!).getBlockBlobClient(key.join('/'))
      await blob.uploadData(await readFile(file))
    }
  }
  await Promise.all(Array.from({ length: uploadsAtOnce }, uploader))
}

/** fake-gcs-server: each folder in `folder` is a bucket, its files are loaded at the start. Nobody logs in. */
export async function useFakeGcs(folder: string): Promise<Emulator> {
  const missing = await noGo()
  if (missing !== undefined) return { url: '', port: 0, skip: missing }
  const home = await install(fakeGcs.name, async (work) => {
    const env = { ...process.env, GOBIN: work }
    await run('go', ['install', fakeGcs.module], { env, timeout: installTimeoutMs })
    const { stdout } = await run('go', ['version', '-m', join(work, 'fake-gcs-server')])
    requireSum('fake-gcs-server', stdout.includes(fakeGcs.sum))
  })
  const own = ['-scheme', 'http', '-host', '127.0.0.1', '-backend', 'memory', '-log-level', 'error']
  const started = await start(
    join(home, 'fake-gcs-server'),
    (at) => [...own, '-data', folder, '-port', `${at}`],
    {},
  )
  return { ...started, skip: false }
}

async function noGo(): Promise<string | undefined> {
  if (await isThere(join(engineCacheFolder(), fakeGcs.name))) return undefined
  try {
    await run('go', ['version'], { timeout: 60_000 })
    return undefined
  } catch {
    return 'Go, which builds the emulator of Google Cloud Storage, is not found (apt-get install golang)'
  }
}

function requireSum(name: string, isRight: boolean): void {
  if (!isRight) throw new Error(`the download of ${name} is not the one that is noted here`)
}

/** The folder of an emulator, filled once. */
async function install(name: string, fill: (work: string) => Promise<void>): Promise<string> {
  const cache = engineCacheFolder()
  const home = join(cache, name)
  if (await isThere(home)) return home
  await mkdir(cache, { recursive: true })
  return withCacheLock(`${home}.lock`, async () => {
    if (await isThere(home)) return home
    const work = await mkdtemp(join(cache, '.work-'))
    try {
      await fill(work)
      await rename(work, home)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
    return home
  })
}

async function start(
  command: string,
  argsAt: (port: number) => string[],
  env: Record<string, string>,
): Promise<{ url: string; port: number }> {
  const cwd = await mkdtemp(join(tmpdir(), 'osmigrate-emulator-'))
  const port = await freePort()
  const logFile = join(cwd, 'log')
  const server = await startGuarded({
    command,
    args: argsAt(port),
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    logFile,
    graceMs: 1_000,
    remove: [cwd],
  })
  after(() => server.stop())
  const until = Date.now() + readyTimeoutMs
  while (!(await isListening(port))) {
    if (server.ended() !== undefined || Date.now() > until) {
      throw new Error(`${command} did not start: ${await readFile(logFile, 'utf8')}`)
    }
    // It has no way to say that it is ready but to be asked.
    await wait(50)
  }
  return { url: `http://127.0.0.1:${port}`, port }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
