import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { s3Credentials } from '../../src/engines/services.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startFileServer } from '../support/file-server.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

/** Snapshots on object storage and on a web server, by commands: looked into, and moved to OpenSearch. */

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target
// Objects are plain files: the folder of the source's repositories is bucket `snap`.
const basedir = { 'jclouds.filesystem.basedir': source.dir }
const s3 = skip === false ? await useEngine('s3', '4', { settings: basedir }) : undefined

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))
const index = uniqueName('far')
const documents = 4_000
const { location, name: folderName } =
  skip === false ? source.makeRepository() : { location: '', name: '' }
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-object-storage-'))
  if (skip !== false) return
  await makeIndex(source, index, { settings: { number_of_shards: 2 } })
  for (let part = 0; part < 4; part++) await putItems(source, index, numbered(1_000, part * 1_000))
  await send(source, 'PUT', `/_snapshot/${folderName}`, {
    type: 'fs',
    settings: { location, chunk_size: '100kb' },
  })
  await send(source, 'PUT', `/_snapshot/${folderName}/nightly?wait_for_completion=true`, {
    indices: index,
    // Templates and pipelines of other tests on the shared source would be named as not carried over.
    include_global_state: false,
  })
})
after(() => rm(folder, { recursive: true, force: true }))

const environment = {
  ...process.env,
  AZURE_STORAGE_SAS_TOKEN: 'sv=1&sig=none',
  GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json',
  AWS_ACCESS_KEY_ID: s3Credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3Credentials.secretAccessKey,
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function osmigrate(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
      cwd: folder,
      env: environment,
      timeout: 120_000,
    })
    const ended = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ended.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ended.stderr += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...ended }))
  })
}

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await osmigrate(args)
  assert.equal(code, 0, stdout + stderr)
  return stdout
}

test('a snapshot on S3 is listed, shown, read, moved and equal', { skip }, async () => {
  await writeFile(
    join(folder, 'migration.yaml'),
    `version: 1
name: ${uniqueName('migration')}
target: { url: ${target.url} }
select: { include: ['${index}'] }
snapshot:
  repository: s3://snap/${basename(location)}
  name: nightly
  s3: { endpoint: ${s3!.url} }
metadata: { templates: false }
backfill: { threads: 2 }
`,
  )
  const list = JSON.parse(await done('snapshot', 'list', '--json')) as {
    snapshots: { name: string }[]
  }
  assert.deepEqual(
    list.snapshots.map(({ name }) => name),
    ['nightly'],
  )
  assert.match(await done('snapshot', 'show'), new RegExp(index))
  const far = await done('snapshot', 'documents')
  assert.equal(far.trimEnd().split('\n').length, documents)
  assert.equal(far, await done('snapshot', 'documents', '--repository', location))

  await done('metadata', 'migrate')
  await done('backfill', 'start')
  const { verdicts } = JSON.parse(await done('compare', 'documents', '--json')) as {
    verdicts: { verdict: string; equal: number }[]
  }
  assert.deepEqual(
    verdicts.map(({ verdict, equal }) => [verdict, equal]),
    [['equal', documents]],
  )
})

test('a snapshot on a web server is read, without a listing', { skip }, async () => {
  const server = await startFileServer(location)
  try {
    const flags = ['--repository', server.url, '--snapshot', 'nightly', '--index', index]
    const near = ['--repository', location, '--snapshot', 'nightly', '--index', index]
    assert.equal(
      await done('snapshot', 'documents', ...flags),
      await done('snapshot', 'documents', ...near),
    )
  } finally {
    await server.close()
  }
})

/** Prints the packages that are loaded. */
const printPackages = `data:text/javascript,${encodeURIComponent(
  `import { registerHooks } from 'node:module'
   import { writeSync } from 'node:fs'
   registerHooks({ resolve(specifier, context, next) {
     if (!/^(node:|[./]|file:|data:)/.test(specifier)) writeSync(2, 'LOADED ' + specifier + '\\n')
     return next(specifier, context)
   } })`,
)}`

test('the packages of a cloud are loaded for its own locations only', { skip }, async () => {
  const clouds = /LOADED (@aws-sdk\/|@azure\/|google-auth-library)/g
  const loaded = async (code: number, ...args: string[]): Promise<Set<string>> => {
    const ended = await osmigrate(args, ['--import', printPackages])
    assert.equal(ended.code, code, ended.stderr)
    return new Set(Array.from(ended.stderr.matchAll(clouds), ([, name]) => name!))
  }
  const list = ['snapshot', 'list', '--repository']
  const s3Flags = [`s3://snap/${basename(location)}`, '--s3-endpoint', s3!.url]
  assert.deepEqual(await loaded(0, '--version'), new Set())
  assert.deepEqual(await loaded(0, ...list, location), new Set())
  assert.deepEqual(await loaded(0, ...list, ...s3Flags), new Set(['@aws-sdk/']))
  const nowhere = ['--repository-attempts', '1']
  const azure = ['--azure-endpoint', 'http://127.0.0.1:1/account', ...nowhere]
  assert.deepEqual(await loaded(1, ...list, 'azure://account/snap', ...azure), new Set(['@azure/']))
  const google = await loaded(2, ...list, 'gs://snapshots', ...nowhere)
  assert.deepEqual(google, new Set(['google-auth-library']))
})
