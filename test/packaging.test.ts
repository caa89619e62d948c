import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What users get: the tarball of `npm pack`, installed into an empty folder. */

const run = promisify(execFile)
const root = fileURLToPath(new URL('../', import.meta.url))
const repository = join(root, 'test/fixtures/elasticsearch-7.10.2/compressed/repository')
// The tarball is tried with the Node.js of this test, which is not the machine's own.
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` }

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'osmigrate-package-'))
  await run('npm', ['run', 'build', '--silent'], { cwd: root, env })
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, env })
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  assert.ok(tarball, 'npm pack made a tarball')
  await run('npm', ['init', '-y'], { cwd: folder, env })
  const quick = ['--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quick, join(folder, tarball)], { cwd: folder, env })
})

after(() => rm(folder, { recursive: true, force: true }))

async function osmigrate(...args: string[]): Promise<string> {
  const program = join(folder, 'node_modules/.bin/osmigrate')
  return (await run(program, args, { cwd: folder, env })).stdout
}

test('the installed package says its version', async () => {
  assert.match(await osmigrate('--version'), /^\d+\.\d+\.\d+\n$/)
})

test('the installed package lists the snapshots of a repository', async () => {
  const text = await osmigrate('snapshot', 'list', '--repository', repository, '--json')
  const { snapshots } = JSON.parse(text) as { snapshots: { name: string; state: string }[] }
  assert.ok(snapshots.length > 0)
  assert.ok(snapshots.every(({ state }) => state === 'SUCCESS'))
})

test('the installed package writes a migration.yaml with the schema beside it', async () => {
  const { file, schema } = JSON.parse(await osmigrate('init', '--json')) as Record<string, string>
  assert.equal(file, join(folder, 'migration.yaml'))
  assert.equal(schema, join(folder, 'migration.schema.json'))
})

test("a user's module is checked by the types of the package, and runs as it is", async () => {
  const module = `import type { Document, DocumentContext, Dropped } from 'osmigrate'
export function document(d: Document, ctx: DocumentContext): Document | Dropped {
  if (d.source['n'] === 7) return ctx.drop('a seven')
  d.source['seen'] = true
  return d
}
`
  await writeFile(join(folder, 'shop.mts'), module)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--erasableSyntaxOnly']
  await run(process.execPath, [tsc, ...strict, 'shop.mts'], { cwd: folder, env })
  const where = ['--repository', repository, '--snapshot', 's1', '--index', 'plain']
  const failed = await osmigrate('transform', 'test', ...where, '--transform', 'shop.mts').catch(
    (error: { code: number; stdout: string }) => error,
  )
  assert.ok(typeof failed !== 'string' && failed.code === 3, JSON.stringify(failed))
  assert.match(failed.stdout, /plain +68 +67 +0 +1 +0 /)
})

test('the package holds the program and its documents, and nothing else', async () => {
  const names = await readdir(join(folder, 'node_modules/osmigrate'))
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'migration.schema.json']
  assert.deepEqual(names.sort(), [...expected, 'package.json'])
  const compiled = await readdir(join(folder, 'node_modules/osmigrate/dist'), { recursive: true })
  assert.deepEqual(
    compiled.filter((name) => name.includes('.test.')),
    [],
  )
})
