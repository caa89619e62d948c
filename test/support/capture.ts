/** A proxy as a person runs it, its log, and clients that write through it. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CaptureStatus } from '../../src/capture/status.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))

export interface RunningProxy {
  readonly url: string
  readonly pid: number
  /** Ends the proxy and all of its workers at once, as the kernel does when memory is short. */
  kill(): Promise<void>
  /** Ends the workers alone, as a crash does; they are started again. */
  killWorkers(): void
  workerPids(): number[]
  /** What it has said to the terminal so far. */
  said(): string
  /** As `capture stop`: waits until it has ended well. */
  stop(): Promise<void>
  status(): Promise<CaptureStatus>
}

/** Free ports, one worker. */
export const testCapture = {
  name: 'edge',
  listen: '127.0.0.1:0',
  workers: 1,
  admin: { listen: '127.0.0.1:0' },
  drainTimeout: '5s',
}

/** Writes migration.yaml for a proxy in front of `source`; free ports, one worker, unless `capture` says otherwise. */
export function writeCaptureConfig(
  folder: string,
  source: string,
  capture: Readonly<Record<string, unknown>> = {},
): void {
  const section = { ...testCapture, ...capture }
  const config = { version: 1, name: 'live', source: { url: source }, capture: section }
  // JSON is YAML.
  writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
}

/** Starts `capture start` in a folder with migration.yaml; resolves once it serves. */
export async function startCapture(folder: string): Promise<RunningProxy> {
  const child = spawn(process.execPath, [program, 'capture', 'start', '--json'], {
    cwd: folder,
    // A group of its own, so that a kill reaches the workers, too.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  after(kill)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const record = await firstLine(child, () => said)
  const { listen, admin } = JSON.parse(record) as { listen: string; admin: string }
  const ended = once(child, 'exit') as Promise<[number | null]>
  const workerPids = (): number[] => {
    const text = readFileSync(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  }
  return {
    workerPids,
    said: () => said,
    url: `http://${listen}`,
    pid: child.pid!,
    kill: async () => {
      kill()
      await ended
    },
    killWorkers: () => {
      for (const pid of workerPids()) process.kill(pid, 'SIGKILL')
    },
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      assert.equal(code, 0)
    },
    status: async () => {
      const token = readToken(folder)
      const answer = await fetch(`${admin}/status`, {
        headers: { authorization: `Bearer ${token}` },
      })
      return (await answer.json()) as CaptureStatus
    },
  }
}

function firstLine(child: ChildProcess, said: () => string): Promise<string> {
  let stdout = ''
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.includes('\n')) resolve(stdout)
    })
    child.once('exit', (code) =>
      reject(new Error(`capture start ended with ${code}: ${stdout}${said()}`)),
    )
  })
}

function readToken(folder: string): string {
  return readFileSync(path.join(folder, '.osmigrate/live/capture-token'), 'utf8').trim()
}

/** All records of the log of a folder, stream by stream. */
export async function readCaptureLog(
  folder: string,
  dir = path.join(folder, '.osmigrate/live/log'),
): Promise<CaptureRecord[]> {
  const log = openLocalLogReader(dir)
  const records: CaptureRecord[] = []
  try {
    for (const { oldest } of await log.streams()) {
      for await (const { record } of log.read(oldest, { follow: false })) {
        records.push('body' in record ? { ...record, body: Uint8Array.from(record.body) } : record)
      }
    }
  } finally {
    await log.close()
  }
  return records
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
}

/** One request, and what came back; rejects when the connection broke. */
export function ask(
  url: string,
  {
    method,
    target,
    headers,
    body,
  }: {
    method: string
    target: string
    headers?: Record<string, string>
    body?: string | Uint8Array
  },
  agent?: http.Agent,
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, method, path: target, headers, ...(agent && { agent }) },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.rawHeaders,
            body: Buffer.concat(pieces),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Clients that write documents `PREFIX-N` without a pause, and remember which of them were acknowledged. */
export class Writers {
  readonly acknowledged = new Set<string>()
  readonly #prefix: string
  readonly #index: string
  #number = 0
  #failures = 0
  #isStopped = false
  #running: Promise<unknown>
  #url: string

  constructor(
    url: string,
    { index, prefix, atOnce }: { index: string; prefix: string; atOnce: number },
  ) {
    this.#url = url
    this.#index = index
    this.#prefix = prefix
    this.#running = Promise.all(Array.from({ length: atOnce }, () => this.#write()))
  }

  /** Requests that broke off or were refused. */
  get failures(): number {
    return this.#failures
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async until(acknowledged: number): Promise<void> {
    const end = Date.now() + 60_000
    while (this.acknowledged.size < acknowledged) {
      assert.ok(Date.now() < end, `${this.acknowledged.size} of ${acknowledged} were acknowledged`)
      await wait(10)
    }
  }

  async #write(): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#isStopped) {
      const id = `${this.#prefix}-${this.#number++}`
      const body = `{"name":"${id}"}`
      const headers = { 'content-type': 'application/json' }
      const target = `/${this.#index}/_doc/${id}`
      try {
        const { status } = await ask(this.#url, { method: 'PUT', target, headers, body }, agent)
        if (status < 300) this.acknowledged.add(id)
        else this.#failures++
      } catch {
        this.#failures++
        if (!this.#isStopped) await wait(5)
      }
    }
    agent.destroy()
  }

  /** Where the next requests go. */
  moveTo(url: string): void {
    this.#url = url
  }
}

/** Asks again and again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`)
    await wait(50)
  }
}
