import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunksAt, cutMessages, headBytesMax } from '../../../test/support/http-messages.ts'
import type { Messages } from '../../../test/support/http-messages.ts'
import { HeadCollector } from './head-collector.ts'
import { AnswerHeadBytes, RequestHeadBytes } from './heads.ts'
import { editedRequest, lastAnswerHead } from './edit-heads.ts'
import type { RequestEdits } from './edit-heads.ts'

const cut = (text: string, methods?: readonly string[]): Messages =>
  cutMessages([Buffer.from(text, 'latin1')], methods)

const post = (fields: string, body = ''): string => `POST /a HTTP/1.1\r\n${fields}\r\n\r\n${body}`
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body)

interface Good {
  readonly text: string
  /** Line and body of each message. */
  readonly gives: readonly string[]
  readonly methods?: readonly string[]
}

const good: { readonly [what: string]: Good } = {
  'a request without body': {
    text: 'GET /_search?q=a HTTP/1.1\r\nHost: x\r\n\r\n',
    gives: ['GET /_search?q=a|'],
  },
  'a request without fields': { text: 'GET / HTTP/1.0\r\n\r\n', gives: ['GET /|'] },
  'empty lines before a request': { text: '\r\n\r\nGET / HTTP/1.1\r\n\r\n', gives: ['GET /|'] },
  'a body by its length': { text: post('content-LENGTH:  3 ', 'abc'), gives: ['POST /a|abc'] },
  'a body of no length': { text: post('Content-Length: 0'), gives: ['POST /a|'] },
  'three requests in one go': {
    text:
      post('Content-Length: 3', 'abc') + chunked('1\r\nx\r\n0\r\n\r\n') + 'HEAD / HTTP/1.1\r\n\r\n',
    gives: ['POST /a|abc', 'POST /a|x', 'HEAD /|'],
  },
  'chunks with extensions and trailers': {
    text: chunked('3;a="b c"\r\nabc\r\n00a \r\n0123456789\r\n0;x\r\nDigest: y\r\nB:\r\n\r\n'),
    gives: ['POST /a|abc0123456789'],
  },
  'line breaks in a chunk': {
    text: chunked('5\r\n\r\n0\r\n\r\n0\r\n\r\n'),
    gives: ['POST /a|\r\n0\r\n'],
  },
  'chunk lengths in both cases': {
    text: chunked('A\r\n0123456789\r\nb\r\n01234567890\r\n0\r\n\r\n'),
    gives: ['POST /a|012345678901234567890'],
  },
  'raw UTF-8 and braces in a target': {
    text: 'GET /<i-{now/d}>/\xc3\xa9 HTTP/1.1\r\n\r\n',
    gives: ['GET /<i-{now/d}>/\xc3\xa9|'],
  },
  'tabs and high bytes in a value': {
    text: 'GET / HTTP/1.1\r\nA:\t b\tc\xff \t\r\n\r\n',
    gives: ['GET /|'],
  },
  'a field without value': { text: 'GET / HTTP/1.1\r\nA:\r\nB: \r\n\r\n', gives: ['GET /|'] },
  'answers by length, in chunks, and without body': {
    text:
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 \r\nContent-Length: 7\r\n\r\n' +
      'HTTP/1.1 100 Continue\r\n\r\n',
    methods: ['GET', 'GET', 'HEAD', 'DELETE', 'GET', 'POST'],
    gives: ['200|ab', '200|x', '200|', '204|', '304|', '100|'],
  },
}

for (const [what, { text, gives, methods }] of Object.entries(good)) {
  test(`framing: ${what}, cut at every place`, () => {
    const bytes = Buffer.from(text, 'latin1')
    const whole = cutMessages([bytes], methods)
    assert.equal(whole.error, undefined)
    assert.deepEqual(
      whole.messages.map(({ line, body }) => `${line}|${body}`),
      gives,
    )
    for (let i = 0; i <= bytes.length; i++) {
      assert.deepEqual(cutMessages(chunksAt(bytes, [i]), methods), whole, `cut at ${i}`)
    }
    const single = chunksAt(bytes, Array.from(bytes.keys()))
    assert.deepEqual(cutMessages(single, methods), whole, 'byte by byte')
  })
}

test('framing: an answer without length ends with the connection', () => {
  const { messages, error } = cut('HTTP/1.0 200 OK\r\n\r\nabc', ['GET'])
  assert.deepEqual([messages, error], [[], undefined])
})

