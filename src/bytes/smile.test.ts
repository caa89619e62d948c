import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { CorruptData, FormatTooNew, MigrationError } from '../base/errors.ts'
import { isSmile, parseSmile, smileToJson } from './smile.ts'

const head = '3a290a'

/** Parses the tokens given as hex behind a header with the given flags (default: names and values shared). */
function parse(tokens: string, { flags = '03' } = {}): unknown {
  return parseSmile(bytesOf(tokens, flags), 'a file')
}

function bytesOf(tokens: string, flags = '03'): Buffer {
  return Buffer.from((head + flags + tokens).replaceAll(' ', ''), 'hex')
}

test('literals, small integers and empty containers', () => {
  assert.deepEqual(parse('f8 20 21 22 23 c0 c1 c2 df f8f9 fafb f9'), [
    '',
    null,
    false,
    true,
    0,
    -1,
    1,
    -16,
    [],
    {},
  ])
})

test('integers of 32 and 64 bits, and those that a number cannot hold', () => {
  assert.equal(parse('24 a0'), 16)
  assert.equal(parse(`24 ${zigzag(-2147483648n)}`), -2147483648)
  assert.equal(parse('25 0151006f4e14b6'), 1795354845851)
  assert.equal(parse(`25 ${zigzag(2n ** 53n - 1n)}`), Number.MAX_SAFE_INTEGER)
  const largest = `25 ${zigzag(2n ** 63n - 1n)}`
  assert.equal(parse(largest), '9223372036854775807')
  assert.equal(smileToJson(bytesOf(largest), 'f'), '9223372036854775807')
  assert.equal(parse(`25 ${zigzag(-(2n ** 63n))}`), '-9223372036854775808')
})

test('an integer that does not end within its bytes is CorruptData', () => {
  assert.throws(() => parse('24 000000000080'), CorruptData)
  assert.throws(() => parse('25 0000000000000000000080'), CorruptData)
  assert.throws(() => parse('24 c0'), CorruptData)
})

test('floats and doubles, not-a-number as text', () => {
  assert.equal(parse(`28 ${right(0x3fc00000n, 5)}`), 1.5)
  assert.equal(parse(`29 ${right(0x3fb999999999999an, 10)}`), 0.1)
  assert.equal(parse(`29 ${right(0xffefffffffffffffn, 10)}`), -Number.MAX_VALUE)
  assert.equal(parse(`28 ${right(0x7fc00000n, 5)}`), 'NaN')
  assert.equal(parse(`28 ${right(0x7f800000n, 5)}`), 'Infinity')
  assert.throws(() => parse(`28 ${right(2n ** 32n, 5)}`), CorruptData)
  assert.throws(() => parse('28 837e000000'), CorruptData)
})

test('big integers and decimals keep their digits', () => {
  // 2^64 = 01 00 00 00 00 00 00 00 00 as 7-bit groups
  assert.equal(parse('26 89 00 40 00 00 00 00 00 00 00 00 00'), '18446744073709551616')
  assert.equal(parse('26 81 7f 01'), -1)
  assert.equal(parse('2a 84 81 06 01'), 0.13)
  assert.equal(smileToJson(bytesOf('2a 84 81 06 01'), 'f'), '13E-2')
  assert.equal(parse('2a 84 81 00 00'), 0)
  assert.throws(() => parse('26 80'), /1 to 4096/)
})

test('texts: ASCII and UTF-8, tiny, short and long', () => {
  assert.equal(parse('41 6162'), 'ab')
  assert.equal(parse(`60 ${'61'.repeat(33)}`), 'a'.repeat(33))
  assert.equal(parse('82 f09f9880'), '😀')
  assert.equal(parse(`a0 ${'c3b3'.repeat(17)}`), 'ó'.repeat(17))
  assert.equal(parse(`e0 ${'61'.repeat(70)} fc`), 'a'.repeat(70))
  assert.equal(parse(`e4 ${'c3b3'.repeat(70)} fc`), 'ó'.repeat(70))
  assert.throws(() => parse('80 c341'), /UTF-8/)
  assert.throws(() => parse('e0 6161'), /0xfc/)
})

