import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The program as its users meet it: a process with arguments, output and an exit code. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const fixture = join(root, 'test/fixtures/elasticsearch-7.10.2/compressed')
const repository = join(fixture, 'repository')

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-cli-'))
})
after(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

function osmigrate(...args: string[]): Promise<Ended> {
  return osmigrateWith([], args)
}

function osmigrateWith(nodeFlags: readonly string[], args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeFlags, join(root, 'bin/osmigrate.js'), ...args], {
      cwd: folder,
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

test('--version answers without loading commander, yaml or zod', async () => {
  const hook = `import{registerHooks}from'node:module';registerHooks({resolve(s,c,n){process.stderr.write(s+'\\n');return n(s,c)}})`
  const { code, stdout, stderr } = await osmigrateWith(
    ['--import', `data:text/javascript,${encodeURIComponent(hook)}`],
    ['--version'],
  )
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.match(stderr, /cli\/main\.ts/)
  assert.doesNotMatch(stderr, /^(commander|yaml|zod)/m)
})

test('wrong usage ends with 2 and says what is meant', async () => {
  const wrong = await osmigrate('snapsht')
  assert.equal(wrong.code, 2)
  assert.match(
    wrong.stderr,
    /^error: unknown command 'snapsht'; did you mean snapshot\? \[MA_CONFIG\]/,
  )
  assert.equal(wrong.stdout, '')
  const flag = await osmigrate('snapshot', 'list', '--repositry', 'x')
  assert.equal(flag.code, 2)
  assert.match(flag.stderr, /did you mean --repository\?/)
})

test('rules of --rename are pairs, and half a rule is refused', async () => {
  const flags = ['clusters', 'roles', 'target', '--index', 'a-*', '--rename'] as const
  const { stdout } = await osmigrate(...flags, 'a-(.*)=b-$1', '--json')
  const patterns = JSON.stringify(JSON.parse(stdout))
  assert.match(patterns, /"b-\*"/)
  const split = await osmigrate(...flags.slice(0, -1), '--types', 'split', '--json')
  assert.match(split.stdout, /"a-\*-\*"/)
  const { code, stderr } = await osmigrate(...flags, 'a-1')
  assert.equal(code, 2)
  assert.match(stderr, /--rename.*a rule needs both/)
})

test('a secret as a flag is refused and says where secrets stand', async () => {
  const { code, stderr } = await osmigrate('snapshot', 'create', '--source-password', 'hunter2')
  assert.equal(code, 2)
  assert.match(stderr, /Secrets have no flags/)
  assert.doesNotMatch(stderr, /hunter2/)
})

test('help of a command is the same as --help', async () => {
  const help = await osmigrate('help', 'snapshot', 'list')
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^Usage: osmigrate snapshot list/)
  assert.equal(help.stdout, (await osmigrate('snapshot', 'list', '--help')).stdout)
})

test('an error with --json is one document on stdout', async () => {
  const { code, stdout, stderr } = await osmigrate('snapshot', 'list', '--json')
  assert.equal(code, 2)
  const document = JSON.parse(stdout) as { error: { code: string; message: string } }
  assert.equal(document.error.code, 'MA_CONFIG')
  assert.match(document.error.message, /snapshot.repository is missing/)
  assert.equal(stderr, '')
})

test('a repository that is not there ends with 1, without a stack, with one under --debug', async () => {
  const missing = ['snapshot', 'list', '--repository', join(folder, 'none')]
  const { code, stderr } = await osmigrate(...missing)
  assert.equal(code, 1)
  assert.match(stderr, /^error: .*none.* \[MA_REPOSITORY\]/)
  assert.doesNotMatch(stderr, /^\s+at /m)
  assert.match((await osmigrate(...missing, '--debug')).stderr, /^\s+at /m)
})

test('snapshot list and show print what the repository holds', async () => {
  const list = await osmigrate('snapshot', 'list', '--repository', repository)
  assert.match(list.stdout, /^snapshot +state +version +indices\ns1 +SUCCESS +7\.10\.2 +\d+\n/)
  const show = ['snapshot', 'show', '--repository', repository, '--snapshot', 's1', '--json']
  const { indices } = JSON.parse((await osmigrate(...show)).stdout) as {
    indices: { index: string; shards: number; luceneVersions: string[] }[]
  }
  assert.ok(indices.length > 3)
  assert.deepEqual(new Set(indices.flatMap((one) => one.luceneVersions)), new Set(['8.7.0']))
})

for (const version of ['7.10.2', '6.8.23']) {
  test(`snapshot documents prints every document as ${version} gave it`, async () => {
    const of = join(root, `test/fixtures/elasticsearch-${version}/compressed`)
    const args = ['--repository', join(of, 'repository'), '--snapshot', 's1']
    const { code, stdout, stderr } = await osmigrate('snapshot', 'documents', ...args)
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const printed = stdout.trimEnd().split('\n').map(asInFixture)
    const expected = (await readFile(join(of, 's1.ndjson'), 'utf8')).trimEnd().split('\n')
    const [has, should] = [new Set(printed), new Set(expected)]
    assert.equal(printed.length, expected.length)
    assert.deepEqual(expected.filter((line) => !has.has(line)).slice(0, 3), [])
    assert.deepEqual(printed.filter((line) => !should.has(line)).slice(0, 3), [])
  })
}

/** A printed line as the fixture has it: a long source stands as its length and hash. */
function asInFixture(line: string): string {
  const at = line.indexOf(',"source":')
  const source = line.slice(at + ',"source":'.length, -1)
  const bytes = Buffer.byteLength(source)
  if (at < 0 || bytes <= 2000) return line
  const sha256 = createHash('sha256').update(source).digest('hex')
  return `${line.slice(0, at)},"sourceBytes":${bytes},"sourceSha256":"${sha256}"}`
}

test('snapshot documents ends quietly when its reader has enough', async () => {
  const args = ['snapshot', 'documents', '--repository', repository, '--snapshot', 's1']
  const child = spawn(process.execPath, [join(root, 'bin/osmigrate.js'), ...args], { cwd: folder })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(stderr, '')
  assert.equal(code, 0)
})

test('completion scripts are accepted by their shells and know the commands', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await osmigrate('completion', shell)
    assert.equal(code, 0)
    assert.match(stdout, /documents/)
  }
  const { stdout } = await osmigrate('completion', 'bash')
  const words = `COMP_WORDS=(osmigrate snapshot sh); COMP_CWORD=2; _osmigrate; echo "\${COMPREPLY[@]}"`
  const child = spawn('bash', ['-c', `${stdout}\n${words}`])
  let completed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (completed += text))
  await new Promise((resolve) => child.once('close', resolve))
  assert.equal(completed, 'show\n')
})

test('init writes a file that the other commands take, and does not write over one', async () => {
  assert.equal((await osmigrate('init', '--repository', repository)).code, 0)
  const list = await osmigrate('snapshot', 'list')
  assert.equal(list.code, 0)
  assert.match(list.stdout, /s1/)
  const again = await osmigrate('init')
  assert.equal(again.code, 2)
  assert.match(again.stderr, /is there already/)
})