const huge = 'x'.repeat(headBytesMax)
const bad: { readonly [what: string]: string } = {
  'Content-Length and chunked': post(
    'Content-Length: 3\r\nTransfer-Encoding: chunked',
    '0\r\n\r\n',
  ),
  'chunked and Content-Length': post(
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    '0\r\n\r\n',
  ),
  'two lengths': post('Content-Length: 3\r\nContent-Length: 4', 'abcd'),
  'the same length twice': post('Content-Length: 3\r\nContent-Length: 3', 'abc'),
  'a list of lengths': post('Content-Length: 3, 3', 'abc'),
  'a signed length': post('Content-Length: +3', 'abc'),
  'a negative length': post('Content-Length: -3', 'abc'),
  'a hexadecimal length': post('Content-Length: 0x3', 'abc'),
  'a length with blanks in it': post('Content-Length: 1 2', 'abc'),
  'an empty length': post('Content-Length:', 'abc'),
  'a length beyond all integers': post('Content-Length: 99999999999999999999'),
  'another encoding': post('Transfer-Encoding: gzip', 'abc'),
  'chunked behind another encoding': post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'chunked in quotes': post('Transfer-Encoding: "chunked"', '0\r\n\r\n'),
  'chunked with a tab behind it': post('Transfer-Encoding: chunked\t', '0\r\n\r\n'),
  'chunked with a vertical tab': post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n'),
  'chunked in HTTP/1.0': 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a blank before the colon': post('Content-Length : 3', 'abc'),
  'a folded field': post('A: b\r\n c', ''),
  'a folded first field': post(' A: b', ''),
  'a field without colon': post('Content-Length', ''),
  'a field without name': post(': x', ''),
  'a bare LF in the head': 'GET / HTTP/1.1\nHost: x\r\n\r\n',
  'bare LFs alone': 'GET / HTTP/1.1\n\n',
  'a bare CR in a value': 'GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n',
  'a NUL in a value': 'GET / HTTP/1.1\r\nA: \0\r\n\r\n',
  'a NUL in a name': 'GET / HTTP/1.1\r\nA\0: b\r\n\r\n',
  'a NUL in the target': 'GET /\0 HTTP/1.1\r\n\r\n',
  'a blank in the target': 'GET /a b HTTP/1.1\r\n\r\n',
  'two blanks in the first line': 'GET  / HTTP/1.1\r\n\r\n',
  'a tab in the first line': 'GET\t/ HTTP/1.1\r\n\r\n',
  'a blank behind the version': 'GET / HTTP/1.1 \r\n\r\n',
  'a first line without version': 'GET /\r\n\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/1.2': 'GET / HTTP/1.2\r\n\r\n',
  'HTTP/1.10': 'GET / HTTP/1.10\r\n\r\n',
  'another protocol': 'GET / http/1.1\r\n\r\n',
  'TLS where none is': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n',
  'a target that is too long': `GET /${huge} HTTP/1.1\r\n\r\n`,
  'a head that never ends': `GET / HTTP/1.1\r\nA: ${huge}`,
  'a chunk without length': chunked('\r\n'),
  'a chunk length with a sign': chunked('+1\r\nx\r\n0\r\n\r\n'),
  'a chunk length of 0x': chunked('0x1\r\nx\r\n0\r\n\r\n'),
  'a chunk length beyond 32 bits': chunked('100000000\r\n'),
  'a chunk length beyond 64 bits': chunked('10000000000000001\r\n'),
  'a chunk length of zeros without end': chunked('0'.repeat(40)),
  'a chunk length ended by LF': chunked('1\nx\r\n0\r\n\r\n'),
  'a chunk longer than its length': chunked('1\r\nxy\r\n0\r\n\r\n'),
  'a chunk ended by LF': chunked('1\r\nx\n0\r\n\r\n'),
  'a NUL in a chunk extension': chunked('1;\0\r\nx\r\n0\r\n\r\n'),
  'a LF in a chunk extension': chunked('1;a\nb\r\nx\r\n0\r\n\r\n'),
  'a chunk extension without end': chunked(`1;${'a'.repeat(5000)}`),
  'a blank before a chunk length': chunked(' 1\r\nx\r\n0\r\n\r\n'),
  'a folded trailer': chunked('0\r\nA: b\r\n c\r\n\r\n'),
  'a trailer without colon': chunked('0\r\nA\r\n\r\n'),
  'a trailer that frames the message': chunked('0\r\nContent-LENGTH: 3\r\n\r\n'),
  'trailers ended by LF': chunked('0\r\nA: b\n\r\n'),
  'trailers without end': chunked(`0\r\n${'A: b\r\n'.repeat(5000)}`),
}

