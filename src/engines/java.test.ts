import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { findJavaRuntimes } from './java.ts'

const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'osmigrate-java-')))
after(() => rm(folder, { recursive: true }))

async function makeRuntime(name: string, options: { version: string; release: boolean }) {
  const home = path.join(folder, name)
  await mkdir(path.join(home, 'bin'), { recursive: true })
  const says = `#!/bin/sh\necho 'openjdk version "${options.version}"' >&2\n`
  await writeFile(path.join(home, 'bin/java'), says, { mode: 0o755 })
  if (options.release) {
    await writeFile(path.join(home, 'release'), `JAVA_VERSION="${options.version}"\n`)
  }
  return home
}

test('findJavaRuntimes() finds JAVA_HOME, JAVA21, PATH and installed ones, each once', async () => {
  const first = await makeRuntime('a-17', { version: '17.0.15', release: true })
  const second = await makeRuntime('b-21', { version: '21.0.2', release: true })
  const third = await makeRuntime('installed/c-25', { version: '25', release: false })
  await mkdir(path.join(folder, 'links'))
  await symlink(path.join(second, 'bin/java'), path.join(folder, 'links/java'))
  const environment = { JAVA_HOME: first, JAVA21: path.join(second, 'bin/java') }
  const found = await findJavaRuntimes({ ...environment, PATH: path.join(folder, 'links') }, [
    path.join(folder, 'installed'),
    path.join(folder, 'no such place'),
  ])
  assert.deepEqual(found, [
    { home: first, major: 17 },
    { home: second, major: 21 },
    { home: third, major: 25 },
  ])
})

test('findJavaRuntimes() knows that 1.8 is 8, and passes over what is no Java', async () => {
  const old = await makeRuntime('old', { version: '1.8.0_402', release: false })
  const environment = { JAVA_HOME: old, JAVA_17_HOME: path.join(folder, 'gone'), PATH: folder }
  assert.deepEqual(await findJavaRuntimes(environment, []), [{ home: old, major: 8 }])
})
