/** Decoders that take bytes alone: forms of `_source`, compressed blocks, ids. */
import assert from 'node:assert/strict'
import { deflateRawSync, zstdCompressSync } from 'node:zlib'
import { MigrationError } from '../../src/base/errors.ts'
import type { Json } from '../../src/base/json.ts'
import { cborToJson } from '../../src/bytes/cbor.ts'
import { inflate } from '../../src/bytes/inflate.ts'
import { decompressLz4, lz4SlackBytes } from '../../src/bytes/lz4.ts'
import { decompressLzf } from '../../src/bytes/lzf.ts'
import { Memory } from '../../src/bytes/memory.ts'
import { parseSmile } from '../../src/bytes/smile.ts'
import { decodedIdBytesMax, decodeId } from '../../src/document/id.ts'
import { LineGuard } from '../../src/document/line-guard.ts'
import { convertSource, isJsonSource } from '../../src/document/source-form.ts'
import { randomJson, randomSource } from '../support/random-json.ts'
import { encodeCbor, encodeId, encodeLz4, encodeSmile, randomText } from './encoders.ts'
import { mutate } from './mutations.ts'
import type { Random } from './mutations.ts'
import type { Sample, Target } from './target.ts'

const samplesOfEach = 24
const file = 'hostile'

/** Samples that `make` writes, each with its own numbers, mutated as bytes. */
function written(
  make: (
    random: Random,
    i: number,
  ) => { bytes: Uint8Array; decode: (bytes: Uint8Array) => unknown },
): () => Promise<Sample[]> {
  return async () => {
    const made = Array.from({ length: samplesOfEach }, (_, i) => make(randomSource(i), i))
    const donors = made.map(({ bytes }) => bytes)
    return made.map(({ bytes, decode }, i) => ({
      name: `${i}`,
      bytes,
      decode,
      vary: (random) => mutate(random, bytes, { donors }),
    }))
  }
}

const object = (random: Random): Json => ({ a: randomJson(random, 4), b: randomJson(random, 3) })

const smile: Target = {
  name: 'smile',
  samples: written((random) => {
    const json = object(random)
    const bytes = encodeSmile(random, json)
    assert.deepEqual(parseSmile(bytes, file), asDecoded(json))
    return { bytes, decode: (bytes) => sourceOf(bytes, (from) => parseSmile(from, file)) }
  }),
}

const cbor: Target = {
  name: 'cbor',
  samples: written((random) => {
    const json = object(random)
    const bytes = encodeCbor(random, json)
    assert.deepEqual(JSON.parse(cborToJson(bytes, file)), json)
    return {
      bytes,
      decode: (bytes) => sourceOf(bytes, (from) => JSON.parse(cborToJson(from, file))),
    }
  }),
}

/** -0 is a double in SMILE and nothing in JSON; what is beyond 2^53 is text. */
function asDecoded(json: Json): Json {
  return JSON.parse(JSON.stringify(json), (_key, value: Json) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
      ? BigInt(value).toString()
      : value,
  ) as Json
}

/** By itself, and as the `_source` of a document: the text that leaves must be JSON, on one line. */
function sourceOf(bytes: Uint8Array, parse: (bytes: Uint8Array) => unknown): unknown {
  const refused = refusalOf(() => parse(bytes))
  if (isJsonSource(bytes, 0, bytes.length)) {
    if (refused) throw refused
    return 'not taken for a source'
  }
  const text = convertSource(bytes, file).toString()
  if (refused) return 'a source in another form'
  // The letter that stands for bytes that are none.
  if (!Buffer.from(bytes).includes('\ufffd')) assert.ok(!text.includes('\ufffd'), 'changed text')
  return checkLine(text)
}

function refusalOf(decode: () => unknown): MigrationError | undefined {
  try {
    decode()
    return undefined
  } catch (error) {
    if (error instanceof MigrationError) return error
    throw error
  }
}

function checkLine(text: string): string {
  assert.ok(!/[\r\n]/.test(text), 'a line break in a source')
  JSON.parse(text)
  return text
}

const yamlTexts = [
  'a: 1\nb: [x, "y", \'z\', 1e3, ~, true, 0x1F, 0o17, .inf, -.5]\n',
  'list:\n  - &one {k: v}\n  - *one\n  - <<: *one\n    l: |\n      two\n      lines\n    f: >-\n      folded\n',
  '!!map\nt: !!str 1\nb: !!binary aGk=\nd: !!timestamp 2001-12-15T02:59:43.1Z\ns: !!set {a, b}\no: !!omap [a: 1]\n',
  '# comment\n"key: with": {"flow": [1, {deep: {deeper: [[[]]]}}]}\n? complex\n: value\n...\n',
  'empty:\nlong: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\u263a\\n"\nn: 12345678901234567890123\n',
]

