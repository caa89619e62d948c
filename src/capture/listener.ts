import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { MigrationError } from '../base/errors.ts'

/**
 * The listening socket of a proxy, and how it goes from one process to the next. There are three ways to come by it:
 * bind it, get it from systemd (LISTEN_FDS), or get it from the proxy that this one replaces. In the last two the socket
 * itself is never closed, so connections that wait in its queue are lost by nobody.
 */
const serverOptions = {
  // Not a byte is read here: all of them are for the worker.
  pauseOnConnect: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
}
const backlog = 4_096
/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const firstListenFd = 3
const takeoverVariable = 'OSMIGRATE_TAKEOVER'
const takeoverTimeoutMs = 60_000

type TakeoverMessage = { readonly kind: 'listener' } | { readonly kind: 'serving' }

/** Binds, or takes what systemd has bound. Errors: MA_CONFIG for an address that cannot be had. */
export async function openListener(listen: { host: string; port: number }): Promise<Server> {
  const server = createServer(serverOptions)
  if (hasSystemdSocket()) server.listen({ fd: firstListenFd })
  else server.listen({ ...listen, backlog })
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    throw new MigrationError('MA_CONFIG', listenFailure(listen, error as NodeJS.ErrnoException), {
      cause: error,
    })
  }
}

/** True for a process that was started to replace another proxy: its socket comes from there. */
export function isTakingOver(): boolean {
  return process.env[takeoverVariable] !== undefined && process.connected
}

/** The socket of the proxy that this process replaces. Errors: MA_STATE when it does not come. */
export async function receiveListener(): Promise<Server> {
  delete process.env[takeoverVariable]
  const signal = AbortSignal.timeout(takeoverTimeoutMs)
  try {
    const [, server] = (await once(process, 'message', { signal })) as [TakeoverMessage, Server]
    // What comes from there has the options of no server; in the same turn, so that it accepts nobody before.
    return createServer(serverOptions).listen(server)
  } catch (error) {
    throw new MigrationError('MA_STATE', 'the proxy to be replaced did not hand over its socket', {
      cause: error,
    })
  }
}

/** Tells the proxy that is replaced that this one serves: it accepts nobody any more from now on. */
export function tellServing(): void {
  process.send!({ kind: 'serving' } satisfies TakeoverMessage, () => process.disconnect())
}

/**
 * Starts the process that replaces this one and gives it the listening socket. Resolves with its id once it serves: then
 * this proxy is to drain, and both have served in between. Errors: MA_STATE when it ends or does not serve in time; this
 * proxy then goes on as before.
 */
export async function handOver(
  server: Server,
  command: { readonly file: string; readonly args: readonly string[] },
): Promise<number> {
  const child = spawn(command.file, command.args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [takeoverVariable]: '1' },
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (why: string): void => {
    reject(new MigrationError('MA_STATE', `the proxy goes on as before: the new one ${why}`))
  }
  const timer = setTimeout(() => {
    child.kill('SIGTERM')
    fail(`did not serve within ${takeoverTimeoutMs / 1000} s`)
  }, takeoverTimeoutMs)
  child.once('error', (error) => fail(`could not be started: ${error.message}`))
  child.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`))
  child.once('message', () => resolve())
  child.send({ kind: 'listener' } satisfies TakeoverMessage, server)
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
  child.unref()
  child.channel?.unref()
  return child.pid!
}

function hasSystemdSocket(): boolean {
  const { LISTEN_FDS, LISTEN_PID } = process.env
  return Number(LISTEN_FDS) >= 1 && (LISTEN_PID === undefined || Number(LISTEN_PID) === process.pid)
}

function listenFailure({ host, port }: { host: string; port: number }, error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  const where = `capture.listen: ${host}:${port}`
  if (code === 'EADDRINUSE') {
    return `${where} is in use; a proxy of this migration that listens there is replaced, while it serves, by: osmigrate capture start --replace`
  }
  if (code === 'EACCES')
    return `${where} may not be listened at by this user; take a port above 1023`
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine`
  return `${where} cannot be listened at: ${error.message}`
}
