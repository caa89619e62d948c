import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import type { AdminOptions } from '../capture/admin-server.ts'
import {
  isAlive,
  localToken,
  readProxyRecord,
  removeProxyRecord,
  writeProxyRecord,
} from '../capture/proxy-record.ts'
import type { ProxyRecord } from '../capture/proxy-record.ts'
import { runProxy } from '../capture/run-proxy.ts'
import { configuredProxy, parseAddress, proxyName } from './capture.ts'
import type { LoadedConfig } from './config.ts'

export interface ProxyStart {
  readonly version: string
  readonly command: { readonly file: string; readonly args: readonly string[] }
  readonly signal: AbortSignal
  readonly onWarning: (message: string) => void
  readonly onServing: (record: ProxyRecord) => void
}

/** Runs the configured proxy in this process until it is stopped or replaced. Errors: as runProxy; MA_LOCKED where it runs already. */
export async function startConfiguredProxy(
  loaded: LoadedConfig,
  { version, command, signal, onWarning, onServing }: ProxyStart,
): Promise<void> {
  const { stateFolder } = loaded
  const { name, settings, recording } = await configuredProxy(loaded, { version, onWarning })
  const admin = await adminOptions(loaded)
  let record: ProxyRecord | undefined
  try {
    await runProxy(
      {
        ...{ name, version, settings, recording, admin, command, onWarning },
        onServing: ({ listen, admin }) => {
          const startedAt = new Date().toISOString()
          record = { proxy: name, pid: process.pid, startedAt, listen, admin }
          writeProxyRecord(stateFolder, record)
          onServing(record)
        },
      },
      signal,
    )
  } finally {
    if (record !== undefined) removeProxyRecord(stateFolder, record)
  }
}

/** Where the admin port is, and its token: the configured one, or one that is kept in the state folder. */
export async function adminOptions(loaded: LoadedConfig): Promise<AdminOptions> {
  const { listen, token, tls } = loaded.config.capture.admin
  const address = parseAddress(listen)
  if (token === undefined && !isLocal(address.host)) {
    throw new MigrationError(
      'MA_CONFIG',
      `capture.admin.listen is ${listen}: an admin port that other machines reach needs capture.admin.token, as env:NAME or file:PATH (\`openssl rand -hex 32\` makes one)`,
    )
  }
  return {
    ...address,
    token: await adminToken(loaded),
    ...(tls?.cert !== undefined && {
      tls: {
        cert: await resolveSecret(tls.cert, 'capture.admin.tls.cert'),
        key: await resolveSecret(tls.key!, 'capture.admin.tls.key'),
      },
    }),
  }
}

/** What requests to an admin port carry. */
export async function adminToken({ config, stateFolder }: LoadedConfig): Promise<string> {
  const { token } = config.capture.admin
  return token === undefined
    ? localToken(stateFolder)
    : await resolveSecret(token, 'capture.admin.token')
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** The proxy that runs here. Throws MA_STATE where none does. */
function runningProxy(loaded: LoadedConfig): ProxyRecord {
  const proxy = proxyName(loaded)
  const record = readProxyRecord(loaded.stateFolder, proxy)
  if (record !== undefined && isAlive(record.pid)) return record
  throw new MigrationError(
    'MA_STATE',
    record === undefined
      ? `no proxy named ${proxy} runs on this machine: osmigrate capture start --detach`
      : `the proxy ${proxy} (pid ${record.pid}) ended without being stopped: look into its log, then osmigrate capture start --detach`,
  )
}

const replaceWaitMs = 90_000
const lookEveryMs = 100

/** Asks the proxy that runs to start its successor; resolves when that one serves. */
export async function requestReplacement(
  loaded: LoadedConfig,
  signal: AbortSignal,
): Promise<{ before: ProxyRecord; now: ProxyRecord }> {
  const before = runningProxy(loaded)
  process.kill(before.pid, 'SIGUSR2')
  for (
    const end = Date.now() + replaceWaitMs;
    Date.now() < end;
    await wait(lookEveryMs, undefined, { signal })
  ) {
    const now = readProxyRecord(loaded.stateFolder, before.proxy)
    if (now !== undefined && now.pid !== before.pid) return { before, now }
  }
  throw new MigrationError(
    'MA_STATE',
    `the proxy with pid ${before.pid} goes on: no other one has served within ${replaceWaitMs / 1000} s. Its log says why.`,
  )
}

/** Asks the proxy on this machine to stop, and waits until it has. */
export async function stopConfiguredProxy(
  loaded: LoadedConfig,
  signal: AbortSignal,
): Promise<ProxyRecord> {
  const record = runningProxy(loaded)
  process.kill(record.pid, 'SIGTERM')
  while (isAlive(record.pid)) await wait(lookEveryMs, undefined, { signal })
  return record
}
