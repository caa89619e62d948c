import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import { decompressLz4, lz4SlackBytes } from './lz4.ts'
import { Memory } from './memory.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Decompresses `input` to `length` bytes, with the dictionary at some distance before the output. */
function decompress(input: Uint8Array, length: number, dictionary = Buffer.alloc(0)): Buffer {
  const dictStart = input.length + lz4SlackBytes
  const dictEnd = dictStart + dictionary.length
  const dest = dictEnd + 100
  const memory = new Memory(dest + length + lz4SlackBytes)
  memory.bytes.set(input)
  memory.bytes.set(dictionary, dictStart)
  const end = decompressLz4(memory, {
    src: 0,
    srcEnd: input.length,
    dest,
    destEnd: dest + length,
    dictStart,
    dictEnd,
    file: 'a file',
    fileOffset: 1000,
  })
  assert.equal(end, input.length)
  return Buffer.from(memory.bytes.subarray(dest, dest + length))
}

test('literals only, short and with length bytes', () => {
  assert.equal(decompress(hex('30 616263'), 3).toString(), 'abc')
  assert.equal(decompress(hex('00'), 0).toString(), '')
  const long = Buffer.alloc(15 + 255 + 7, 'xyz')
  assert.deepEqual(decompress(Buffer.concat([hex('f0 ff 07'), long]), long.length), long)
})

test('matches at every distance that overlaps itself', () => {
  for (let back = 1; back <= 40; back++) {
    const start = Buffer.from(Array.from({ length: back }, (_, i) => 65 + (i % 26)))
    const length = back + 4 + 15 + 30
    const input = Buffer.concat([
      back < 15 ? Buffer.from([(back << 4) | 15]) : Buffer.from([0xff, back - 15]),
      start,
      Buffer.from([back, 0, 30]),
      hex('00'),
    ])
    const expected = Buffer.from(Array.from({ length }, (_, i) => start[i % back]!))
    assert.deepEqual(decompress(input, length), expected, `distance ${back}`)
  }
})

test('a match may begin in the dictionary and go on in the output', () => {
  const dictionary = Buffer.from('the dictionary')
  // 4 bytes from the dictionary alone; then 10 bytes of which 4 lie in it.
  assert.equal(decompress(hex('00 0e00 00'), 4, dictionary).toString(), 'the ')
  const crossing = hex('20 6162 0600 00')
  assert.equal(decompress(hex('26 6162 0600 00'), 12, dictionary).toString(), 'abnaryabnary')
  assert.equal(decompress(crossing, 6, dictionary).toString(), 'abnary')
})

test('what a plain compressor makes of random texts comes back, with and without a dictionary', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = generator(seed)
    const text = (length: number): Buffer =>
      Buffer.from(Array.from({ length }, () => 97 + Math.floor(random() ** 3 * (2 + (seed % 20)))))
    const dictionary = Buffer.from(seed % 2 === 0 ? text(1 + Math.floor(random() * 300)) : [])
    const data = text(Math.floor(random() * 3000))
    const compressed = compress(data, Buffer.from(dictionary))
    assert.deepEqual(decompress(compressed, data.length, dictionary), data, `seed ${seed}`)
  }
})

test('every truncation and every flipped bit ends, in CorruptData or in bytes', () => {
  const random = generator(5)
  const data = Buffer.from(Array.from({ length: 400 }, () => 97 + Math.floor(random() * 3)))
  const good = compress(data, Buffer.alloc(0))
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => decompress(good.subarray(0, length), data.length), CorruptData)
  }
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = Buffer.from(good)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    try {
      decompress(bytes, data.length)
    } catch (error) {
      if (error instanceof assert.AssertionError) continue
      assert.ok(error instanceof CorruptData)
    }
  }
})

test('an error names the offset in the file', () => {
  assert.throws(
    () => decompress(hex('10 61 0500 00'), 20),
    (error: CorruptData) => error.details['offset'] === 1004 && /a file/.test(error.message),
  )
})

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return state / 0x80000000
  }
}

/** A greedy LZ4 compressor: enough to make every kind of sequence. */
function compress(data: Buffer, dictionary: Buffer): Buffer {
  const all = Buffer.concat([dictionary, data])
  const out: number[] = []
  let at = dictionary.length
  let literals = at
  const lengths = (length: number): void => {
    for (; length >= 255; length -= 255) out.push(255)
    out.push(length)
  }
  const emit = (match: number, back: number): void => {
    const count = at - literals
    const matchBits = back === 0 ? 0 : Math.min(15, match - 4)
    out.push((Math.min(15, count) << 4) | matchBits)
    if (count >= 15) lengths(count - 15)
    out.push(...all.subarray(literals, at))
    if (back === 0) return
    out.push(back & 255, back >> 8)
    if (matchBits === 15) lengths(match - 4 - 15)
  }
  while (at < all.length) {
    let best = 0
    let bestBack = 0
    for (let back = 1; back <= at && back < 65536; back++) {
      let match = 0
      while (at + match < all.length && all[at + match] === all[at + match - back]) match++
      if (match > best) {
        best = match
        bestBack = back
      }
    }
    if (best < 4) {
      at++
      continue
    }
    emit(best, bestBack)
    at += best
    literals = at
  }
  emit(0, 0)
  return Buffer.from(out)
}
