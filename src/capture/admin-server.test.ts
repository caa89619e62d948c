import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { makeCertificates } from '../engines/certificates.ts'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LoggedRecord } from '../traffic/capture-log.ts'
import type { CaptureRecord } from '../traffic/exchange.ts'
import { openLocalLogReader } from '../traffic/local-log-reader.ts'
import { openLocalLog } from '../traffic/local-log.ts'
import { openRemoteLog } from '../traffic/remote-log.ts'
import { AdminServer, type AdminHandlers, type AdminOptions } from './admin-server.ts'
import type { CaptureStatus } from './status.ts'

const token = 'a-token-of-thirty-two-characters'
const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-admin-'))
after(() => rm(folder, { recursive: true, force: true }))

test('only health is told without the token', async (t) => {
  const admin = await openAdmin(t)
  assert.deepEqual(await ask(admin, 'GET', '/health', ''), {
    status: 200,
    text: '{"status":"ok"}\n',
  })
  for (const wrong of ['', 'Bearer ', 'Bearer another', `Basic ${token}`, `Bearer ${token}x`]) {
    for (const [method, route] of routes) {
      const { status, text } = await ask(admin, method, route, wrong)
      assert.equal(status, 401, `${method} ${route} with "${wrong}"`)
      assert.ok(!text.includes(token))
    }
  }
})

const routes = [
  ['GET', '/status'],
  ['GET', '/metrics'],
  ['GET', '/log/streams'],
  ['GET', '/log/records?stream=a&from=0'],
  ['POST', '/log/release'],
  ['POST', '/drain'],
  ['POST', '/stop'],
  ['POST', '/reload'],
  ['GET', '/nothing'],
] as const

test('status, metrics and actions are the handlers of the proxy', async (t) => {
  const asked: string[] = []
  const admin = await openAdmin(t, {
    stop: () => asked.push('stop'),
    drain: () => asked.push('drain'),
    reload: async () => {
      asked.push('reload')
      throw new MigrationError('MA_CONFIG', 'the certificate has expired')
    },
  })
  const bearer = `Bearer ${token}`
  assert.equal((await ask(admin, 'GET', '/metrics', bearer)).text, 'a_metric 1\n')
  assert.match((await ask(admin, 'GET', '/status', bearer)).text, /"proxy":"edge-1"/)
  assert.equal((await ask(admin, 'POST', '/drain', bearer)).status, 202)
  assert.equal((await ask(admin, 'POST', '/stop', bearer)).status, 202)
  const { status, text } = await ask(admin, 'POST', '/reload', bearer)
  assert.equal(status, 400)
  assert.match(text, /the certificate has expired/)
  assert.deepEqual(asked, ['drain', 'stop', 'reload'])
  assert.equal((await ask(admin, 'GET', '/stop', bearer)).status, 404)
  assert.equal((await ask(admin, 'GET', '/log/streams', bearer)).status, 404)
})

test('a draining proxy says so to load balancers', async (t) => {
  const admin = await openAdmin(t, { health: () => ({ status: 'draining' }) })
  assert.equal((await ask(admin, 'GET', '/health', '')).status, 503)
})

test('a token that can be guessed is refused', async () => {
  await assert.rejects(
    AdminServer.open({ host: '127.0.0.1', port: 0, token: 'short' }, handlers()),
    {
      code: 'MA_CONFIG',
    },
  )
})

test('a port that is taken is named', async (t) => {
  const { port } = await openAdmin(t)
  await assert.rejects(AdminServer.open({ host: '127.0.0.1', port, token }, handlers()), {
    code: 'MA_CONFIG',
    message: new RegExp(`127\\.0\\.0\\.1:${port}`),
  })
})

test('the log is read over the port as it lies there, and followed', async (t) => {
  const root = path.join(folder, 'follow')
  const writer = await openLocalLog({
    folder: path.join(root, 'edge-1.0'),
    stream: 'edge-1.0',
    bytesMax: 1e9,
  })
  t.after(() => writer.close())
  const local = openLocalLogReader(root)
  const admin = await openAdmin(t, { log: local })
  const remote = openRemoteLog({ url: `http://127.0.0.1:${admin.port}`, token })
  t.after(() => remote.close())
  for (let number = 1; number <= 200; number++) await append(writer, request(number, number * 37))
  await append(writer, request(201, 3_000_000))
  const there = await readAll(local)
  assert.equal(there.length, 201)
  assert.deepEqual(await readAll(remote), there)
  const middle = there[99]!.next
  assert.deepEqual(await Array.fromAsync(remote.read(middle, { follow: false })), there.slice(100))

  const stop = new AbortController()
  const followed: number[] = []
  const follow = async (): Promise<void> => {
    for await (const { record } of remote.read(there.at(-1)!.next, {
      follow: true,
      signal: stop.signal,
    })) {
      if ('exchange' in record) followed.push(record.exchange.number)
      if (followed.length === 3) stop.abort(new MigrationError('MA_STOPPED', 'enough'))
    }
  }
  const following = assert.rejects(follow(), { code: 'MA_STOPPED' })
  for (const number of [202, 203, 204]) await append(writer, request(number, 10))
  await following
  assert.deepEqual(followed, [202, 203, 204])

  await remote.release(middle)
  const [stream] = await remote.streams()
  assert.deepEqual(stream, (await local.streams())[0])
})

