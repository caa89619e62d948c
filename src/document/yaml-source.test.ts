import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { convertSource } from './source-form.ts'

const json = (yaml: string): string => convertSource(Buffer.from(yaml), 'a file').toString('utf8')

test('binary in YAML becomes base64 text, as engines give it back', () => {
  assert.equal(json('---\nb: !!binary aGk=\n'), '{"b":"aGk="}')
})

test('aliases in YAML are resolved; those that lead nowhere or multiply are CorruptData', () => {
  assert.equal(json('---\na: &x [1]\nb: *x\n'), '{"a":[1],"b":[1]}')
  assert.throws(() => json('---\na: *nope\n'), CorruptData)
  let bomb = '---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n'
  for (let i = 1; i < 9; i++) {
    bomb += `a${i}: &a${i} [${new Array<string>(9).fill(`*a${i - 1}`).join(', ')}]\n`
  }
  assert.throws(() => json(bomb), CorruptData)
})

test('deep YAML is CorruptData', () => {
  assert.throws(() => json(`---\n${'['.repeat(20_000)}${']'.repeat(20_000)}`), CorruptData)
})
