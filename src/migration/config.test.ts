import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Json } from '../base/json.ts'
import { MigrationError } from '../base/errors.ts'
import { loadConfig } from './config.ts'
import { initFile } from './init-file.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-config-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function load(text: string, flags: Record<string, Json> = {}) {
  const file = join(folder, 'migration.yaml')
  await writeFile(file, text)
  return loadConfig({ file, flags: new Map(Object.entries(flags)) })
}

/** The lines of the error, with the folder taken off. */
async function errorsOf(text: string, flags: Record<string, Json> = {}): Promise<string[]> {
  const error: unknown = await load(text, flags).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof MigrationError && error.code === 'MA_CONFIG', String(error))
  return error.message.replaceAll(`${folder}/`, '').split('\n')
}

test('a flag beats the file, the file beats the default', async () => {
  const text = 'version: 1\nname: shop\nbackfill: { threads: 2, deadLettersMax: 7 }\n'
  const { config, stateFolder } = await load(text, { 'backfill.threads': 3 })
  assert.equal(config.backfill.threads, 3)
  assert.equal(config.backfill.deadLettersMax, 7)
  assert.equal(config.backfill.verify, 'touched')
  assert.equal(stateFolder, join(folder, '.osmigrate/shop'))
})

test('an unknown key is refused by name with its line and the nearest right one', async () => {
  const text = 'version: 1\nbackfill:\n  verify: full\n  deadLetterMax: 3\ntarget-cluster: {}\n'
  const errors = await errorsOf(text)
  assert.equal(
    errors[0],
    'migration.yaml:4: backfill.deadLetterMax: unknown key; did you mean deadLettersMax?',
  )
  assert.match(
    errors[1]!,
    /^migration.yaml:5: target-cluster: unknown key; there are: version, name/,
  )
})

test('a wrong value is refused with file, line and path', async () => {
  const errors = await errorsOf('version: 1\nbackfill:\n  verify: none\n  bulkBytesMax: 10zb\n')
  assert.equal(
    errors[0],
    'migration.yaml:3: backfill.verify: expected touched or full, found "none"',
  )
  assert.match(errors[1]!, /^migration.yaml:4: backfill.bulkBytesMax: expected a size such as/)
})

test('a wrong value of a flag names the flag', async () => {
  const errors = await errorsOf('version: 1\n', { 'backfill.threads': 'many' })
  assert.deepEqual(errors, ['--threads: expected number, found a string'])
})

test('a literal secret is refused and never repeated', async () => {
  for (const auth of [
    '{ username: u, password: hunter2 }',
    '{ apiKey: hunter2 }',
    '{ bearer: hunter2 }',
  ]) {
    const [error] = await errorsOf(`version: 1\ntarget:\n  url: http://a\n  auth: ${auth}\n`)
    assert.match(error!, /^migration.yaml:4: target.auth.\w+: expected env:NAME or file:PATH/)
    assert.doesNotMatch(error!, /hunter2/)
  }
})

test('a password inside a URL is refused and never repeated', async () => {
  const [error] = await errorsOf('version: 1\nsource: { url: "https://me:hunter2@es:9200" }\n')
  assert.match(error!, /^migration.yaml:2: source.url: expected a URL without user and password/)
  assert.doesNotMatch(error!, /hunter2/)
})

test('a user name without a password takes it from the environment variable of its side', async () => {
  const { config } = await load('version: 1\n', {
    'target.url': ['http://a:9200'],
    'target.auth.username': 'me',
  })
  assert.equal(config.target?.auth?.password, 'env:OSMIGRATE_TARGET_PASSWORD')
})

test('two ways to log in, a certificate without its key, a wrong version are refused', async () => {
  const target = (rest: string): string => `version: 1\ntarget: { url: http://a, ${rest} }\n`
  assert.match(
    (await errorsOf(target('auth: { apiKey: env:A, bearer: env:B }')))[0]!,
    /one way to log in/,
  )
  assert.match((await errorsOf(target('tls: { cert: file:a.pem }')))[0]!, /cert and key together/)
  assert.match(
    (await errorsOf('version: 2\n'))[0]!,
    /^migration.yaml:1: version: expected version: 1/,
  )
})