test('binary, raw and in 7 bits, becomes base64', () => {
  assert.equal(parse('fd 83 ff00fe'), Buffer.from('ff00fe', 'hex').toString('base64'))
  const bytes = Buffer.from('ff00fe80017f3399aa', 'hex')
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length)
    const token = `e8 ${(0x80 | length).toString(16)} ${sevenBits(part)}`
    assert.equal(parse(token), part.toString('base64'))
  }
  assert.throws(() => parse('e8 81 7f 02'), CorruptData)
  assert.throws(() => parse('fd 1f7f7f7fbf'), CorruptData)
})

test('shared names and values are resolved, and the tables start again when full', () => {
  assert.deepEqual(parse('f8 40 61 40 62 01 02 f9'), ['a', 'b', 'a', 'b'])
  assert.deepEqual(parse('f8 fa 80 61 c2 fb fa 40 c4 fb f9'), [{ a: 1 }, { a: 2 }])
  const values = Array.from({ length: 1030 }, (_, i) => text(`v${i}`)).join('')
  assert.equal((parse(`f8 ${values} ec05 f9`) as string[]).at(-1), 'v1029')
  assert.throws(() => parse(`f8 ${values} ec06 f9`), /one of 6 shared strings/)
  assert.throws(() => parse('f8 40 61 02 f9'), /shared strings/)
  assert.throws(() => parse('01'), /shared strings/)
  assert.throws(() => parse('f8 40 61 01 f9', { flags: '01' }), /shared strings/)
  assert.throws(() => parse('fa 80 61 c2 40 c2 fb', { flags: '02' }), /shared strings/)
})

test('names: empty, long, UTF-8, and __proto__ as a plain name', () => {
  assert.deepEqual(parse('fa 20 c2 c0 c3b3 c4 fb'), { '': 1, ó: 2 })
  assert.deepEqual(parse(`fa 34 ${'61'.repeat(70)} fc c2 fb`), { ['a'.repeat(70)]: 1 })
  const proto = parse(`fa 88 ${Buffer.from('__proto__').toString('hex')} fafb fb`) as object
  assert.deepEqual(Object.keys(proto), ['__proto__'])
  assert.equal(Object.getPrototypeOf(proto), Object.prototype)
})

test('an end marker is allowed, other bytes behind the value are not', () => {
  assert.equal(parse('c2 ff'), 1)
  assert.throws(() => parse('c2 c2'), CorruptData)
  assert.throws(() => parse('c2 ff ff'), CorruptData)
})

test('another version is FormatTooNew, another header CorruptData', () => {
  assert.throws(() => parse('c2', { flags: '13' }), FormatTooNew)
  assert.throws(() => parseSmile(Buffer.from('{"a":1}'), 'a file'), CorruptData)
  assert.equal(isSmile(Buffer.from(':)\n\0')), true)
  assert.equal(isSmile(Buffer.from(':)\n')), false)
})

test('deep nesting is refused before the stack ends', () => {
  assert.doesNotThrow(() => parse('f8'.repeat(1000) + 'f9'.repeat(1000)))
  assert.throws(() => parse('f8'.repeat(1001) + 'f9'.repeat(1001)), /1000 levels/)
  assert.throws(() => parse('f8'.repeat(1_000_000)), /1000 levels/)
})

test('every reserved token is CorruptData', () => {
  const reserved = [0, 0x27, 0x2b, 0x2f, 0x3a, 0x3f, 0xe1, 0xe9, 0xf0, 0xf7, 0xf9, 0xfb, 0xfe, 0xff]
  for (const token of reserved) {
    const hex = token.toString(16).padStart(2, '0')
    assert.throws(() => parse(hex), CorruptData)
    if (token !== 0xf0 && token !== 0xf7 && token !== 0xfb) {
      assert.throws(() => parse(`fa ${hex} c2 fb`), CorruptData)
    }
  }
})

