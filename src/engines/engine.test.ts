import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import { connect, createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { send, useEngine } from '../../test/support/engines.ts'
import type { MigrationError } from '../base/errors.ts'
import { engineAvailable, startEngine, type Engine } from './engine.ts'
import { isListening } from './health.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-engines-'))
await chmod(folder, 0o755) // as root the engine is another user, who must get in
after(() => rm(folder, { recursive: true }))

test('an engine started again in its folder has its data, and stops without a trace', async () => {
  const dir = path.join(folder, 'kept')
  const start = (port: number) =>
    startEngine({ kind: 'elasticsearch', version: '7', dir, port, heapMb: 300 })
  const first = await start(0)
  await send(first, 'PUT', '/kept/_doc/1?refresh=true', { n: 1 })
  await first.stop()
  assert.ok(!(await isListening(first.port)))
  const second = await start(first.port)
  assert.equal(second.url, first.url)
  const found = await send(second, 'GET', '/kept/_doc/1')
  assert.deepEqual(found['_source'], { n: 1 })
  await assertPortTaken(first.port)
  await second.stop()
  assert.ok((await readdir(path.join(dir, 'data'))).length > 0)
})

async function assertPortTaken(port: number): Promise<void> {
  const taken = startEngine({ kind: 'elasticsearch', version: '7', port, heapMb: 300 })
  await assert.rejects(taken, (error: MigrationError) => {
    assert.equal(error.code, 'MA_ENGINE')
    assert.match(error.message, /could not bind its port .* another process has it/)
    return true
  })
}

test('an engine does not outlive its program, killed by SIGKILL', async () => {
  const program = path.join(folder, 'program.mjs')
  const module = new URL('./engine.ts', import.meta.url).href
  await writeFile(
    program,
    `import { startEngine } from ${JSON.stringify(module)}
     const engine = await startEngine({ kind: 'elasticsearch', version: '7', heapMb: 300 })
     console.log(JSON.stringify(engine))
     setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const engine = JSON.parse(line) as Engine
  const socket = connect({ host: '127.0.0.1', port: engine.port })
  await once(socket, 'connect')
  child.kill('SIGKILL')
  // The engine's end closes the connection; it is gone for good once its port is free.
  socket.resume()
  await once(socket, 'close')
  await untilPortIsFree(engine.port)
})

async function untilPortIsFree(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const server = createServer()
    server.listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.close()
    if (isFree) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail(`port ${port} is still taken`)
}

test('a start that is called off leaves no process and no folder', async () => {
  const temporary = await mkdtemp(path.join(folder, 'called-off-'))
  await chmod(temporary, 0o755)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary // where its folder is made, and nobody else's
  try {
    const stop = new AbortController()
    const { signal } = stop
    const starting = startEngine({ kind: 'elasticsearch', version: '7', heapMb: 300, signal })
    const refused = assert.rejects(starting, /called off|aborted/)
    await untilLogBegins(temporary)
    assert.ok((await processesNaming(temporary)) > 0, 'the server runs')
    stop.abort(new Error('called off'))
    await refused
    assert.equal(await processesNaming(temporary), 0)
    assert.deepEqual(await readdir(temporary), [])
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})

/** Waits until the server of the one folder below has written something: it runs, and is far from healthy. */
async function untilLogBegins(temporary: string): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const [name] = await readdir(temporary)
    const log = path.join(temporary, name ?? '', 'logs/stdout.log')
    const text = await readFile(log, 'utf8').catch(() => '')
    if (text !== '') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail('the server has written nothing')
}

/** Processes whose arguments name a folder. */
async function processesNaming(place: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-A', '-o', 'args='], {
    maxBuffer: 64 << 20,
  })
  return stdout.split('\n').filter((line) => line.includes(place)).length
}

test('a version that is not in the catalogue is refused with those that are', async () => {
  const unknown = startEngine({ kind: 'opensearch', version: '9.9.9' })
  await assert.rejects(unknown, /no opensearch 9\.9\.9 in the catalogue.*3\.6\.0/)
  const available = await engineAvailable('opensearch', '9.9.9')
  assert.ok(!available.ok && available.reason.includes('3.6.0'))
  const insecure = startEngine({ kind: 'elasticsearch', version: '7.10.2', security: true })
  await assert.rejects(insecure, /cannot be started with security; these can: 7\.17\.28/)
})

test('a server that ends by itself is an error with its last lines', async () => {
  const settings = { 'no.such.setting': 'true' }
  const failing = startEngine({ kind: 'elasticsearch', version: '7', heapMb: 300, settings })
  await assert.rejects(failing, /ended \(exit code 1\)[^]*no\.such\.setting/)
})

test('Kafka starts and listens', async () => {
  const kafka = await startEngine({ kind: 'kafka', version: '4' })
  assert.ok(await isListening(kafka.port))
  await kafka.stop()
  assert.ok(!(await isListening(kafka.port)))
  await assert.rejects(access(kafka.dir))
})

const secured = await useEngine('opensearch', '3', { security: true })

test(
  'an engine with security takes users and client certificates only',
  { skip: secured.skip },
  async () => {
    const beside = (name: string) => path.join(path.dirname(secured.caFile!), name)
    const ca = await readFile(secured.caFile!)
    const who = '/_plugins/_security/authinfo'
    assert.equal((await get(who, { ca })).status, 401)
    const admin = await get(who, { ca, auth: 'admin:admin' })
    assert.equal(admin.user, 'admin')
    const cert = await readFile(beside('client.pem'))
    const key = await readFile(beside('client-key.pem'))
    assert.equal((await get(who, { ca, cert, key })).user, 'migrator')
    assert.equal((await get('/_cat/indices', { ca, cert, key })).status, 200)
  },
)

function get(
  where: string,
  options: https.RequestOptions,
): Promise<{ status: number; user?: string }> {
  return new Promise((resolve, reject) => {
    const request = https.get(secured.url + where, { agent: false, ...options }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        const user = /"user_name":"([^"]*)"/.exec(text)?.[1]
        resolve({ status: response.statusCode!, ...(user === undefined ? {} : { user }) })
      })
    })
    request.on('error', reject)
  })
}