const yaml: Target = {
  name: 'yaml',
  workPerByte: 3000,
  samples: written((random, i) => {
    const text = yamlTexts[i]
    const bytes = Buffer.from(text ?? `${JSON.stringify(object(random))}\n`)
    return {
      bytes,
      decode: (bytes) => {
        // With these in front it is taken for YAML whatever follows.
        return checkLine(
          convertSource(Buffer.concat([Buffer.from('---\n'), bytes]), file).toString(),
        )
      },
    }
  }),
}

const lz4: Target = { name: 'lz4', bytesPerByte: 600, samples: lz4Samples(() => Buffer.alloc(0)) }

const lz4Dictionary: Target = {
  name: 'lz4-dictionary',
  bytesPerByte: 600,
  samples: lz4Samples((random) => randomText(random, 400)),
}

function lz4Samples(makeDictionary: (random: Random) => Buffer): () => Promise<Sample[]> {
  return written((random) => {
    const dictionary = makeDictionary(random)
    const text = randomText(random, 2000)
    const plain = Buffer.concat([dictionary.subarray(0, 50), text, dictionary.subarray(-70)])
    const bytes = encodeLz4(plain, dictionary)
    assert.ok(decodeLz4(bytes, plain.length, dictionary).equals(plain))
    return { bytes, decode: (bytes) => decodeLz4(bytes, plain.length, dictionary) }
  })
}

/** What decompressLz4() gives, and that it is what the slow one gives, and that nothing is written elsewhere. */
function decodeLz4(bytes: Uint8Array, length: number, dictionary: Buffer): Buffer {
  const expected = slowLz4(bytes, length, dictionary)
  const dictStart = bytes.length + lz4SlackBytes
  const dest = dictStart + dictionary.length + 16
  const memory = new Memory(dest + length + lz4SlackBytes)
  memory.bytes.fill(0xa5)
  memory.bytes.set(bytes)
  memory.bytes.set(dictionary, dictStart)
  const before = Buffer.from(memory.bytes.subarray(0, dest))
  const where = { src: 0, srcEnd: bytes.length, dest, destEnd: dest + length }
  const dict = { dictStart, dictEnd: dictStart + dictionary.length }
  const refused = refusalOf(() => decompressLz4(memory, { ...where, ...dict, file, fileOffset: 0 }))
  assert.ok(before.equals(memory.bytes.subarray(0, dest)), 'bytes before the output changed')
  assert.equal(refused === undefined, expected !== undefined, 'taken by one decoder alone')
  if (refused) throw refused
  const output = Buffer.from(memory.bytes.subarray(dest, dest + length))
  assert.ok(output.equals(expected!), 'other bytes than the slow decoder gives')
  return output
}

/** LZ4 byte by byte, as its specification puts it. undefined: not a block of that length. */
function slowLz4(bytes: Uint8Array, length: number, dictionary: Uint8Array): Buffer | undefined {
  const out = [...dictionary]
  const end = out.length + length
  let at = 0
  const lengthOf = (half: number): number => {
    if (half < 15) return half
    for (let sum = half; ;) {
      const more = bytes[at++]
      if (more === undefined) return NaN
      sum += more
      if (more < 255) return sum
    }
  }
  for (;;) {
    const token = bytes[at++]
    if (token === undefined) return undefined
    const literals = lengthOf(token >> 4)
    if (!(at + literals <= bytes.length && out.length + literals <= end)) return undefined
    for (let i = 0; i < literals; i++) out.push(bytes[at++]!)
    if (out.length === end) return Buffer.from(out.slice(dictionary.length))
    const back = bytes[at]! + bytes[at + 1]! * 256
    at += 2
    const match = lengthOf(token & 15) + 4
    if (!(back > 0 && back <= out.length && out.length + match <= end)) return undefined
    for (let i = 0; i < match; i++) out.push(out[out.length - back]!)
  }
}

const deflate: Target = {
  name: 'deflate',
  samples: written((random, i) => {
    const dictionary = i % 2 === 0 ? undefined : randomText(random, 300)
    const plain = randomText(random, 3000)
    const bytes = deflateRawSync(plain, { ...(dictionary?.length && { dictionary }) })
    return { bytes, decode: (input) => decodeStream('deflate', input, plain.length, dictionary) }
  }),
}

