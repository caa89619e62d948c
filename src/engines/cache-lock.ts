/**
 * One preparation of an engine at a time, across processes.
 *
 * The lock saves a second download and is not what keeps the cache right: a home is assembled in a folder
 * of its own and put in place by one rename, so two processes that both believed to hold the lock would
 * waste time and harm nothing. That makes it safe to break a lock whose owner is gone.
 */
import { open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

const heartbeatMs = 5_000
const staleAfterMs = 60_000
const pollMs = 500

/** Runs `work` while holding the lock file. Waits for a living owner, takes over from a dead one. */
export async function withCacheLock<T>(
  lockFile: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  while (!(await tryAcquire(lockFile))) {
    if (await isStale(lockFile)) await rm(lockFile, { force: true })
    else await wait(pollMs, undefined, signal === undefined ? {} : { signal })
  }
  const heartbeat = setInterval(() => {
    const now = new Date()
    // A lock that somebody took over is gone: nothing to keep alive, and nothing that is wrong.
    utimes(lockFile, now, now).catch(() => {})
  }, heartbeatMs)
  heartbeat.unref()
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    await rm(lockFile, { force: true })
  }
}

async function tryAcquire(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, 'wx', 0o644)
    await file.writeFile(`${process.pid}\n`)
    await file.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function isStale(lockFile: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(lockFile)
    if (Date.now() - mtimeMs > staleAfterMs) return true
    const pid = Number.parseInt(await readFile(lockFile, 'utf8'), 10)
    return Number.isInteger(pid) && !isAlive(pid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
