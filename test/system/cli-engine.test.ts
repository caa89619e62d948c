import assert from 'node:assert/strict'
import { chmod } from 'node:fs/promises'
import { test } from 'node:test'
import { cliFolder, osmigrateJson, startOsmigrate } from '../support/cli.ts'

test('engine list names what can be started here', async () => {
  const rows = await osmigrateJson<{ kind: string; version: string; ok: boolean }[]>(
    cliFolder(),
    0,
    'engine',
    'list',
  )
  const seven = rows.find(({ kind, version }) => kind === 'elasticsearch' && version === '7.10.2')
  assert.equal(seven?.ok, true)
  assert.ok(rows.some(({ kind }) => kind === 'opensearch'))
  assert.ok(rows.some(({ kind }) => kind === 'kafka'))
})

test('engine start runs an engine until it is told to stop, and leaves nothing', async (t) => {
  const folder = cliFolder()
  await chmod(folder, 0o755) // as root the engine is another user
  const args = ['engine', 'start', 'elasticsearch', '7.10.2', '--heap-mb', '300', '--json']
  const { child, ended } = startOsmigrate(folder, ...args)
  t.after(() => child.kill('SIGKILL'))
  const told = new Promise<string>((resolve) => {
    let stdout = ''
    child.stdout!.on('data', (text: string) => {
      stdout += text
      if (stdout.includes('\n')) resolve(stdout)
    })
  })
  const early = ended.then(({ stdout, stderr }) => assert.fail(`it ended: ${stdout}${stderr}`))
  early.catch(() => {}) // it ends later, as it should
  const engine = JSON.parse(await Promise.race([told, early])) as { url: string; version: string }
  const about = (await (await fetch(engine.url)).json()) as { version: { number: string } }
  assert.equal(about.version.number, '7.10.2')
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
  await assert.rejects(fetch(engine.url))
})
