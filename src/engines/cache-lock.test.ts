import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { access, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { withCacheLock } from './cache-lock.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-lock-'))
after(() => rm(folder, { recursive: true }))

test('withCacheLock() lets one piece of work run at a time', { timeout: 20_000 }, async () => {
  const lock = path.join(folder, 'one')
  let inside = 0
  const work = async () => {
    assert.equal(++inside, 1)
    await new Promise(setImmediate)
    inside--
  }
  await Promise.all([withCacheLock(lock, work), withCacheLock(lock, work)])
  await assert.rejects(access(lock), 'the lock file is gone')
})

test('withCacheLock() takes over the lock of a process that is gone', async () => {
  const lock = path.join(folder, 'dead')
  const { pid } = spawnSync(process.execPath, ['--version'])
  await writeFile(lock, `${pid}\n`)
  assert.equal(await withCacheLock(lock, async () => 'done'), 'done')
})

test('withCacheLock() takes over a lock that nobody has kept alive', async () => {
  const lock = path.join(folder, 'silent')
  await writeFile(lock, `${process.pid}\n`)
  const longAgo = new Date(Date.now() - 10 * 60_000)
  await utimes(lock, longAgo, longAgo)
  assert.equal(await withCacheLock(lock, async () => 'done'), 'done')
})

test('withCacheLock() stops waiting when it is told to', async () => {
  const lock = path.join(folder, 'held')
  await writeFile(lock, `${process.pid}\n`)
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(withCacheLock(lock, async () => 'never', signal))
})

test('withCacheLock() gives the lock back when the work fails', async () => {
  const lock = path.join(folder, 'failing')
  const failing = withCacheLock(lock, () => Promise.reject(new Error('no disk')))
  await assert.rejects(failing, /no disk/)
  assert.equal(await withCacheLock(lock, async () => 'done'), 'done')
})
