import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomJson, randomSource, respell } from '../../test/support/random-json.ts'
import type { Fields } from './module.ts'
import { SourceText } from './source-text.ts'

const odd =
  '{ "10":1.0, "b": -0, "2": 12345678901234567890 ,"u":"\\u00e9\\/é\\ud800", "e":1e400,"__proto__":{"x":[ 1 ,2]},' +
  ' "d":0.1000000000000000055511151231257827, "l":[{"a":1.50}, [] , {} ] }'

function rewritten(text: string, change: (fields: Fields) => unknown): string {
  const source = new SourceText(text)
  return source.write(change(source.fields) ?? source.fields)
}

test('what nobody touches keeps its very text', () => {
  assert.equal(
    rewritten(odd, () => undefined),
    odd,
  )
})

test('a change leaves the text of everything beside it alone, and the order of keys', () => {
  const text = rewritten(odd, (fields) => {
    delete fields['b']
    ;(fields['l'] as Fields[])[0]!['z'] = [null, 'n\n', -0, 5n, 1e21]
    fields['new'] = true
  })
  assert.equal(
    text,
    '{"10":1.0,"2":12345678901234567890,"u":"\\u00e9\\/é\\ud800","e":1e400,"__proto__":{"x":[ 1 ,2]},' +
      '"d":0.1000000000000000055511151231257827,"l":[{"a":1.50,"z":[null,"n\\n",-0,5,1e+21]},[],{}],"new":true}',
  )
})

test('a number that no double holds keeps its digits wherever it is moved', () => {
  const text = rewritten(odd, (fields) => ({
    moved: fields['2'],
    list: [fields['d'], fields['e']],
  }))
  assert.equal(
    text,
    '{"moved":12345678901234567890,"list":[0.1000000000000000055511151231257827,1e400]}',
  )
})

test('objects that change places are written where they are now', () => {
  const text = rewritten('{"l":[{"a":1.0},{"b":[2.0]}],"x":{"c":3.0},"y":{"d":4.0}}', (fields) => {
    ;(fields['l'] as Fields[]).reverse()
    ;[fields['x'], fields['y']] = [fields['y']!, fields['x']!]
  })
  assert.equal(text, '{"l":[{"b":[2.0]},{"a":1.0}],"x":{"d":4.0},"y":{"c":3.0}}')
})

test('numbers are doubles where a double is that number', () => {
  for (const [text, isDouble] of [
    ['9007199254740993', false],
    ['9007199254740991', true],
    ['9007199254740992', true],
    ['1234567890123456768', false],
    ['1234567890123456800', true],
    ['0.30000000000000004', true],
    ['0.30000000000000001', false],
    ['0.10', true],
    ['100e-2', true],
    ['1e-400', false],
    ['0e-400', true],
    ['5e-324', true],
    ['4.9e-324', false],
    ['1.7976931348623157e308', true],
    ['1e309', false],
    ['-0.0', true],
    ['1e999999999999', false],
  ] as const) {
    const { fields } = new SourceText(`{"n":${text}}`)
    assert.equal(typeof fields['n'] === 'number', isDouble, text)
    assert.equal(
      rewritten(`{"n":${text}}`, (all) => ({ m: [all['n']] })),
      isDouble ? `{"m":[${text === '-0.0' ? '-0' : String(Number(text))}]}` : `{"m":[${text}]}`,
    )
  }
})

test('random documents read as JSON.parse reads them, and come back byte for byte', () => {
  const random = randomSource(20261122)
  for (let i = 0; i < 300; i++) {
    const text = respell(random, { any: randomJson(random, 4) }).trim()
    const source = new SourceText(text)
    assert.equal(source.write(source.fields), text)
    const copy = source.write({ copy: structuredClone(JSON.parse(text)) as Fields })
    assert.deepEqual(JSON.parse(copy), { copy: JSON.parse(text) as unknown })
  }
})

for (const [what, text, message] of [
  ['a key twice', '{"a":1,"b":{"c":1,"\\u0063":2}}', /key "c" twice/],
  ['no object', '[1]', /expected an object at character 0/],
  ['a comment', '{"a":1 /* c */}', /expected ,/],
  ['a comma at the end', '{"a":1,}', /expected a key/],
  ['no end', '{"a":"b', /a string that ends/],
  ['no end of an object', '{"a":{"b":1', /expected ,/],
  ['something after the end', '{} {}', /expected the end at character 3/],
  ['a number with a zero before it', '{"a":01}', /expected ,/],
  ['a wrong escape', '{"a":"\\x"}', /escape that is none/],
  ['NaN', '{"a":NaN}', /expected a value/],
  ['depth without end', `{"a":${'['.repeat(100_000)}`, /nested deeper than 500/],
] as const) {
  test(`text with ${what} is refused`, () => {
    assert.throws(() => new SourceText(text), { message })
  })
}

test('every text that is cut short is refused', () => {
  for (let length = 0; length < odd.length; length++) {
    assert.throws(() => new SourceText(odd.slice(0, length)), Error, String(length))
  }
})

test('control characters in strings and a byte order mark are taken, as the engines take them', () => {
  assert.equal(new SourceText('\ufeff{"a":"tab\there"}').fields['a'], 'tab\there')
})

const circle: Fields = {}
circle['again'] = circle
for (const [what, value, message] of [
  ['NaN', { a: NaN }, /source\.a is NaN/],
  ['undefined in a list', { a: [undefined] }, /source\.a\[0\] is undefined/],
  ['a function', { a: { b: () => 1 } }, /source\.a\.b is a function/],
  ['a Map', { a: new Map() }, /source\.a is a Map/],
  ['itself', circle, /in itself/],
  ['a list in the place of the whole', [], /source is an array/],
] as const) {
  test(`${what} cannot be written`, () => {
    assert.throws(() => new SourceText('{}').write(value), { message })
  })
}

test('dates, undefined members and objects without prototype are written as JSON.stringify does', () => {
  const value = Object.assign(Object.create(null) as Fields, {
    at: new Date(0),
    nothing: undefined,
  })
  assert.equal(new SourceText('{}').write({ value }), '{"value":{"at":"1970-01-01T00:00:00.000Z"}}')
})