for (const [what, text] of Object.entries(bad)) {
  test(`framing: refuses ${what}, cut at every place`, () => {
    const bytes = Buffer.from(`GET /before HTTP/1.1\r\n\r\n${text}`, 'latin1')
    const whole = cutMessages([bytes])
    assert.equal(whole.messages.length, 1, 'the request before it is served')
    assert.ok(whole.error !== undefined, 'the connection is lost')
    const step = bytes.length > 5000 ? 997 : 1
    for (let i = 0; i <= bytes.length; i += step) {
      assert.deepEqual(cutMessages(chunksAt(bytes, [i])), whole, `cut at ${i}`)
    }
  })
}

test('framing: malformed answers are refused', () => {
  const heads = [
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 x',
    'HTTP/1.1  200',
    'HTTP/2 200',
    'ICY 200 OK',
  ]
  for (const head of heads) {
    assert.ok(cut(`${head}\r\n\r\n`, ['GET']).error !== undefined, head)
  }
})

function edited(text: string, edits: RequestEdits): string {
  const bytes = Buffer.from(text, 'latin1')
  const heads = new HeadCollector(headBytesMax)
  const end = heads.take(bytes, 0)
  const head = new RequestHeadBytes(bytes, heads.start, heads.end)
  return editedRequest(head, edits, bytes.subarray(end)).toString('latin1')
}

const forwarded = { address: '10.0.0.7', scheme: 'https' } as const

test('a request goes on byte for byte where nothing is to be said', () => {
  const text = 'PUT /a HTTP/1.1\r\nhOST:x\r\nConnection: Keep-Alive\r\nContent-Length: 3\r\n\r\nabc'
  assert.equal(edited(text, {}), text)
})

test('the client is named behind all fields, or behind those who were named before', () => {
  assert.equal(
    edited('GET / HTTP/1.1\r\nA: b\r\n\r\nxyz', { forwarded }),
    'GET / HTTP/1.1\r\nA: b\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\n\r\nxyz',
  )
  assert.equal(
    edited(
      'GET / HTTP/1.1\r\nx-forwarded-FOR: 1.2.3.4 \r\nX-Forwarded-Proto: http\r\nB: c\r\n\r\n',
      { forwarded },
    ),
    'GET / HTTP/1.1\r\nx-forwarded-FOR: 1.2.3.4, 10.0.0.7 \r\nX-Forwarded-Proto: http\r\nB: c\r\n\r\n',
  )
})

test('what concerns one connection goes no further: upgrades, and fields that Connection names', () => {
  assert.equal(
    edited(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, X-Mine, Content-Length, close\r\n' +
        'Upgrade: h2c\r\nHTTP2-Settings: AAM\r\nx-mine: 1\r\nContent-Length: 1\r\n\r\na',
      { forwarded },
    ),
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n' +
      'X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\n\r\na',
  )
})

test('a client cannot hide by naming X-Forwarded-For in Connection', () => {
  assert.equal(
    edited(
      'GET / HTTP/1.1\r\nConnection: close, X-Forwarded-For, x-forwarded-proto\r\n' +
        'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: gopher\r\n\r\n',
      { forwarded },
    ),
    'GET / HTTP/1.1\r\nConnection: close\r\n' +
      'X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\n\r\n',
  )
})

test('configured fields stand in the place of those of the client, and the host that it named is told', () => {
  const setHeaders = new Map([['host', { name: 'Host', value: 'es.internal' }]])
  assert.equal(
    edited('GET / HTTP/1.1\r\nhost: proxy:9200\r\nA: b\r\n\r\n', { forwarded, setHeaders }),
    'GET / HTTP/1.1\r\nA: b\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: https\r\n' +
      'X-Forwarded-Host: proxy:9200\r\nHost: es.internal\r\n\r\n',
  )
})

test('the last answer of a connection says so', () => {
  const bytes = Buffer.from(
    'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nconnection: keep-alive\r\nA: b\r\n\r\n',
  )
  const head = new AnswerHeadBytes(bytes, 0, bytes.length)
  assert.equal(
    lastAnswerHead(head).toString(),
    'HTTP/1.1 200 OK\r\nA: b\r\nConnection: close\r\n\r\n',
  )
})
