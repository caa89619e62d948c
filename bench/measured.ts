/** Runs one program of the benchmark in a process of its own and takes its figures at its end. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { SinkReport } from './null-sink.ts'

/** What a child says at its end, besides what it is asked to do. */
export interface ProcessFigures {
  /** Of the whole process with all its threads, start-up included. */
  cpuSeconds: number
  wallSeconds: number
  rssPeakMb: number
}

/** Runs bench/NAME with one JSON argument; resolves with what it sends. */
export async function runChild<T extends object>(
  name: string,
  argument: object,
): Promise<T & ProcessFigures> {
  const startedAt = performance.now()
  const profile = process.env['BENCH_CPU_PROFILE']
  const child = fork(path.join(import.meta.dirname, name), [JSON.stringify(argument)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  })
  let sent: (T & ProcessFigures) | undefined
  child.on('message', (message) => (sent = message as T & ProcessFigures))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0 || sent === undefined) throw new Error(`bench/${name} ended with ${code}`)
  return { ...sent, wallSeconds: (performance.now() - startedAt) / 1000 }
}

/** Sends the figures of this process and what it has found to the parent, and lets the process end. */
export function reportFigures(found: object): void {
  const usage = process.resourceUsage()
  const figures = {
    ...found,
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    rssPeakMb: usage.maxRSS / 1024,
  }
  process.send!(figures, () => process.disconnect())
}

/** The null sink as a process. */
export class NullSink {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(): Promise<NullSink> {
    const child = fork(path.join(import.meta.dirname, 'null-sink.ts'))
    const [message] = (await once(child, 'message')) as [{ port: number }]
    return new NullSink(child, message.port)
  }

  /** What has come since the last report. */
  async report(): Promise<SinkReport> {
    this.#child.send('report')
    const [message] = (await once(this.#child, 'message')) as [SinkReport]
    return message
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

/** Of an even number the lower one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}
