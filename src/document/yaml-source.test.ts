import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { convertSource } from './source-form.ts'

const json = (yaml: string): string => convertSource(Buffer.from(yaml), 'a file').toString('utf8')

test('binary in YAML becomes base64 text, as engines give it back', () => {
  assert.equal(json('---\nb: !!binary aGk=\n'), '{"b":"aGk="}')
})

test('an alias is the text of its name, as engines give it back', () => {
  assert.equal(
    json('---\na: &x [1]\nb: *x\nc:\n  <<: *nope\n'),
    '{"a":[1],"b":"x","c":{"<<":"nope"}}',
  )
})

test('words and numbers are those of YAML 1.1, as far as the engines read it', () => {
  const words = '---\na: yes\nb: Off\nc: y\nd: "no"\ne: ~\nf:\ng: NULL\n'
  assert.equal(json(words), '{"a":true,"b":false,"c":"y","d":"no","e":null,"f":null,"g":null}')
  const numbers =
    '---\n10: 0x1f\n9: 017\na: +5\nb: -1_000\nc: .5\nd: 1.\ne: 12:30\nf: 2024-02-29\ng: 1e400\nh: .inf\n'
  assert.equal(
    json(numbers),
    '{"10":"0x1f","9":17,"a":5,"b":-1000,"c":0.5,"d":1.0,"e":"12:30","f":"2024-02-29","g":1e400,"h":".inf"}',
  )
})

test('deep YAML is CorruptData', () => {
  assert.throws(() => json(`---\n${'['.repeat(20_000)}${']'.repeat(20_000)}`), CorruptData)
})
