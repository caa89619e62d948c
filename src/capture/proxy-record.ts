import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'

/** What a running proxy leaves in the state folder, for `capture status` and `capture stop` on the same machine. */
export interface ProxyRecord {
  readonly proxy: string
  readonly pid: number
  /** ISO 8601. */
  readonly startedAt: string
  /** host:port. */
  readonly listen: string
  /** Address of the admin port, for this machine. */
  readonly admin: string
}

export function writeProxyRecord(stateFolder: string, record: ProxyRecord): void {
  const file = recordFile(stateFolder, record.proxy)
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** The proxy that runs, or that ended without a word; undefined where there is none. */
export function readProxyRecord(stateFolder: string, proxy: string): ProxyRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(stateFolder, proxy), 'utf8')) as ProxyRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const file = recordFile(stateFolder, proxy)
    throw new MigrationError('MA_STATE', `${file} cannot be read; remove it`, { cause: error })
  }
}

/** Removes the record of this process, and leaves that of one that has taken over. */
export function removeProxyRecord(stateFolder: string, { proxy, pid }: ProxyRecord): void {
  if (readProxyRecord(stateFolder, proxy)?.pid === pid) rmSync(recordFile(stateFolder, proxy))
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function recordFile(stateFolder: string, proxy: string): string {
  return join(stateFolder, `capture-${proxy}.json`)
}

/** The token of the admin port where none is configured: made once, kept where only the owner reads it. */
export function localToken(stateFolder: string): string {
  const file = join(stateFolder, 'capture-token')
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}
