/** Disks that take no more, and workers that may write no more. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'

/** A file system of its own, until the end of the file's tests; undefined where it may not be made (only root may). */
export function smallDisk(bytes: number): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-disk-'))
  let isMounted = false
  after(() => {
    if (isMounted) execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  try {
    const options = `size=${bytes}`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  isMounted = true
  return folder
}

/** Whether files may be kept from growing from outside a process: on Linux, for one's own processes. */
export const canLimitFiles = process.platform === 'linux'

/** From now on no file of these processes grows (EFBIG), or may grow again. */
export function limitFiles(pids: readonly number[], mayGrow: boolean): void {
  for (const pid of pids) {
    execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${mayGrow ? 'unlimited' : '0'}:`])
  }
}
