import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { doneOrNamed } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

/** A migration by commands, as a person gives them, between real clusters. */

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))
const documents = 3000
const index = uniqueName('cli')
const name = uniqueName('migration')
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-cli-system-'))
  if (skip !== false) return
  await send(source, 'PUT', `/${index}`, {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    mappings: { properties: { n: { type: 'integer' } } },
    aliases: { [`${index}-alias`]: {} },
  })
  const lines = Array.from(
    { length: documents },
    (_, i) => `{"index":{"_id":"d${i}"}}\n{"n":${i}}\n`,
  )
  await send(source, 'POST', `/${index}/_bulk?refresh=true`, lines.join(''))
  const { location } = source.makeRepository()
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${name}
source: { url: ${source.url} }
target: { url: ${target.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${location} }
metadata: { templates: false }
`,
  )
})
after(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function osmigrate(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, timeout: 180_000 })
    const ended = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...ended }))
  })
}

/** Runs a command that must end with this code (or one of these) and print one JSON document. */
async function json<T>(code: number | readonly number[], ...args: string[]): Promise<T> {
  const ended = await osmigrate(...args, '--json')
  assert.ok([code].flat().includes(ended.code!), `${ended.code}: ${ended.stdout}${ended.stderr}`)
  return JSON.parse(ended.stdout) as T
}

test(
  'a migration goes from snapshot create to compare documents by commands',
  { skip },
  async () => {
    const created = await json<{ indices: string[] }>(0, 'snapshot', 'create')
    assert.deepEqual(created.indices, [index])

    const early = await osmigrate('backfill', 'start')
    assert.equal(early.code, 1)
    assert.match(early.stderr, /no target index was made for it; run osmigrate metadata migrate/)

    const plan = await json<{ indices: { action: string }[] }>(doneOrNamed, 'metadata', 'evaluate')
    assert.deepEqual(
      plan.indices.map((one) => one.action),
      ['create'],
    )
    await json(doneOrNamed, 'metadata', 'migrate')

    const notBegun = await json<{ state: string }>(4, 'backfill', 'status')
    assert.equal(notBegun.state, 'none')

    // The detached run may be done before it is asked to stop: what follows holds either way.
    const { pid, log } = await json<{ pid: number; log: string }>(
      0,
      'backfill',
      'start',
      '--detach',
    )
    assert.equal(
      await readFile(join(folder, '.osmigrate', name, 'backfill.pid'), 'utf8'),
      `${pid}\n`,
    )
    assert.equal((await stat(log)).mode & 0o777, 0o600)
    assert.equal((await stat(join(folder, '.osmigrate', name))).mode & 0o777, 0o700)
    await json<{ stopped: boolean }>(0, 'backfill', 'stop')

    const summary = await json<{ totals: { written: number; failed: number } }>(
      0,
      'backfill',
      'start',
    )
    assert.equal(summary.totals.written, documents)
    assert.equal(summary.totals.failed, 0)
    const status = await json<{ state: string }>(0, 'backfill', 'status')
    assert.equal(status.state, 'done')

    const { verdicts } = await json<{ verdicts: { verdict: string; equal: number }[] }>(
      0,
      'compare',
      'documents',
    )
    assert.deepEqual(
      verdicts.map(({ verdict, equal }) => [verdict, equal]),
      [['equal', documents]],
    )
  },
)

test('compare documents ends with 3 and names what differs', { skip }, async () => {
  await send(target, 'POST', `/${index}/_update/d7?refresh=true`, { doc: { n: -1 } })
  await send(target, 'DELETE', `/${index}/_doc/d8?refresh=true`)
  const { code, stdout } = await osmigrate('compare', 'documents')
  assert.equal(code, 3)
  assert.match(stdout, /different/)
  assert.match(stdout, /d7/)
  assert.match(stdout, /d8/)
})

test('source and target mixed up is refused before anything is done', { skip }, async () => {
  const { code, stderr } = await osmigrate('metadata', 'migrate', '--target-url', source.url)
  assert.equal(code, 1)
  assert.match(stderr, /the target must be OpenSearch 1, 2 or 3.*\[MA_CLUSTER_KIND\]/)
})
