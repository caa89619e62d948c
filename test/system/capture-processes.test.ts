/** The proxy as processes: workers that die, a second proxy that takes over, a source that goes away and comes back, TLS. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import tls from 'node:tls'
import { makeCertificates } from '../../src/engines/certificates.ts'
import type { ProxySettings } from '../../src/capture/proxy-settings.ts'

const program = path.join(import.meta.dirname, '../support/proxy-process.ts')

interface Proxy {
  readonly child: ChildProcess
  readonly port: number
  readonly workers: readonly number[]
  /** Resolves with the first line, or the one of that number, that has the text; lines seen before count. */
  line(text: string, number?: number): Promise<string>
}

const pids = new Set<number>()
after(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended as it should.
    }
  }
})

async function startProxy(
  sourceUrl: string,
  settings: Partial<ProxySettings> = {},
): Promise<Proxy> {
  const all: ProxySettings = {
    listen: { host: '127.0.0.1', port: 0 },
    sourceUrls: [sourceUrl],
    workers: 2,
    limits: { drainTimeoutMs: 3000 },
    ...settings,
  }
  return watchProxy(
    spawn(process.execPath, [program, JSON.stringify(all)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
}

async function watchProxy(child: ChildProcess): Promise<Proxy> {
  pids.add(child.pid!)
  let text = ''
  let changed: (() => void) | undefined
  child.stdout!.setEncoding('utf8').on('data', (more: string) => {
    text += more
    changed?.()
  })
  child.once('exit', () => changed?.())
  const line = async (part: string, number = 1): Promise<string> => {
    for (;;) {
      const lines = text.split('\n').slice(0, -1)
      const found = lines.filter((one) => one.includes(part))[number - 1]
      if (found !== undefined) return found
      assert.equal(child.exitCode, null, `the proxy ended before it said ${part}: ${text}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      changed = resolve
      await promise
    }
  }
  const [, port, , workers] = (await line('serving')).split(' ')
  return { child, port: Number(port), workers: workers!.split(',').map(Number), line }
}

async function stopProxy({ child }: Pick<Proxy, 'child'>): Promise<void> {
  if (child.exitCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

/** A source that answers every request with its body's length. */
async function startSource(port = 0): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    let bytes = 0
    request.on('data', (data: Buffer) => (bytes += data.length))
    request.on('end', () => response.end(JSON.stringify({ bytes })))
  })
  server.keepAliveTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const urlOf = (server: http.Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function stopSource(server: http.Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

/** Clients that send one request after the other until they are stopped, some of them on a new connection each time. */
class Load {
  readonly errors: string[] = []
  answered = 0
  readonly #loops: Promise<void>[]
  #isOver = false
  #waiting: { count: number; resolve: () => void } | undefined

  constructor(port: number, method: string, { keepAlive = 8, fresh = 2 } = {}) {
    this.#loops = Array.from({ length: keepAlive + fresh }, (_, i) => {
      return this.#run(port, method, new http.Agent({ keepAlive: i < keepAlive, maxSockets: 1 }))
    })
  }

  /** Resolves when so many more requests were answered. */
  async more(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = { count: this.answered + count, resolve }
    await promise
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  async #run(port: number, method: string, agent: http.Agent): Promise<void> {
    const body = method === 'GET' ? '' : 'x'.repeat(1000)
    while (!this.#isOver) {
      try {
        const text = await ask(port, { method, body, agent })
        if (text !== `200 {"bytes":${body.length}}`) this.errors.push(text)
      } catch (error) {
        this.errors.push((error as Error).message)
      }
      this.answered++
      if (this.answered === this.#waiting?.count) this.#waiting.resolve()
    }
    agent.destroy()
  }
}

function ask(
  port: number,
  { method, body, agent }: { method: string; body: string; agent: http.Agent },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length }
    const request = http.request({ port, host: '127.0.0.1', method, path: '/a', headers, agent })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => (text += more))
      response.on('error', reject)
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
    request.end(body)
  })
}

test('a second proxy takes the port over under load, and no client notices', async () => {
  const source = await startSource()
  const first = await startProxy(urlOf(source))
  const load = new Load(first.port, 'PUT')
  await load.more(200)
  const gone = once(first.child, 'exit')
  first.child.kill('SIGUSR2')
  const [, port, pid] = (await first.line('serving', 2)).split(' ')
  pids.add(Number(pid))
  assert.equal(Number(port), first.port)
  const [code] = (await gone) as [number]
  assert.equal(code, 0)
  await load.more(500)
  await load.stop()
  assert.deepEqual(load.errors, [])
  const ended = once(first.child.stdout!, 'close')
  process.kill(Number(pid), 'SIGTERM')
  await ended
  await stopSource(source)
})

test('a socket that systemd holds is served, with the clients that came before', async () => {
  const source = await startSource()
  const held = net.createServer().listen(0, '127.0.0.1')
  await once(held, 'listening')
  const { port } = held.address() as AddressInfo
  const { fd } = (held as unknown as { _handle: { fd: number } })._handle
  const settings: ProxySettings = {
    // Another one than that of the socket.
    listen: { host: '127.0.0.1', port: 1 },
    sourceUrls: [urlOf(source)],
    workers: 1,
  }
  // As systemd says it: to this process alone.
  const script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"'
  const args = ['-c', script, process.execPath, program, JSON.stringify(settings)]
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit', fd] })
  held.close()
  const agent = new http.Agent()
  const early = ask(port, { method: 'GET', body: '', agent })
  const proxy = await watchProxy(child)
  assert.equal(proxy.port, port)
  assert.equal(await early, '200 {"bytes":0}')
  await stopProxy(proxy)
  await stopSource(source)
})

test('a worker that dies takes its own connections with it, and is started again', async () => {
  const source = await startSource()
  const proxy = await startProxy(urlOf(source))
  const [one] = proxy.workers
  const load = new Load(proxy.port, 'GET', { keepAlive: 6, fresh: 0 })
  await load.more(100)
  process.kill(one!, 'SIGKILL')
  await proxy.line('warning worker')
  await load.more(300)
  await load.stop()
  assert.ok(load.errors.length <= 6, `${load.errors.length} errors: ${load.errors[0]}`)
  await stopProxy(proxy)
  await stopSource(source)
})

test('the source goes away and comes back under load: readers wait, and see no error', async () => {
  const source = await startSource()
  const { port } = source.address() as AddressInfo
  const proxy = await startProxy(urlOf(source))
  const load = new Load(proxy.port, 'GET')
  await load.more(200)
  await stopSource(source)
  const back = await startSource(port)
  await load.more(500)
  await load.stop()
  assert.deepEqual(load.errors, [])
  await stopProxy(proxy)
  await stopSource(back)
})

test('300 MB go through in both directions without staying', async () => {
  const bytes = 300 * 1024 * 1024
  const piece = Buffer.alloc(64 * 1024)
  const source = http.createServer((request, response) => {
    response.writeHead(200, { 'content-length': bytes })
    request.pipe(response)
  })
  source.listen(0, '127.0.0.1')
  await once(source, 'listening')
  const proxy = await startProxy(urlOf(source), { workers: 1 })
  const before = residentMb(proxy.workers[0]!)
  let highest = 0
  const passing = new Promise<number>((resolve, reject) => {
    let received = 0
    const request = http.request(
      { port: proxy.port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': bytes } },
      (response) => {
        response.on('data', (data: Buffer) => (received += data.length))
        response.on('end', () => resolve(received))
      },
    )
    request.on('error', reject)
    let sent = 0
    const push = (): void => {
      highest = Math.max(highest, residentMb(proxy.workers[0]!))
      while (sent < bytes) {
        sent += piece.length
        if (!request.write(piece)) return void request.once('drain', push)
      }
      request.end()
    }
    push()
  })
  const came = await passing.finally(async () => {
    await stopProxy(proxy)
    await stopSource(source)
  })
  assert.equal(came, bytes)
  assert.ok(highest - before < 120, `${highest - before} MB more than before`)
})

function residentMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024
}

test('TLS to clients and to the source, with certificates that change while it serves', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-proxy-tls-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string): string => path.join(folder, name)
  await makeCertificates(file('a'))
  await makeCertificates(file('b'))
  const read = (name: string): Buffer => readFileSync(file(name))
  for (const name of ['node.pem', 'node-key.pem']) copyFileSync(file(`a/${name}`), file(name))
  const source = https.createServer(
    {
      cert: read('b/node.pem'),
      key: read('b/node-key.pem'),
      ca: read('b/ca.pem'),
      requestCert: true,
    },
    (request, response) => response.end(String(request.headers['x-forwarded-proto'])),
  )
  source.listen(0, '127.0.0.1')
  await once(source, 'listening')
  const proxy = await startProxy(`https://localhost:${(source.address() as AddressInfo).port}`, {
    workers: 1,
    sourceTls: {
      ca: `file:${file('b/ca.pem')}`,
      cert: `file:${file('b/client.pem')}`,
      key: `file:${file('b/client-key.pem')}`,
    },
    tls: {
      cert: `file:${file('node.pem')}`,
      key: `file:${file('node-key.pem')}`,
      clientCa: `file:${file('a/ca.pem')}`,
    },
  })
  const client = { cert: read('a/client.pem'), key: read('a/client-key.pem') }
  const connect = async (options: tls.ConnectionOptions): Promise<tls.TLSSocket> => {
    const socket = tls.connect({ port: proxy.port, host: '127.0.0.1', ...options })
    await once(socket, 'secureConnect')
    return socket
  }
  const answer = async (socket: tls.TLSSocket): Promise<string> => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let text = ''
    for await (const data of socket) text += String(data)
    return text
  }
  const ca = read('a/ca.pem')
  const both = await connect({ ...client, ca, ALPNProtocols: ['h2', 'http/1.1'] })
  assert.equal(both.alpnProtocol, 'http/1.1')
  assert.match(await answer(both), /^HTTP\/1\.1 200 OK[^]*https/)
  await assert.rejects(
    connect({ ...client, ca, ALPNProtocols: ['h2'] }),
    /no.application.protocol/i,
  )
  await assert.rejects(connect({ ca, maxVersion: 'TLSv1.2' }), 'a client certificate is needed')
  await assert.rejects(connect({ ...client, ca: read('b/ca.pem') }), /self.signed|verify/i)
  for (const name of ['node.pem', 'node-key.pem']) copyFileSync(file(`b/${name}`), file(name))
  proxy.child.kill('SIGHUP')
  await untilHolds(async () => {
    const socket = await connect({ ...client, ca: read('b/ca.pem') })
    assert.match(await answer(socket), /^HTTP\/1\.1 200 OK/)
  })
  await stopProxy(proxy)
  source.closeAllConnections()
  source.close()
})

/** Tries until it does not throw, for ten seconds. */
async function untilHolds(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
