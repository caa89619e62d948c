import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What bin/osmigrate.js does under a Node.js that is too old: one that calls itself so, since only its name is asked. */

const root = fileURLToPath(new URL('../', import.meta.url))
const oldNode = `data:text/javascript,${encodeURIComponent(
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })
   Object.defineProperty(process, 'version', { value: 'v20.19.0' })`,
)}`

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function runOld(program: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', oldNode, program, '--version'], {
      env: { ...process.env, ...env },
      timeout: 60_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** A program folder like that of a package, or of a clone that has not been set up. */
function programIn(kind: 'package' | 'clone'): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-bin-'))
  after(() => rmSync(folder, { recursive: true }))
  cpSync(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
  if (kind === 'clone') {
    mkdirSync(path.join(folder, 'src/cli'), { recursive: true })
    writeFileSync(path.join(folder, 'src/cli/main.ts'), '')
  }
  return path.join(folder, 'bin/osmigrate.js')
}

test('below Node.js 24 the installed program says in one line how to run it', async () => {
  const { code, stdout, stderr } = await runOld(programIn('package'))
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.equal(
    stderr,
    'osmigrate needs Node.js 24, this is v20.19.0: run `npx -p node@24 -p osmigrate osmigrate …`\n',
  )
})

test('below Node.js 24 a clone runs the Node.js of its own node_modules', async () => {
  const { code, stdout } = await runOld(path.join(root, 'bin/osmigrate.js'))
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('below Node.js 24 a clone without node_modules, or with an old one, says what to run', async () => {
  const fresh = await runOld(programIn('clone'))
  const second = await runOld(path.join(root, 'bin/osmigrate.js'), { OSMIGRATE_OWN_NODE: '1' })
  for (const { code, stderr } of [fresh, second]) {
    assert.equal(code, 2)
    assert.match(stderr, /^osmigrate needs Node.js 24.*: run `node scripts\/set-up\.js` first\n$/)
  }
})
