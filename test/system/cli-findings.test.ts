import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../src/base/json.ts'
import { doneOrNamed } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

/** What commands say of a migration in which not all is well, from its first document to its close. */

const source = await useEngine('elasticsearch', '7')
// Its own: action.auto_create_index is turned and put back here.
const target = await useEngine('opensearch', '3', { own: true })
const { skip } = target

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))
const documents = 50
const index = uniqueName('findings')
const oddSource = '{"n":12345678901234567890,"x":1e400 /* as a client sent it */}'
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-cli-findings-'))
  if (skip !== false) return
  await send(source, 'PUT', `/${index}`, {
    settings: { number_of_replicas: 0, refresh_interval: '7s', default_pipeline: '_none' },
    mappings: { dynamic: false },
  })
  const lines = Array.from({ length: documents }, (_, i) => {
    return `{"index":{"_id":"d${i}"}}\n${i === 3 ? oddSource : `{"n":${i}}`}\n`
  })
  await send(source, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''))
  const { location } = source.makeRepository()
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: findings
source: { url: ${source.url} }
target: { url: ${target.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${location} }
metadata: { templates: false }
`,
  )
  await json(0, 'snapshot', 'create')
  await json(doneOrNamed, 'metadata', 'migrate')
})
after(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  // Not 'close': Node.js does not emit it after disconnect().
  const closed = [child.stdout!, child.stderr!].map((stream) => once(stream, 'close'))
  const ended = Promise.all([once(child, 'exit'), ...closed]).then(([[code]]) => {
    return { code: code as number | null, ...said }
  })
  return { child, ended }
}

/** Runs a command that must end with this code (or one of these), and gives what it printed. */
async function text(code: number | readonly number[], ...args: string[]): Promise<string> {
  const ended = await start(...args).ended
  assert.ok([code].flat().includes(ended.code!), `${ended.code}: ${ended.stdout}${ended.stderr}`)
  return ended.stdout
}

async function json<T>(code: number | readonly number[], ...args: string[]): Promise<T> {
  return JSON.parse(await text(code, ...args, '--json')) as T
}

/** The cluster setting that keeps late deletes from making indices; undefined where it is not set. */
async function guard(): Promise<unknown> {
  const { persistent } = await send<{ persistent: JsonObject }>(
    target,
    'GET',
    '/_cluster/settings?flat_settings=true',
  )
  return persistent['action.auto_create_index']
}

async function fenceAlias(): Promise<string> {
  const answer = await send<{ [name: string]: { aliases: object } }>(
    target,
    'GET',
    `/${index}/_alias/osmigrate-*`,
  )
  return Object.keys(answer[index]!.aliases)[0]!
}

test('a stop while --detach waits for its process stops that one too', { skip }, async (t) => {
  const mute = net.createServer().listen(0, '127.0.0.1')
  t.after(() => mute.close())
  await once(mute, 'listening')
  const { port } = mute.address() as net.AddressInfo
  const url = `http://127.0.0.1:${port}`
  const { child, ended } = start('backfill', 'start', '--detach', '--target-url', url)
  const early = ended.then(({ stderr }) => assert.fail(`ended before it connected: ${stderr}`))
  early.catch(() => {})
  const [socket] = (await Promise.race([once(mute, 'connection'), early])) as [net.Socket]
  socket.on('error', () => {}).resume()
  child.kill('SIGTERM')
  await once(socket, 'close')
  assert.equal((await ended).code, 4)
})

test('a document of somebody else ends the backfill and its status with 3', { skip }, async () => {
  const path = `/${await fenceAlias()}/_doc/d3?version=20&version_type=external_gte&refresh=true`
  await send(target, 'PUT', path, `${oddSource}\n`)
  const { child, ended } = start('backfill', 'start', '--json')
  // As when the shell that detached it is gone before the first document.
  child.disconnect()
  const { code, stdout, stderr } = await ended
  assert.equal(code, 3, stdout + stderr)
  const { totals } = JSON.parse(stdout) as { totals: { written: number; failed: number } }
  assert.deepEqual([totals.written, totals.failed], [documents - 1, 1])
  await json(3, 'backfill', 'status')
})

test('a dead letter is shown with its document as it is stored', { skip }, async () => {
  const { groups } = await json<{ groups: { example: { key: string } }[] }>(
    3,
    'deadletters',
    'list',
  )
  const { key } = groups[0]!.example
  const { document } = await json<{ document: { source: string } }>(0, 'deadletters', 'show', key)
  assert.equal(document.source, oddSource)
})

test(
  'a verdict says what was left behind and what it cannot see, also when equal',
  { skip },
  async () => {
    await text(0, 'deadletters', 'discard', '--all')
    const shown = await text(0, 'compare', 'documents')
    assert.match(shown, /Every document is equal/)
    assert.match(shown, /1 documents are dead letters that were discarded/)
    assert.match(shown, /^method: .*goes unseen with a chance of/m)
  },
)

test(
  'settings restore leaves the fence standing, and a backfill sets it again',
  { skip },
  async () => {
    const forbidding = '-osmigrate-*,-.ds-*,+*'
    assert.equal(await guard(), forbidding)
    const { settings, kept } = await json<{ settings: object[]; kept: { setting: string }[] }>(
      0,
      'settings',
      'restore',
    )
    assert.deepEqual(settings, [])
    assert.ok(kept.some(({ setting }) => setting === 'action.auto_create_index'))
    assert.equal(await guard(), forbidding)
    await text(0, 'settings', 'restore', '--all')
    assert.equal(await guard(), undefined)
    await text(0, 'backfill', 'start')
    assert.equal(await guard(), forbidding)
  },
)

test(
  'close takes the fences off, puts settings back, and sets what was withheld when asked',
  { skip },
  async () => {
    const alias = await fenceAlias()
    interface Closed {
      fences: string[]
      withheld: { setting: string; refused?: string }[]
      stillWithheld: number
    }
    const closed = await json<Closed>(0, 'close')
    assert.deepEqual([closed.fences, closed.withheld, closed.stillWithheld], [[alias], [], 1])
    assert.equal(await guard(), undefined)
    const again = await json<Closed>(0, 'close', '--set-withheld')
    assert.deepEqual(again.fences, [])
    assert.deepEqual(
      again.withheld.map(({ setting }) => setting),
      ['index.default_pipeline'],
    )
    const late = await start('backfill', 'start').ended
    assert.equal(late.code, 1)
    assert.match(late.stderr, /alias/)
    assert.equal(await guard(), undefined)
  },
)
