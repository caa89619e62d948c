import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

/** What is damaged, or cannot be read by its kind, is named and keeps nothing else from being moved: exit code 3. */

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target
const family = uniqueName('damaged')
const [broken, whole, other] = ['a-broken', 'b-whole', 'c-other'].map((end) => `${family}-${end}`)
const { location, name } = skip === false ? source.makeRepository() : { location: '', name: '' }
const folder = cliFolder()

before(async () => {
  if (skip !== false) return
  for (const index of [broken!, whole!, other!]) {
    await makeIndex(source, index, { settings: { number_of_shards: 1 } })
    await putItems(source, index, numbered(20))
  }
  await send(source, 'PUT', `/_snapshot/${name}`, { type: 'fs', settings: { location } })
  await send(source, 'PUT', `/_snapshot/${name}/s1?wait_for_completion=true`, {
    indices: `${family}-*`,
    include_global_state: false,
  })
  await flipMetadata(broken!)
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${family}
target: { url: ${target.url} }
select: { include: ['${family}-*'] }
snapshot: { repository: ${location}, name: s1 }
metadata: { templates: false }
`,
  )
})

/** Flips a bit in the middle of the metadata of an index. */
async function flipMetadata(index: string): Promise<void> {
  const root = (await readdir(location))
    .filter((file) => /^index-\d+$/.test(file))
    .sort()
    .at(-1)!
  const { indices } = JSON.parse(await readFile(join(location, root), 'utf8')) as {
    indices: { [name: string]: { id: string } }
  }
  const inside = join(location, 'indices', indices[index]!.id)
  const file = join(
    inside,
    (await readdir(inside)).find((one) => one.startsWith('meta-'))!,
  )
  const bytes = await readFile(file)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(file, bytes)
}

interface Show {
  indices: { index: string; documents: number }[]
  unreadable: { index: string; reason: string }[]
}

test('snapshot show names the index and shows the others', { skip }, async () => {
  const show = await osmigrateJson<Show>(folder, 3, 'snapshot', 'show')
  assert.deepEqual(
    show.indices.map(({ index, documents }) => [index, documents]),
    [
      [whole, 20],
      [other, 20],
    ],
  )
  assert.deepEqual(
    show.unreadable.map(({ index }) => index),
    [broken],
  )
  assert.match(show.unreadable[0]!.reason, /corrupt data: indices\/.*meta-.*checksum/)
  const { stdout } = await osmigrate(folder, 3, 'snapshot', 'show')
  assert.match(stdout, new RegExp(`cannot be read: ${broken}: corrupt data`))
})

test('the plan names it, and all others are made, written and equal', { skip }, async () => {
  const { stdout } = await osmigrate(folder, 3, 'metadata', 'evaluate')
  assert.match(stdout, new RegExp(`${broken}.*corrupt data`))
  await osmigrate(folder, 3, 'metadata', 'migrate')
  const refused = await osmigrate(folder, 1, 'backfill', 'start')
  assert.match(refused.stderr, new RegExp(`nothing was written[^]*${broken}`))
  const rest = ['--exclude', broken!]
  // Damaged since its target index was made.
  await flipMetadata(whole!)
  const partly = await osmigrate(folder, 1, 'backfill', 'start', ...rest)
  assert.match(
    partly.stderr,
    new RegExp(`index ${whole}: corrupt data.*everything else is written`),
  )
  await send(target, 'POST', `/${other}/_refresh`)
  const { count } = await send<{ count: number }>(target, 'GET', `/${other}/_count`)
  assert.equal(count, 20)
  await flipMetadata(whole!)
  await osmigrate(folder, 0, 'backfill', 'start', ...rest)
  const { verdicts } = await osmigrateJson<{ verdicts: { verdict: string; equal: number }[] }>(
    folder,
    0,
    'compare',
    'documents',
    ...rest,
  )
  assert.deepEqual(
    verdicts.map(({ verdict, equal }) => [verdict, equal]),
    [
      ['equal', 20],
      ['equal', 20],
    ],
  )
})

test('an index whose documents lie elsewhere is named with the reason', { skip }, async () => {
  const refused = join(import.meta.dirname, '../refused/opensearch-3.6.0-searchable')
  const repository = await openRepository(openBlobStore(refused))
  assert.equal(repository.snapshots.length, 1)
  const flags = ['--repository', refused, '--snapshot', 's1', '--index', '*']
  const reason = /held-elsewhere.*searchable snapshot of OpenSearch, whose documents lie in another/
  assert.match((await osmigrate(folder, 3, 'snapshot', 'show', ...flags)).stdout, reason)
  assert.match((await osmigrate(folder, 3, 'metadata', 'evaluate', ...flags)).stdout, reason)
})
