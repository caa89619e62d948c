import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../base/json.ts'
import { CanonicalDigest, depthMax } from './canonical.ts'
import { randomJson, randomSource, respell } from '../../test/support/random-json.ts'

const digest = new CanonicalDigest({ half1: 0x1234567, half2: -99 })

function of(text: string): string {
  const bytes = Buffer.from(text)
  digest.use(bytes, 'test')
  digest.text(0, bytes.length)
  return `${digest.half1}/${digest.half2}`
}

function assertSame(...texts: string[]): void {
  for (const text of texts) assert.equal(of(text), of(texts[0]!), `${text} and ${texts[0]}`)
}

function assertAllDiffer(...texts: string[]): void {
  const seen = new Map<string, string>()
  for (const text of texts) {
    const key = of(text)
    assert.equal(seen.get(key), undefined, `${text} and ${seen.get(key)}`)
    seen.set(key, text)
  }
}

test('numbers are the same by exact value, whatever their spelling', () => {
  assertSame('1', '1.0', '1e0', '10e-1', '0.1E+1', '0.001e3', '1.000000', '1000e-3')
  assertSame('100', '1e2', '1E+02', '100.0', '1000e-1')
  assertSame('0', '0.0', '0e5', '-0', '0.000e-9')
  assertSame('-0.0', '-0e0', '-0.000')
  assertSame('12345678901234567890', '1234567890123456789e1', '12345678901234567890.0')
  assertSame('1e400', '10e399', `1${'0'.repeat(400)}`)
  assertSame('0.1000000000000000055', '1000000000000000055e-19')
  assertSame('1005.00500', '100500.5e-2')
})

test('numbers that differ anywhere differ, also where a double would not tell', () => {
  assertAllDiffer(
    ...[
      '0',
      '-0.0',
      '1',
      '-1',
      '10',
      '100',
      '1e10',
      '1e-10',
      '1e400',
      '-1e400',
      '1e401',
      '0.1',
      '0.01',
    ],
    ...['9007199254740992', '9007199254740993', '12345678901234567890', '12345678901234567891'],
    ...[
      '0.1000000000000000055',
      '0.1000000000000000056',
      '1000000000',
      '1000000001',
      '10000000001',
    ],
    ...['123456789', '1234567890123', '101', '1001', '10001', '100000000000001'],
  )
})

test('of a long number every digit counts, in either half of the digest', () => {
  for (const length of [10, 30, 45]) {
    const digits = '123456789'.repeat(5).slice(0, length)
    const texts = Array.from(digits, (digit, i) => {
      const other = digit === '9' ? '8' : '9'
      return digits.slice(0, i) + other + digits.slice(i + 1)
    })
    const halves = [digits, ...texts].map((text) => [text, of(text).split('/')] as const)
    for (const half of [0, 1]) {
      const seen = new Set(halves.map(([, both]) => both[half]))
      assert.equal(seen.size, halves.length, `half ${half + 1} of numbers of ${length} digits`)
    }
    assertSame(digits, `${digits}.000`, `0.${digits}e${length}`, `${digits}0e-1`)
  }
})

test('strings are the same by their characters, whatever their escapes', () => {
  assertSame('"é"', '"\\u00e9"', '"\\u00E9"')
  assertSame('"a/b"', '"a\\/b"', '"\\u0061\\u002fb"')
  assertSame('"𝄞x"', '"\\ud834\\udd1ex"', '"\\uD834\\uDD1E\\u0078"')
  assertSame('"\\n\\t\\r\\b\\f"', '"\\u000a\\u0009\\u000d\\u0008\\u000c"', '"\n\t\r\b\f"')
  assertSame('"\\ud800"', '"\\uD800"')
  assertSame('"abcdefgh\\u0069"', '"abcdefghi"')
})

test('strings of different characters differ', () => {
  assertAllDiffer(
    ...[
      '""',
      '" "',
      '"a"',
      '"A"',
      '"aa"',
      '"aaa"',
      '"aaaa"',
      '"aaaaa"',
      '"a\\u0000"',
      '"\\u0000a"',
    ],
    ...['"abcd"', '"abce"', '"dcba"', '"abcdefgh"', '"efghabcd"', '"é"', '"e"', '"e\\u0301"'],
    ...[
      '"\\ud800"',
      '"\\udc00"',
      '"\\ufffd"',
      '"true"',
      'true',
      'false',
      'null',
      '"null"',
      '1',
      '"1"',
    ],
  )
})

test('order matters in arrays and not among members; repeated keys count', () => {
  assertSame('{"a":1,"b":[1,2]}', ' { "b" : [ 1.0 , 2 ] , "a" : 1 }\n')
  assertSame('{"a":1,"a":2}', '{"a":2,"a":1}')
  assertAllDiffer(
    ...[
      '{}',
      '[]',
      '[[]]',
      '[{}]',
      '{"a":{}}',
      '{"a":[]}',
      '{"a":null}',
      '[null]',
      '[1,2]',
      '[2,1]',
    ],
    ...[
      '[1]',
      '1',
      '[[1],2]',
      '[[1,2]]',
      '[1,[2]]',
      '{"a":1}',
      '{"a":1,"a":1}',
      '{"a":1,"a":1,"a":1}',
    ],
    ...['{"a":1,"b":2}', '{"a":2,"b":1}', '{"a":{"b":1}}', '{"b":{"a":1}}', '{"a.b":1}', '["a",1]'],
  )
})

