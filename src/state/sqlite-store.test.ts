import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { migrateFormat } from './format.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { kind } from './store.ts'
import { currentHolder } from '../base/folder-lock.ts'

type Thing = { n: number }
const things = kind<Thing>('thing')
const others = kind<Thing>('other')

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-state-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'migration')
}

function code(expected: string, message = /./) {
  return (error: unknown) =>
    error instanceof MigrationError && error.code === expected && message.test(error.message)
}

test('a committed record is read back after the file was closed', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openSqliteStore(folder, 'write')
  await store.commit([{ op: 'put', kind: things, key: 'a/żółć', value: { n: 1 } }])
  await store.close()
  const again = await openSqliteStore(folder, 'write')
  t.after(() => again.close())
  assert.deepEqual((await again.get(things, 'a/żółć'))?.value, { n: 1 })
  assert.equal(await again.get(others, 'a/żółć'), undefined)
})

test('the folder is 0700 and every file in it 0600', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openSqliteStore(folder, 'write')
  t.after(() => store.close())
  await store.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 } }])
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  for (const name of ['state.db', 'state.db-wal', 'state.db-shm', 'lock.db', 'lock.json']) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  }
})

test('list(), each() and count() go by prefix, in order of key, page by page', async (t) => {
  const store = await openSqliteStore(temporaryFolder(t), 'write')
  t.after(() => store.close())
  const keys = Array.from({ length: 2500 }, (_, i) => `p/${String(i).padStart(5, '0')}`)
  await store.commit(
    ['q/1', ...keys.toReversed(), 'p', 'o'].map((key) => ({
      op: 'put',
      kind: things,
      key,
      value: { n: 1 },
    })),
  )
  const all: string[] = []
  for await (const record of store.each(things, { prefix: 'p/' })) all.push(record.key)
  assert.deepEqual(all, keys)
  assert.equal(await store.count(things, { prefix: 'p/' }), 2500)
  assert.equal(await store.count(things), 2503)
  const page = await store.list(things, { prefix: 'p/', after: 'p/00010', limit: 2 })
  assert.deepEqual(
    page.map(({ key }) => key),
    ['p/00011', 'p/00012'],
  )
})

test('commit() with a stale revision throws a conflict and changes nothing', async (t) => {
  const store = await openSqliteStore(temporaryFolder(t), 'write')
  t.after(() => store.close())
  await store.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 }, revision: 0 }])
  const first = await store.get(things, 'a')
  await store.commit([
    { op: 'put', kind: things, key: 'a', value: { n: 2 }, revision: first!.revision },
  ])
  for (const revision of [0, first!.revision]) {
    await assert.rejects(
      store.commit([
        { op: 'put', kind: things, key: 'b', value: { n: 9 } },
        { op: 'put', kind: things, key: 'a', value: { n: 3 }, revision },
      ]),
      (error) => code('MA_STATE')(error) && (error as MigrationError).details.conflict === true,
    )
  }
  assert.equal((await store.get(things, 'a'))?.value.n, 2)
  assert.equal(await store.get(things, 'b'), undefined)
})

test('a record that was deleted and made anew does not get an old revision again', async (t) => {
  const store = await openSqliteStore(temporaryFolder(t), 'write')
  t.after(() => store.close())
  await store.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 } }])
  const before = await store.get(things, 'a')
  await store.commit([{ op: 'delete', kind: things, key: 'a', revision: before!.revision }])
  await store.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 }, revision: 0 }])
  assert.notEqual((await store.get(things, 'a'))?.revision, before?.revision)
})

test('a reader sees what a writer commits while both are open, and cannot write', async (t) => {
  const folder = temporaryFolder(t)
  const writer = await openSqliteStore(folder, 'write')
  const reader = await openSqliteStore(folder, 'read')
  t.after(() => Promise.all([reader.close(), writer.close()]))
  await writer.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 } }])
  assert.equal((await reader.get(things, 'a'))?.value.n, 1)
  await assert.rejects(
    reader.commit([{ op: 'put', kind: things, key: 'a', value: { n: 2 } }]),
    code('MA_STATE', /readonly/),
  )
})

