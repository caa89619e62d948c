/** A real source is stopped and started again under load, three times: readers through the proxy see no error of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { startEngine } from '../../src/engines/engine.ts'
import { send, useEngine } from '../support/engines.ts'
import { startTestProxy } from '../support/raw-http.ts'

const restarts = 3
const readers = 16

test(
  'a source that restarts under load is an error to no reader',
  { timeout: 600_000 },
  async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-restart-'))
    after(() => rmSync(dir, { recursive: true, force: true }))
    const first = await useEngine('elasticsearch', '7', { dir })
    const { port } = first
    await send(first, 'PUT', '/restart/_doc/1?refresh=true', { n: 1 })
    const proxy = await startTestProxy(port, { limits: { sourceWaitMs: 120_000 } })
    const load = new Readers(proxy.port)
    await load.more(500)
    await first.stop()
    for (let i = 0; i < restarts; i++) {
      const engine = await startEngine({ kind: 'elasticsearch', version: '7', dir, port })
      await load.more(500)
      await engine.stop()
    }
    const last = await startEngine({ kind: 'elasticsearch', version: '7', dir, port })
    await load.more(500)
    await load.stop()
    await proxy.close()
    await last.stop()
    assert.deepEqual(load.errors, [])
    assert.ok((load.statuses.get(200) ?? 0) > 500, `statuses: ${[...load.statuses].join(' ')}`)
  },
)

/** Reads one after the other. What the source itself answers while it comes up (404, 503) is no error. */
class Readers {
  readonly errors: string[] = []
  readonly statuses = new Map<number, number>()
  #isOver = false
  #answered = 0
  #waiting: { count: number; resolve: () => void } | undefined
  readonly #loops: Promise<void>[]

  constructor(port: number) {
    this.#loops = Array.from({ length: readers }, () => this.#run(port))
  }

  async more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = { count: this.#answered + count, resolve }
    await promise
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  async #run(port: number): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#isOver) {
      try {
        const { status, text } = await read(port, agent)
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
        if (text.includes('osmigrate_')) this.errors.push(text)
      } catch (error) {
        this.errors.push((error as Error).message)
      }
      this.#answered++
      if (this.#answered === this.#waiting?.count) this.#waiting.resolve()
    }
    agent.destroy()
  }
}

function read(port: number, agent: http.Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/restart/_doc/1', agent }
    const request = http.get(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => (text += more))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on('error', reject)
  })
}