test('every truncation and every flipped byte is a typed error or another value', () => {
  const good = buildSample()
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => parseSmile(good.subarray(0, length), 'cut'), MigrationError)
  }
  for (let i = 0; i < good.length; i++) {
    const flips = [1, 2, 4, 8, 16, 32, 64, 128].map((bit) => good[i]! ^ bit)
    for (const byte of [...flips, 0x00, 0x2a, 0x7f, 0xec, 0xf8, 0xfa, 0xfc, 0xfd, 0xff]) {
      const bytes = Buffer.from(good)
      bytes[i] = byte
      parseOrTypedError(bytes)
    }
  }
})

test('random bytes and random damage give a value or a typed error', (t) => {
  const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31))
  t.diagnostic(`FUZZ_SEED=${seed}`)
  const random = generator(seed)
  const good = buildSample()
  for (let round = 0; round < 20_000; round++) {
    const bytes =
      round % 2 === 0
        ? Buffer.concat([good.subarray(0, 4), Buffer.from(randomBytes(random, 60))])
        : Buffer.from(good)
    for (let i = 0; i < 3; i++) bytes[4 + random(bytes.length - 4)] = random(256)
    parseOrTypedError(bytes)
  }
})

function parseOrTypedError(bytes: Buffer): void {
  try {
    parseSmile(bytes, 'damaged')
  } catch (error) {
    assert(error instanceof MigrationError, `${bytes.toString('hex')}: ${String(error)}`)
  }
}

/** One of each token. */
function buildSample(): Buffer {
  return Buffer.from(
    [
      `${head}07 fa 80 61 f8 20 21 22 23 c3 24 a0 25 0151006f4e14b6 26 81 7f 01 f9`,
      '81 6262 f8 28 037e000000 29 003f6e33194c6633191a 2a 84 81 06 01 f9',
      `c0 c3b3 f8 41 6162 82 f09f9880 01 02 ec 01 e0 ${'61'.repeat(66)} fc e4 c3b3 fc f9`,
      `34 ${'62'.repeat(66)} fc f8 e8 82 7f 3f 03 fd 82 ff00 f9 40 fa 30 01 c2 fb fb`,
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  )
}

/** Groups of 7 bits from the right, as floats are. */
function right(value: bigint, bytes: number): string {
  let hex = ''
  for (let i = bytes - 1; i >= 0; i--) {
    hex += Number((value >> BigInt(i * 7)) & 0x7fn)
      .toString(16)
      .padStart(2, '0')
  }
  return hex
}

function zigzag(value: bigint): string {
  const unsigned = value < 0n ? -value * 2n - 1n : value * 2n
  const last = Number(unsigned & 0x3fn) | 0x80
  let bytes = 0
  while (unsigned >> BigInt(6 + 7 * bytes) !== 0n) bytes++
  return right(unsigned >> 6n, bytes) + last.toString(16)
}

function sevenBits(bytes: Buffer): string {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let hex = ''
  for (; bits !== ''; bits = bits.slice(7)) {
    hex += Number.parseInt(bits.slice(0, 7), 2).toString(16).padStart(2, '0')
  }
  return hex
}

function text(value: string): string {
  return (0x3f + value.length).toString(16) + Buffer.from(value).toString('hex')
}

/** mulberry32: small, and the same numbers for the same seed everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function randomBytes(random: (below: number) => number, count: number): number[] {
  return Array.from({ length: count }, () => random(256))
}

test('as text, members keep their order and numbers their kind', () => {
  const members = [
    '81 3130 29 003f7800000000000000',
    '80 39 29 01000000000000000000',
    '88 5f5f70726f746f5f5f 28 037c33194d',
    '80 39 f8f9',
  ]
  const json = smileToJson(bytesOf(`fa ${members.join(' ')} fb`), 'f')
  assert.equal(json, '{"10":1.0,"9":-0.0,"__proto__":1.1,"9":[]}')
})
