import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffDocuments, parseExact } from './document-diff.ts'

function diffOf(source: string, target: string): string[] {
  return diffDocuments(parseExact(source), parseExact(target)).map((one) => JSON.stringify(one))
}

test('documents of one meaning do not differ', () => {
  const pairs = [
    ['{"a":1,"b":[1.0,{"c":null}]}', '{"b":[1,{"c":null}],"a":10e-1}'],
    ['{"n":9007199254740993}', '{"n":9007199254740993.0}'],
    ['{"n":1e400,"z":-0}', '{"z":0,"n":10e399}'],
    ['{"d":0.1000000000000000055511151231257827}', '{"d":1000000000000000055511151231257827e-34}'],
  ] as const
  for (const [source, target] of pairs) assert.deepEqual(diffOf(source, target), [])
})

test('every digit of a number is shown', () => {
  assert.deepEqual(diffOf('{"n":9007199254740993}', '{"n":9007199254740992}'), [
    '{"path":"n","source":9007199254740993,"target":9007199254740992}',
  ])
  assert.deepEqual(diffOf('{"n":-0.0}', '{"n":0}'), ['{"path":"n","source":-0.0,"target":0}'])
})

test('members that one side lacks, the order of arrays and odd names are shown by their paths', () => {
  assert.deepEqual(
    diffOf('{"a":{"b":1,"c.d":2},"l":[1,2]}', '{"a":{"b":1,"e":null},"l":[2,1,3]}'),
    [
      '{"path":"a[\\"c.d\\"]","source":2}',
      '{"path":"a.e","target":null}',
      '{"path":"l[0]","source":1,"target":2}',
      '{"path":"l[1]","source":2,"target":1}',
      '{"path":"l[2]","target":3}',
    ],
  )
  assert.deepEqual(diffOf('{"a":{"__proto__":1}}', '{"a":{}}'), [
    '{"path":"a.__proto__","source":1}',
  ])
  assert.deepEqual(diffOf('{"a":{"x":1}}', '{"a":"x"}'), [
    '{"path":"a","source":{"x":1},"target":"x"}',
  ])
})