test('comments are blanks, whatever stands in them', () => {
  assertSame(
    '{"a":1,"b":"/*x*/"}',
    '{"a":1 // c "\n,/* "]} **/"b":"/*x*/"}',
    '//x\n{"b":"/*x*/","a":1}//',
  )
  assertAllDiffer('"//x"', '"//y"', '"/*x*/"', '""')
})

test('malformed text is refused with the place where it breaks', () => {
  const broken = [
    ...['', ' ', '{', '}', '[', ']', '[1,]', '[,1]', '{,}', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}'],
    ...[
      '"',
      '"a',
      '"\\',
      '"\\x"',
      '"\\u12"',
      '"\\u12g4"',
      '01',
      '-',
      '-a',
      '+1',
      '.5',
      '1.',
      '1.e5',
    ],
    ...[
      '1e',
      '1e+',
      '1e1000000000',
      'tru',
      'trux',
      'nul',
      'NaN',
      '1 2',
      '{"a":1}}',
      '[1}',
      '{"a":1]',
    ],
    ...[
      '-01',
      '1..2',
      '1e5.2',
      "'a'",
      '{"a" 1}',
      '{"a":1 "b":2}',
      '[1 2]',
      '/ 1',
      '/*1',
      '/*/1',
      '1/**',
      '[1/,2]',
    ],
  ]
  for (const text of broken)
    assert.throws(() => of(text), { code: 'MA_CORRUPT_DATA', name: 'CorruptData' }, text)
  assert.throws(() => of('{"a": 1, b}'), {
    details: { offset: 9, file: 'test', expected: 'a key', found: 'byte 0x62' },
  })
})

test('nesting is followed to its bound and refused beyond it', () => {
  const nested = (depth: number): string =>
    '[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2)
  assert.notEqual(of(nested(depthMax)), of(nested(depthMax - 2)))
  assert.throws(() => of(nested(depthMax + 2)), { code: 'MA_CORRUPT_DATA' })
})

test('every cut of a document is refused, and nothing behind it is looked at', () => {
  const text = '{"a":[1,-2.50e+3,true,null],"b":{"c":"x\\u00e9\\n\\ud834\\udd1e"},"d":false}'
  const bytes = Buffer.from(text)
  digest.use(bytes, 'test')
  for (let end = 0; end < bytes.length; end++)
    assert.throws(() => digest.text(0, end), { code: 'MA_CORRUPT_DATA' }, String(end))
})

test('a document respelt in any way keeps its digest, and any single change alters it', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomSource(seed)
    const value = randomJson(random, 4)
    const text = respell(random, value)
    assertSame(JSON.stringify(value), text, respell(random, value))
    const changed = changeOne(random, value)
    assert.notEqual(of(respell(random, changed)), of(text), `seed ${seed}: ${text}`)
  }
})

test('raw() of bytes equals string() of the same characters, and the seed changes the digest', () => {
  const bytes = Buffer.from('id-é-1234567"id-\\u00e9-1234567"')
  digest.use(bytes, 'test')
  digest.raw(0, 13)
  const raw = [digest.half1, digest.half2]
  assert.equal(digest.string(14), bytes.length)
  assert.deepEqual([digest.half1, digest.half2], raw)
  const other = new CanonicalDigest({ half1: 1, half2: 2 })
  other.use(bytes, 'test')
  other.raw(0, 13)
  assert.notDeepEqual([other.half1, other.half2], raw)
})

test('a hundred thousand near documents give as many digests, half by half', () => {
  const half1 = new Set<number>()
  const both = new Set<string>()
  for (let i = 0; i < 100_000; i++) {
    both.add(of(`{"n":${i},"s":"x"}`))
    half1.add(digest.half1)
  }
  assert.equal(both.size, 100_000)
  // 32 bits alone: 100,000^2 / 2^33 = 1.2 meetings are expected.
  assert.ok(half1.size > 99_985, `${half1.size}`)
})

/** The value with one leaf, key or element other than it was. */
function changeOne(random: () => number, value: Json): Json {
  if (typeof value === 'string') return random() < 0.5 ? `${value}x` : value.slice(1) + '§'
  if (typeof value === 'number') return value === 0 ? 1 : value * (1 + 2 ** -40)
  if (value === null || typeof value === 'boolean') return value === true ? false : true
  if (Array.isArray(value)) {
    if (value.length === 0) return [null]
    const at = Math.floor(random() * value.length)
    if (random() < 0.3) return value.toSpliced(at, 1)
    return value.with(at, changeOne(random, value[at]!))
  }
  const keys = Object.keys(value)
  if (keys.length === 0) return { added: null }
  const key = keys[Math.floor(random() * keys.length)]!
  const { [key]: member, ...rest } = value
  if (random() < 0.2) return rest
  if (random() < 0.2) return { ...rest, [`${key}2`]: member! }
  return { ...rest, [key]: changeOne(random, member!) }
}
