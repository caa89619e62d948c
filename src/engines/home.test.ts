import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile, mkdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { zipOf } from '../../test/support/make-zip.ts'
import type { MigrationError } from '../base/errors.ts'
import type { EngineRow } from './engine-row.ts'
import { prepareEngine } from './home.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-homes-'))
after(() => rm(folder, { recursive: true }))

const row: EngineRow = {
  kind: 'elasticsearch',
  version: '0.0.1',
  java: [17, 17],
  archive: { group: 'g', artifact: 'engine', version: '0.0.1', type: 'zip' },
  modules: [],
  withoutModules: ['slow'],
}
const archive = zipOf([
  { name: 'engine-0.0.1/lib/a.jar', bytes: Buffer.from('a jar'), method: 8 },
  { name: 'engine-0.0.1/modules/slow/b.jar', bytes: Buffer.from('slow'), method: 0 },
])

/** Puts a `mvn` first on the PATH that "downloads" these bytes, and counts how often it is asked. */
async function withMaven<T>(bytes: Buffer, work: (calls: () => Promise<number>) => Promise<T>) {
  const bin = await mkdtemp(path.join(folder, 'bin-'))
  await writeFile(path.join(bin, 'artifact'), bytes)
  const script = `#!/bin/sh
echo called >> ${bin}/calls
for arg in "$@"; do case $arg in -DoutputDirectory=*) to=\${arg#*=};; esac; done
cp ${bin}/artifact "$to/engine-0.0.1.zip"
`
  await writeFile(path.join(bin, 'mvn'), script, { mode: 0o755 })
  const calls = async () => (await readFile(path.join(bin, 'calls'), 'utf8')).split('\n').length - 1
  return withPath(`${bin}:${process.env['PATH']}`, () => work(calls))
}

async function withPath<T>(value: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['PATH']
  process.env['PATH'] = value
  try {
    return await work()
  } finally {
    process.env['PATH'] = before
  }
}

test('a home is assembled once, by whoever comes first', { timeout: 20_000 }, async () => {
  const cache = path.join(folder, 'once')
  await withMaven(archive, async (calls) => {
    const both = await Promise.all([
      prepareEngine(row, { security: false, cache }),
      prepareEngine(row, { security: false, cache }),
    ])
    assert.equal(both[0], both[1])
    assert.equal(await calls(), 1)
  })
  const home = path.join(cache, (await readdir(cache))[0]!)
  assert.equal(await readFile(path.join(home, 'lib/a.jar'), 'utf8'), 'a jar')
  assert.deepEqual((await readdir(home)).sort(), ['lib', 'plugins'])
  // The unprivileged user who runs engines for root reads it.
  assert.equal((await stat(home)).mode & 0o777, 0o755)
  assert.equal((await stat(path.join(home, 'lib/a.jar'))).mode & 0o777, 0o644)
})

test('a download that was cut or changed never becomes a home', async () => {
  const cache = path.join(folder, 'damaged')
  const flipped = Buffer.from(archive)
  flipped[30 + 'engine-0.0.1/lib/a.jar'.length + 2]! ^= 1 // in the packed bytes
  for (const bytes of [archive.subarray(0, 100), flipped, Buffer.alloc(0)]) {
    await withMaven(bytes, async () => {
      await assert.rejects(prepareEngine(row, { security: false, cache }), (error) => {
        assert.equal((error as MigrationError).code, 'MA_ENGINE')
        assert.match((error as MigrationError).message, /damaged/)
        return true
      })
    })
    assert.deepEqual(await readdir(cache), [])
  }
})

test('without Maven the error says how to get it', async () => {
  const cache = path.join(folder, 'none')
  await withPath(folder, () =>
    assert.rejects(
      prepareEngine(row, { security: false, cache }),
      /Maven cannot be run.*Install it/,
    ),
  )
})

test('what a killed preparation left is removed by the next, not what another works on', async () => {
  const cache = path.join(folder, 'abandoned')
  const longAgo = new Date(Date.now() - 24 * 60 * 60_000)
  await mkdir(path.join(cache, '.work-old'), { recursive: true })
  await utimes(path.join(cache, '.work-old'), longAgo, longAgo)
  await mkdir(path.join(cache, '.work-young'))
  await withMaven(archive, () => prepareEngine(row, { security: false, cache }))
  const names = await readdir(cache)
  assert.ok(!names.includes('.work-old'))
  assert.ok(names.includes('.work-young'))
})
