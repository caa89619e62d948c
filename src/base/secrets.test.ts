import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { resolveSecret } from './secrets.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-secrets-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const location = path.join(folder, name)
  writeFileSync(location, content)
  return `file:${location}`
}

test('resolveSecret() reads an environment variable', async () => {
  process.env['OSMIGRATE_TEST_SECRET'] = ' s3cr3t '
  assert.equal(await resolveSecret('env:OSMIGRATE_TEST_SECRET', 'target.auth.password'), ' s3cr3t ')
})

test('resolveSecret() takes the line ends off the end of a file, and nothing else', async () => {
  assert.equal(await resolveSecret(file('a', ' one \r\n\n'), 'x'), ' one ')
  assert.equal(await resolveSecret(file('b', 'two\nlines'), 'x'), 'two\nlines')
})

test('resolveSecret() refuses a literal without repeating it', async () => {
  for (const literal of ['hunter2', 'env:hunter-2!', '']) {
    await assert.rejects(resolveSecret(literal, 'target.auth.password'), (error: Error) => {
      assert.equal((error as Error & { code: string }).code, 'MA_CONFIG')
      assert.match(error.message, /target\.auth\.password/)
      assert.doesNotMatch(error.message + JSON.stringify(error), /hunter/)
      return true
    })
  }
})

test('resolveSecret() names what a reference leads to and why it is of no use', async () => {
  const cases: [string, RegExp][] = [
    ['env:OSMIGRATE_TEST_NOT_SET', /OSMIGRATE_TEST_NOT_SET is not set/],
    [`file:${folder}/none`, /none does not exist/],
    [`file:${folder}`, /is not a file/],
    [file('empty', '\n'), /is empty/],
    [file('large', 'x'.repeat(1024 * 1024 + 1)), /larger than 1 MiB/],
  ]
  for (const [reference, message] of cases) {
    await assert.rejects(resolveSecret(reference, 'x'), { code: 'MA_SECRET', message })
  }
})