test('what is not YAML, or holds a key twice, is refused with its place', async () => {
  assert.match((await errorsOf('version: 1\nname: "x\n'))[0]!, /^migration.yaml:\d+:\d+: not YAML/)
  assert.match(
    (await errorsOf('version: 1\nname: a\nname: b\n'))[0]!,
    /^migration.yaml:3:1: not YAML/,
  )
})

test('a transform is a module, a step or a list of them', async () => {
  const { config, folder } = await load('version: 1\ntransform: [./a.ts, { remove: b, index: c }]')
  const steps = config.transform!.map(({ module, remove, index }) => ({ module, remove, index }))
  assert.deepEqual(steps, [
    { module: join(folder, 'a.ts'), remove: undefined, index: undefined },
    { module: undefined, remove: ['b'], index: ['c'] },
  ])
  const one = (await load('version: 1', { transform: ['./a.ts'] })).config.transform![0]!
  assert.equal(one.deadline, 10_000)
})

for (const [text, message] of [
  ['{ renam: { a: b } }', /:2: transform.renam: unknown key; did you mean rename\?/],
  ['{ keepType: { fiel: x } }', /:2: transform.keepType.fiel: unknown key$/],
  ['[./a.ts, { rename: { a: b }, remove: c }]', /transform.1: expected one of module, rename, /],
  ['[{ convert: { a: lon } }]', /transform.0.convert.a: expected keyword or .*, found "lon"/],
  ['{ rename: { a..b: c } }', /transform.rename/],
  ['7', /transform: expected a module, a step such as/],
] as const) {
  test(`a step that is none is refused where it is wrong: ${text}`, async () => {
    const errors = await errorsOf(`version: 1\ntransform: ${text}`)
    assert.ok(
      errors.some((error) => message.test(error)),
      errors.join('\n'),
    )
  })
}

test('parts of later versions are refused by name', async () => {
  assert.deepEqual(await errorsOf('version: 1\ncutover: { holdMax: 10s }\n'), [
    'migration.yaml:2: cutover: this version has no such part yet; remove it',
  ])
})

test('relative paths start at the folder of the file', async () => {
  const text =
    'version: 1\nsnapshot: { repository: ./snap, tls: { ca: "file:./store.pem" } }\ntarget: { url: http://a, tls: { ca: "file:./ca.pem" } }\n'
  const { config } = await load(text)
  assert.equal(config.snapshot.repository, join(folder, 'snap'))
  assert.equal(config.snapshot.tls?.ca, `file:${join(folder, 'store.pem')}`)
  assert.equal(config.target?.tls?.ca, `file:${join(folder, 'ca.pem')}`)
})

test('places of the capture start there, too', async () => {
  const text =
    'version: 1\ncapture: { tls: { cert: "file:p.pem", key: "file:p.key" }, admin: { token: "file:t" }, log: { dir: log, kafka: { brokers: "k:9092", tls: { ca: "file:k.pem" } } } }\n'
  const { capture } = (await load(text)).config
  assert.deepEqual(capture.tls, {
    cert: `file:${join(folder, 'p.pem')}`,
    key: `file:${join(folder, 'p.key')}`,
  })
  assert.equal(capture.admin.token, `file:${join(folder, 't')}`)
  assert.equal(capture.log.dir, join(folder, 'log'))
  assert.equal(capture.log.kafka?.tls?.ca, `file:${join(folder, 'k.pem')}`)
})

test('without a file everything comes from flags and defaults', async () => {
  const empty = await mkdtemp(join(folder, 'empty-'))
  const { config, file } = await loadConfig({ folder: empty })
  assert.equal(file, undefined)
  assert.deepEqual(config.select, { include: ['*'] })
})

test('a file that is named and not there is refused', async () => {
  await assert.rejects(loadConfig({ file: join(folder, 'none.yaml') }), /none.yaml cannot be read/)
})

test('the file that init writes is valid and says the defaults', async () => {
  const { config } = await load(initFile())
  const defaults = (await load('version: 1\n')).config
  assert.deepEqual(config.backfill, defaults.backfill)
  assert.deepEqual(config.metadata, defaults.metadata)
})