test('a broken connection is made anew, and nothing is missing or twice', async (t) => {
  const root = path.join(folder, 'broken')
  const writer = await openLocalLog({
    folder: path.join(root, 'edge-1.0'),
    stream: 'edge-1.0',
    bytesMax: 1e9,
  })
  t.after(() => writer.close())
  for (let number = 1; number <= 300; number++) await append(writer, request(number, 20_000))
  const local = openLocalLogReader(root)
  const admin = await openAdmin(t, { log: local })
  const relay = await cuttingRelay(t, admin.port, 700_000)
  const remote = openRemoteLog({ url: `http://127.0.0.1:${relay.port}`, token })
  t.after(() => remote.close())
  assert.deepEqual(await readAll(remote), await readAll(local))
  assert.ok(relay.connections() > 5)
})

test('a wrong token and what is no position are refused', async (t) => {
  const root = path.join(folder, 'wrong')
  const writer = await openLocalLog({
    folder: path.join(root, 'edge-1.0'),
    stream: 'edge-1.0',
    bytesMax: 1e9,
  })
  t.after(() => writer.close())
  await append(writer, request(1, 10))
  const admin = await openAdmin(t, { log: openLocalLogReader(root) })
  const url = `http://127.0.0.1:${admin.port}`
  const stranger = openRemoteLog({ url, token: 'some-other-token-of-nobody' })
  await assert.rejects(stranger.streams(), { code: 'MA_CAPTURE_LOG', message: /refuses the token/ })
  const bearer = `Bearer ${token}`
  for (const query of [
    'stream=edge-1.0&from=-1',
    'stream=edge-1.0&from=x',
    'from=1',
    'stream=&from=1',
  ]) {
    assert.equal((await ask(admin, 'GET', `/log/records?${query}`, bearer)).status, 400, query)
  }
  for (const body of [
    '',
    '{',
    '[]',
    '"x"',
    'null',
    '{"stream":1,"offset":1}',
    `{"stream":"a","offset":${'9'.repeat(70_000)}}`,
  ]) {
    assert.equal(
      (await ask(admin, 'POST', '/log/release', bearer, body)).status,
      400,
      body.slice(0, 20),
    )
  }
})

test('over TLS only clients with a certificate are heard where that is asked for, and a new certificate is taken', async (t) => {
  const certs = path.join(folder, 'certs')
  await makeCertificates(certs)
  const pem = (name: string) => readFile(path.join(certs, name), 'utf8')
  const [ca, cert, key] = [await pem('ca.pem'), await pem('node.pem'), await pem('node-key.pem')]
  const root = path.join(folder, 'tls')
  const writer = await openLocalLog({
    folder: path.join(root, 'edge-1.0'),
    stream: 'edge-1.0',
    bytesMax: 1e9,
  })
  t.after(() => writer.close())
  await append(writer, request(1, 10))
  const admin = await openAdmin(
    t,
    { log: openLocalLogReader(root) },
    { tls: { cert, key, clientCa: ca } },
  )
  const url = `https://127.0.0.1:${admin.port}`
  const client = { ca, cert: await pem('client.pem'), key: await pem('client-key.pem') }
  assert.equal((await readAll(openRemoteLog({ url, token, tls: client }))).length, 1)
  await assert.rejects(openRemoteLog({ url, token, tls: { ca } }).streams(), {
    code: 'MA_CAPTURE_LOG',
  })
  admin.server.useTls({ cert: client.cert, key: client.key, clientCa: ca })
  assert.equal((await readAll(openRemoteLog({ url, token, tls: client }))).length, 1)
})

interface Opened {
  readonly port: number
  readonly server: AdminServer
}

interface Context {
  after(fn: () => unknown): void
}

async function openAdmin(
  t: Context,
  own: Partial<AdminHandlers> = {},
  options: Partial<AdminOptions> = {},
): Promise<Opened> {
  const server = await AdminServer.open(
    { host: '127.0.0.1', port: 0, token, ...options },
    { ...handlers(), ...own },
  )
  t.after(() => server.close())
  return { port: server.address.port, server }
}

function handlers(): AdminHandlers {
  const nothing = (): void => undefined
  return {
    health: () => ({ status: 'ok' }),
    status: () => ({ format: 1, proxy: 'edge-1' }) as CaptureStatus,
    metrics: () => 'a_metric 1\n',
    stop: nothing,
    drain: nothing,
    reload: async () => {},
  }
}

function ask(
  { port }: Opened,
  method: string,
  route: string,
  authorization: string,
  body = '',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = authorization === '' ? {} : { authorization }
    const request = httpRequest(
      { port, host: '127.0.0.1', method, path: route, headers, agent: false },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode!, text }))
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Passes bytes on, and cuts each connection after so many of the answer. */
async function cuttingRelay(
  t: Context,
  port: number,
  bytesMax: number,
): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createServer((client: Socket) => {
    connections++
    let bytes = 0
    const upstream = connect(port, '127.0.0.1')
    client.pipe(upstream)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
    }
    upstream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) client.end(chunk.subarray(0, 100))
      else client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { port: (server.address() as { port: number }).port, connections: () => connections }
}

async function readAll(reader: CaptureLogReader): Promise<LoggedRecord[]> {
  const streams = await reader.streams()
  const read = ({ oldest }: (typeof streams)[number]) =>
    Array.fromAsync(reader.read(oldest, { follow: false }))
  return (await Promise.all(streams.map(read))).flat()
}

function append(
  writer: { append(record: CaptureRecord, durable: (error?: Error) => void): void },
  record: CaptureRecord,
): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.append(record, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

function request(number: number, bytes: number): CaptureRecord {
  return {
    kind: 'request',
    exchange: { proxy: 'edge-1.0', number },
    connection: 1,
    method: 'PUT',
    target: `/index/_doc/${number}`,
    headers: ['content-type', 'application/json'],
    body: Buffer.alloc(bytes, number % 251),
    bodyBytes: bytes,
    firstByteAt: 10,
    lastByteAt: 20,
    mayWrite: true,
  }
}
