/** What a disk takes to make a few bytes safe, by itself: no log on it can answer sooner. */
import { closeSync, fdatasyncSync, ftruncateSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface DiskFound {
  readonly syncsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** What one of a hundred waits for who come at any time: a sync that takes long is met by more of them. */
  readonly metP99Ms: number
}

/** About one record of a request with 1 KB. */
const writeBytes = 1400
const fileBytes = 64 * 1024 ** 2

/** Writes and calls fdatasync for so many seconds, in a file of the length that the log gives to its own. */
export function measureDisk(seconds: number): DiskFound {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-bench-disk-'))
  const file = openSync(path.join(folder, 'file'), 'w')
  try {
    ftruncateSync(file, fileBytes)
    fdatasyncSync(file)
    const bytes = Buffer.alloc(writeBytes, 'x')
    const times: number[] = []
    const begun = performance.now()
    for (let now = begun; now - begun < seconds * 1000;) {
      writeSync(file, bytes, 0, writeBytes, (times.length * writeBytes) % (fileBytes - writeBytes))
      fdatasyncSync(file)
      const ended = performance.now()
      times.push(ended - now)
      now = ended
    }
    return foundOf(times)
  } finally {
    closeSync(file)
    rmSync(folder, { recursive: true })
  }
}

function foundOf(times: number[]): DiskFound {
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)]!
  const allMs = times.reduce((sum, ms) => sum + ms, 0)
  return {
    syncsPerSecond: (times.length * 1000) / allMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    metP99Ms: waitOf(times, allMs / 100),
  }
}

/** The wait that is exceeded for so many milliseconds of the whole time. */
function waitOf(sorted: readonly number[], exceededMs: number): number {
  // In a sync that takes m the wait exceeds w for m - w.
  let sum = 0
  for (let count = 1; count <= sorted.length; count++) {
    sum += sorted[sorted.length - count]!
    const wait = (sum - exceededMs) / count
    if (wait >= (sorted[sorted.length - count - 1] ?? 0)) return wait
  }
  return 0
}

/** The middle one of several runs, by what one of a hundred meets. */
export function diskText(runs: readonly DiskFound[]): string {
  const sorted = runs.toSorted((a, b) => a.metP99Ms - b.metP99Ms)
  const { syncsPerSecond, p50Ms, p99Ms, maxMs, metP99Ms } = sorted[(sorted.length - 1) >> 1]!
  const ms = (value: number): string => `${value.toFixed(2)} ms`
  return (
    `The disk alone: ${Math.round(syncsPerSecond).toLocaleString('en')} writes of ${writeBytes} bytes with fdatasync a second, ` +
    `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, the longest ${ms(maxMs)}; of those who come at any time one in a hundred waits ` +
    `more than ${ms(metP99Ms)} for the one under way.`
  )
}