test('note mode leaves word for a writer at work', async (t) => {
  const folder = temporaryFolder(t)
  const writer = await openSqliteStore(folder, 'write')
  t.after(() => writer.close())
  const note = await openSqliteStore(folder, 'note')
  await note.commit([{ op: 'put', kind: others, key: 'stop', value: { n: 1 } }])
  await note.close()
  assert.equal((await writer.get(others, 'stop'))?.value.n, 1)
})

test('read and note mode say so when there is no state', async (t) => {
  const folder = temporaryFolder(t)
  for (const mode of ['read', 'note'] as const) {
    await assert.rejects(openSqliteStore(folder, mode), code('MA_STATE', /no state of a migration/))
  }
  assert.equal(existsSync(folder), false)
})

test('a second writer gets MA_LOCKED with the pid, and a lock of a SIGKILLed one is free', async (t) => {
  const folder = temporaryFolder(t)
  const script = `
    const { openSqliteStore } = await import(${JSON.stringify(import.meta.resolve('./sqlite-store.ts'))})
    globalThis.store = await openSqliteStore(${JSON.stringify(folder)}, 'write')
    console.log('open'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await assert.rejects(
    openSqliteStore(folder, 'write'),
    code('MA_LOCKED', new RegExp(`pid ${child.pid}\\b`)),
  )
  assert.equal(currentHolder(folder)?.pid, child.pid)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  assert.equal(currentHolder(folder), undefined)
  await (await openSqliteStore(folder, 'write')).close()
})

test('a second writer in the same process gets MA_LOCKED too', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openSqliteStore(folder, 'write')
  t.after(() => store.close())
  await assert.rejects(openSqliteStore(folder, 'write'), code('MA_LOCKED'))
})

test('a state of a newer format is refused by name and left as it is', async (t) => {
  const folder = temporaryFolder(t)
  await (await openSqliteStore(folder, 'write')).close()
  const database = new DatabaseSync(join(folder, 'state.db'))
  database.exec('PRAGMA user_version=99')
  database.close()
  for (const mode of ['write', 'read', 'note'] as const) {
    await assert.rejects(openSqliteStore(folder, mode), code('MA_STATE', /format 99.*newer/))
  }
  assert.equal(currentHolder(folder), undefined)
})

test('migrateFormat() copies an older state, then applies the steps that it lacks', async (t) => {
  const folder = temporaryFolder(t)
  const store = await openSqliteStore(folder, 'write')
  await store.commit([{ op: 'put', kind: things, key: 'a', value: { n: 1 } }])
  await store.close()
  const file = join(folder, 'state.db')
  const database = new DatabaseSync(file)
  t.after(() => database.close())
  const steps = ['never run again', 'CREATE TABLE later (x)', 'INSERT INTO later VALUES (7)']
  assert.throws(() => migrateFormat(database, { file, mayWrite: false, steps }), code('MA_STATE'))
  migrateFormat(database, { file, mayWrite: true, steps })
  assert.deepEqual({ ...database.prepare('SELECT x FROM later').get() }, { x: 7 })
  const copy = new DatabaseSync(`${file}.format-1`, { readOnly: true })
  t.after(() => copy.close())
  assert.deepEqual({ ...copy.prepare('PRAGMA user_version').get() }, { user_version: 1 })
  assert.deepEqual({ ...copy.prepare('SELECT count(*) n FROM record').get() }, { n: 1 })
})

test('a step of a format that fails leaves the state as it was', async (t) => {
  const folder = temporaryFolder(t)
  await (await openSqliteStore(folder, 'write')).close()
  const file = join(folder, 'state.db')
  const database = new DatabaseSync(file)
  const steps = ['', 'CREATE TABLE later (x)', 'nonsense']
  assert.throws(() => migrateFormat(database, { file, mayWrite: true, steps }))
  database.close()
  await (await openSqliteStore(folder, 'write')).close()
})
