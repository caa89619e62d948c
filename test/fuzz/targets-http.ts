/**
 * The framing of HTTP/1.1, against the parser of Node.js: what both take they must cut at the same places, however the
 * bytes come in pieces. Where they differ in what they take, one of both closes the connection, and nothing is desynchronised.
 */
import assert from 'node:assert/strict'
import { randomSource } from '../support/random-json.ts'
import { chunksAt, cutMessages, llhttpMessages } from '../support/http-messages.ts'
import type { Messages } from '../support/http-messages.ts'
import { mutate, pick, pickOf, type Random } from './mutations.ts'
import type { Sample, Target } from './target.ts'

const samplesOfEach = 24
const cutsMax = 6

/** What smugglers put between things. */
const hostile = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x85',
    ':',
    ',',
    ';',
    '"',
    '0',
    'x',
    '\xff',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Content-Length : 4\r\n',
    'Content-Length:\t3\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding : chunked\r\n',
  ],
  ...[
    'Transfer-Encoding: xchunked\r\n',
    'Transfer-Encoding:\r\n chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive, Content-Length\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Trailer: Content-Length\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
    '0\r\n\r\n',
    '\r\n0\r\n\r\n',
    'GET /b HTTP/1.1\r\n\r\n',
  ],
  ...['5;a=b\r\n', 'ffffffff\r\n', '-1\r\n', '00000000000000005\r\n', 'X: y\r\n'],
]

/** Pipelined requests of all kinds of bodies. */
export function mixture(random: Random): Buffer {
  const text = Array.from({ length: 1 + pick(random, 5) }, () => randomRequest(random)).join('')
  return Buffer.from(text, 'latin1')
}

function randomRequest(random: Random): string {
  const method = pickOf(random, ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'])
  const target = pickOf(random, [
    '/',
    '/a/_doc/1',
    '/_bulk?refresh=true',
    '/%3Ca-%7Bnow%7D%3E',
    '*',
  ])
  const fields = ['Host: x', 'Accept: */*', 'content-type:application/json', 'X-Opaque-Id:\t1 ']
  const head = `${method} ${target} HTTP/1.1\r\n${fields
    .filter(() => random() < 0.4)
    .map((one) => `${one}\r\n`)
    .join('')}`
  const body = pickOf(random, [
    '',
    '{}',
    '0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'x'.repeat(pick(random, 300)),
  ])
  const name = (text: string): string => (random() < 0.5 ? text : text.toLowerCase())
  if (random() < 0.25) return `${head}\r\n`
  if (random() < 0.5) return `${head}${name('Content-Length')}: ${body.length}\r\n\r\n${body}`
  return `${head}${name('Transfer-Encoding')}: chunked\r\n\r\n${chunksOf(random, body)}`
}

function chunksOf(random: Random, body: string): string {
  let text = ''
  for (let at = 0; at < body.length;) {
    const length = Math.min(body.length - at, 1 + pick(random, 40))
    const extension = random() < 0.2 ? ';a="b"' : ''
    text += `${length.toString(16)}${extension}\r\n${body.slice(at, at + length)}\r\n`
    at += length
  }
  return `${text}0\r\n${random() < 0.2 ? 'Digest: x\r\n' : ''}\r\n`
}

export function smuggled(random: Random, bytes: Buffer): Uint8Array {
  let text = bytes.toString('latin1')
  for (let i = 1 + pick(random, 3); i > 0; i--) {
    const at = random() < 0.5 ? afterLine(random, text) : pick(random, text.length + 1)
    const cut = random() < 0.3 ? pick(random, 4) : 0
    text = text.slice(0, at) + pickOf(random, hostile) + text.slice(at + cut)
  }
  return Buffer.from(text, 'latin1')
}

function afterLine(random: Random, text: string): number {
  const from = pick(random, text.length + 1)
  const found = text.indexOf('\r\n', from)
  return found === -1 ? from : found + 2
}

async function judge(bytes: Uint8Array): Promise<Messages> {
  const all = Buffer.from(bytes)
  const whole = cutMessages([all])
  const random = randomSource(all.length * 31 + (all[0] ?? 0))
  const cuts = Array.from({ length: 1 + pick(random, cutsMax) }, () => pick(random, all.length + 1))
  assert.deepEqual(cutMessages(chunksAt(all, cuts)), whole, `cut at ${cuts.join(', ')}`)
  const other = await llhttpMessages(all)
  const both = Math.min(whole.messages.length, other.messages.length)
  assert.deepEqual(whole.messages.slice(0, both), other.messages.slice(0, both))
  const [ours, theirs] = [whole, other].map(({ messages }) => messages.length)
  // A head that we wait for the rest of has gone nowhere yet.
  const isLost = whole.error !== undefined || !whole.isWithinBody
  if (ours! < theirs!) assert.ok(isLost, `they see ${theirs} requests, we ${ours}`)
  if (theirs! < ours!)
    assert.ok(other.error !== undefined, `we see ${ours} requests, they ${theirs}`)
  return whole
}

const framing: Target = {
  name: 'http-framing',
  workPerByte: 2000,
  bytesPerByte: 4096,
  samples: async () =>
    Array.from({ length: samplesOfEach }, (_, i): Sample => {
      const bytes = mixture(randomSource(i))
      assert.equal(cutMessages([bytes]).error, undefined)
      return {
        name: `${i}`,
        bytes,
        decode: judge,
        vary: (random) => (random() < 0.7 ? smuggled(random, bytes) : mutate(random, bytes)),
      }
    }),
}

export const httpTargets: readonly Target[] = [framing]