const zstd: Target = {
  name: 'zstd',
  samples: written((random, i) => {
    const dictionary = i % 2 === 0 ? undefined : randomText(random, 300)
    const plain = randomText(random, 3000)
    const bytes = zstdCompressSync(plain, { ...(dictionary?.length && { dictionary }) })
    return { bytes, decode: (input) => decodeStream('zstd', input, plain.length, dictionary) }
  }),
}

function decodeStream(
  codec: 'deflate' | 'zstd',
  input: Uint8Array,
  outputBytes: number,
  dictionary: Uint8Array | undefined,
): Buffer {
  const output = inflate(codec, { input, outputBytes, dictionary }, { file, offset: 0 })
  assert.equal(output.length, outputBytes)
  return output
}

const lzf: Target = {
  name: 'lzf',
  samples: written((random) => {
    const chunks: number[] = []
    for (let i = 0; i < 3; i++) {
      const text = randomText(random, 40)
      // A literal run, and a repetition of it where it is long enough.
      const literals = text.subarray(0, 32)
      const items = literals.length > 0 ? [literals.length - 1, ...literals] : []
      const repeats = literals.length >= 9 ? [0xe0, 3, 8] : []
      const plain = literals.length + (repeats.length > 0 ? 12 : 0)
      const length = items.length + repeats.length
      chunks.push(0x5a, 0x56, 1, 0, length, 0, plain, ...items, ...repeats)
      chunks.push(0x5a, 0x56, 0, 0, text.length, ...text)
    }
    const bytesMax = 1000
    return {
      bytes: Buffer.from(chunks),
      decode: (bytes) => {
        const plain = decompressLzf(bytes, { file, bytesMax })
        assert.ok(plain.length <= bytesMax)
        return plain
      },
    }
  }),
}

const idTexts = [
  '1',
  '12',
  '0012345678901234567890',
  'abcd',
  'AVx_y-zw',
  '____',
  'ü',
  'a b',
  '_',
  'AA',
]

const id: Target = {
  name: 'id',
  samples: written((random, i) => {
    const text = idTexts[i] ?? randomText(random, 60).toString()
    const bytes = encodeId(text)
    if (text !== '') assert.equal(decodeIdOf(bytes), text)
    return { bytes, decode: decodeIdOf }
  }),
}

function decodeIdOf(bytes: Uint8Array): string {
  const most = decodedIdBytesMax(bytes.length)
  const buffer = Buffer.alloc(bytes.length + most + 8, 0xa5)
  buffer.set(bytes)
  const end = decodeId(buffer, 0, bytes.length, bytes.length)
  assert.ok(end >= bytes.length && end <= bytes.length + most, 'more bytes than said')
  assert.ok(buffer.subarray(0, bytes.length).equals(bytes), 'the input changed')
  assert.ok(
    buffer.subarray(end).every((byte, i) => i < 4 || byte === 0xa5),
    'bytes behind the id',
  )
  return buffer.toString('utf8', bytes.length, end)
}

const lineGuard: Target = {
  name: 'line-guard',
  samples: written((random) => {
    const text = JSON.stringify(object(random), null, 2).replaceAll(
      '\n',
      random() < 0.5 ? '\n' : '\r\n',
    )
    return { bytes: Buffer.from(text), decode: joinLinesOf }
  }),
}

/** JSON with line breaks between its tokens must stay the same JSON, on one line. */
function joinLinesOf(bytes: Uint8Array): string {
  const memory = new Memory(bytes.length * 3 + 8)
  memory.bytes.fill(0xa5)
  memory.bytes.set(bytes)
  const guard = new LineGuard(memory)
  guard.begin(0, bytes.length)
  const hasBreak = guard.hasBreak(0, bytes.length)
  assert.equal(hasBreak, Buffer.from(bytes).includes('\n') || Buffer.from(bytes).includes('\r'))
  const end = guard.joinLines(0, bytes.length, bytes.length)
  assert.ok(end <= bytes.length * 3)
  const line = memory.bytes.subarray(bytes.length, end)
  assert.ok(!line.includes(0x0a) && !line.includes(0x0d), 'a line break is left')
  const text = Buffer.from(bytes).toString()
  const json = jsonOf(text)
  if (json !== undefined) assert.deepEqual(jsonOf(line.toString()), json)
  return line.toString()
}

function jsonOf(text: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) }
  } catch {
    return undefined
  }
}

export const bytesTargets: readonly Target[] = [
  smile,
  cbor,
  yaml,
  lz4,
  lz4Dictionary,
  deflate,
  zstd,
  lzf,
  id,
  lineGuard,
]
