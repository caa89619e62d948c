import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/osmigrate.js', import.meta.url))

test('the demo moves its data, keeps both clusters until Ctrl-C, and leaves nothing behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'osmigrate-demo-test-'))
  await chmod(folder, 0o755) // as root the engines are another user
  t.after(() => rm(folder, { recursive: true, force: true }))
  const child = spawn(process.execPath, [program, 'demo', '--scale', '0.02'], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder },
  })
  t.after(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  const told = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.includes('Ctrl-C stops them')) resolve()
    })
  })
  await Promise.race([told, closed])
  assert.match(stdout, /Every document is equal on both sides/, stdout + stderr)
  const urls = [...stdout.matchAll(/(http:\/\/127\.0\.0\.1:\d+)\/_cat/g)].map((one) => one[1]!)
  assert.equal(urls.length, 2)
  for (const url of urls) assert.equal((await fetch(url)).status, 200)

  child.kill('SIGINT')
  assert.equal(await closed, 0)
  for (const url of urls) await assert.rejects(fetch(url))
  assert.deepEqual(await readdir(folder), [])
})
