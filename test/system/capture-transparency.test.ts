/**
 * Whatever is asked of a real engine through the proxy is answered as it is straight: status, headers and bytes. Each
 * request goes both ways, on connections that live on; writes go to two indices whose names are of one length.
 */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { startTestProxy } from '../support/raw-http.ts'
import { BodyFraming } from '../../src/capture/wire/body-framing.ts'
import { HeadCollector } from '../../src/capture/wire/head-collector.ts'
import { AnswerHeadBytes } from '../../src/capture/wire/heads.ts'
import { uniqueName, useEngine, type TestEngine } from '../support/engines.ts'

interface Asked {
  readonly method: string
  /** INDEX stands for the name of the index. */
  readonly path: string
  readonly body?: string
  readonly headers?: readonly string[]
  /** The engine hears no more on this connection, and does not say so. */
  readonly isLast?: true
  /** How the body is sent; default with its length. */
  readonly as?: 'chunked' | 'expecting' | 'gzip' | 'announced'
}

interface Answered {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly isPersistent: boolean
}

class Closed extends Error {}

/** A connection that asks one thing after the other; made anew when the other side has closed it. */
class Line {
  readonly #port: number
  #socket: net.Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  async ask(request: Buffer, method: string): Promise<Answered> {
    const isUsed = this.#socket !== undefined
    try {
      return await this.#ask(request, method)
    } catch (error) {
      // Engines close some connections after an answer that does not say so.
      if (isUsed && error instanceof Closed) return this.#ask(request, method)
      throw error
    }
  }

  async #ask(request: Buffer, method: string): Promise<Answered> {
    this.#socket ??= net.connect(this.#port, '127.0.0.1').on('error', () => {})
    const socket = this.#socket
    const heads = new HeadCollector(1024 * 1024)
    const framing = new BodyFraming()
    let head: AnswerHeadBytes | undefined
    const body: Buffer[] = []
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const take = (bytes: Buffer): void => {
      let at = 0
      while (head === undefined && at < bytes.length) {
        const next = heads.take(bytes, at)
        at = next === -1 ? bytes.length : next
        if (next === -1) return
        const found = new AnswerHeadBytes(heads.bytes, heads.start, heads.end)
        if (found.status < 200) continue
        head = found
        framing.start(head.bodyKind(method), head.contentLength)
      }
      if (head === undefined) return
      const end = framing.advance(bytes, at, (data) => body.push(Buffer.from(data)))
      assert.equal(end, bytes.length, 'nothing follows the answer')
      if (framing.isDone) resolve()
    }
    const closed = (): void => {
      this.#socket = undefined
      if (head !== undefined && framing.endsWithConnection) resolve()
      else reject(new Closed(`closed before an answer to ${request.toString('latin1', 0, 80)}`))
    }
    socket.on('data', take)
    socket.on('close', closed)
    socket.write(request)
    const late = setTimeout(
      () =>
        reject(new Error(`no answer to ${request.toString('latin1', 0, 80)}, but ${head?.status}`)),
      20_000,
    )
    await promise
    clearTimeout(late)
    socket.off('data', take)
    socket.off('close', closed)
    const answer = head!
    if (!answer.isPersistent || /\r\nConnection: close/.test(request.toString('latin1')))
      this.close()
    const { status, headers, isPersistent } = answer
    return { status, headers, body: Buffer.concat(body), isPersistent }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }
}

function requestBytes({ method, headers = [], as, ...asked }: Asked, index: string): Buffer {
  const path = asked.path.replaceAll('INDEX', index)
  const body = asked.body?.replaceAll('INDEX', index)
  const fields = [...headers]
  const hasType = headers.some((field) => /^content-type/i.test(field))
  if (body !== undefined && !hasType) {
    fields.push(`Content-Type: application/${/_bulk|_msearch/.test(path) ? 'x-nd' : ''}json`)
  }
  let bytes = Buffer.from(body ?? '')
  if (as === 'gzip') {
    bytes = gzipSync(bytes)
    fields.push('Content-Encoding: gzip')
  }
  if (as === 'expecting') fields.push('Expect: 100-continue')
  if (as === 'chunked') {
    const half = bytes.length >> 1
    const piece = (part: Buffer): Buffer[] => [
      Buffer.from(`${part.length.toString(16)};x=y\r\n`),
      part,
      Buffer.from('\r\n'),
    ]
    fields.push('Transfer-Encoding: chunked')
    bytes = Buffer.concat([
      ...piece(bytes.subarray(0, half)),
      ...piece(bytes.subarray(half)),
      Buffer.from('0\r\nX-Trailer: z\r\n\r\n'),
    ])
  } else if (as === 'announced') fields.push(`Content-Length: ${200 * 1024 * 1024}`)
  else if (body !== undefined) fields.push(`Content-Length: ${bytes.length}`)
  const head = [`${method} ${path} HTTP/1.1`, 'Host: engine:9200', ...fields, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head), bytes])
}

/**
 * The one thing that the proxy does of its own: a client that was refused in the place of `100 Continue` may send its body or
 * leave it out, so it is told that the connection is closed.
 */
function unclosed(answer: Answered): Answered {
  const at = answer.headers.indexOf('Connection')
  const headers = at === -1 ? answer.headers : answer.headers.toSpliced(at, 2)
  return { ...answer, headers, isPersistent: false }
}

/** What two runs of one request differ in by themselves. */
function comparable({ status, headers, body, isPersistent }: Answered, index: string): unknown {
  const isGzip = headers.some(
    (one, i) => /^content-encoding$/i.test(one) && headers[i + 1] === 'gzip',
  )
  const plain = isGzip ? gunzipSync(body) : body
  const steady = (text: string): string =>
    text
      .replaceAll(index, 'INDEX')
      .replace(/("?took"?\s*:\s*)\d+/g, '$1N')
      .replace(/took\xbf?.{1,3}(?=itimed_out)/g, 'tookN')
      .replace(
        /"(uuid|_scroll_id|(?:index\.)?creation_date|cluster_uuid|task|node|id)"\s*:\s*"[^"]*"/g,
        '"$1":"X"',
      )
      .replace(/ByteBufStreamInput@\w+/g, 'INPUT')
      .replace(/[\w-]{22}(?=["/\]])/g, 'UUID')
      .replace(/(\/_doc\/)[\w-]{20}$/, '$1X')
      .replace(/"_id"\s*:\s*"[\w-]{20}"/g, '"_id":"X"')
      .replace(/"[A-Z][a-z]{2}, \d\d [^"]*GMT"/g, '"DATE"')
      .replace(
        /("(?:[a-z_]*(?:millis|seconds|generation|open_contexts|in_bytes))"\s*:\s*)[-\d.]+/g,
        '$1N',
      )
  const fields = headers.map((one, i) =>
    /^content-length$/i.test(headers[i - 1] ?? '') ? 'LENGTH' : steady(one),
  )
  return { status, isPersistent, fields, body: steady(plain.toString('latin1')) }
}

const json = (value: unknown): string => JSON.stringify(value)
const document = json({ title: 'Grüße', n: 1, at: '2026-11-22' })
const bulk = [
  { index: { _id: 'b1' } },
  { n: 1 },
  { create: { _id: 'b1' } },
  { n: 2 },
  { update: { _id: 'b1' } },
  { doc: { n: 3 } },
  { delete: { _id: 'none' } },
]
  .map((line) => `${json(line)}\n`)
  .join('')
const large = Array.from(
  { length: 20_000 },
  (_, i) => `{"index":{"_id":"l${i % 50}"}}\n{"t":"${'x'.repeat(80)}"}\n`,
).join('')

const corpus: readonly Asked[] = [
  { method: 'GET', path: '/' },
  { method: 'HEAD', path: '/' },
  { method: 'GET', path: '/?pretty', headers: ['X-Opaque-Id: me', 'Connection: keep-alive'] },
  {
    method: 'PUT',
    path: '/INDEX',
    body: json({ settings: { number_of_shards: 1, number_of_replicas: 0 } }),
  },
  { method: 'PUT', path: '/INDEX', body: '{}' },
  { method: 'HEAD', path: '/INDEX' },
  { method: 'HEAD', path: '/INDEX-none' },
  { method: 'PUT', path: '/INDEX/_doc/1', body: document },
  { method: 'PUT', path: '/INDEX/_doc/1?op_type=create', body: document },
  { method: 'PUT', path: '/INDEX/_doc/2', body: document, as: 'chunked' },
  { method: 'PUT', path: '/INDEX/_doc/3', body: document, as: 'expecting' },
  { method: 'PUT', path: '/INDEX/_doc/4', body: document, as: 'gzip' },
  { method: 'PUT', path: '/INDEX/_doc/%C3%A9%20%2F?routing=a%26b', body: document },
  { method: 'GET', path: '/INDEX/_doc/%C3%A9%20%2F?routing=a%26b' },
  { method: 'GET', path: '/INDEX/_doc/1' },
  { method: 'GET', path: '/INDEX/_doc/1?pretty', headers: ['Accept-Encoding: gzip'] },
  { method: 'HEAD', path: '/INDEX/_doc/1' },
  { method: 'GET', path: '/INDEX/_doc/none' },
  { method: 'HEAD', path: '/INDEX/_doc/none' },
  { method: 'POST', path: '/INDEX/_doc/_bulk', body: bulk },
  { method: 'POST', path: '/INDEX/_doc/_bulk?refresh=true', body: large },
  { method: 'POST', path: '/INDEX/_doc/_bulk?refresh=true', body: large, as: 'gzip' },
  { method: 'POST', path: '/INDEX/_doc/_bulk', body: 'no lines' },
  { method: 'POST', path: '/INDEX/_doc/_mget', body: json({ ids: ['1', 'none'] }) },
  { method: 'DELETE', path: '/INDEX/_doc/2' },
  { method: 'DELETE', path: '/INDEX/_doc/2' },
  { method: 'POST', path: '/INDEX/_refresh' },
  {
    method: 'GET',
    path: '/INDEX/_search',
    body: json({ query: { match_all: {} }, sort: [{ _id: 'asc' }] }),
  },
  {
    method: 'POST',
    path: '/INDEX/_search?size=1000',
    body: json({ sort: [{ _id: 'asc' }] }),
    headers: ['Accept-Encoding: gzip, deflate'],
  },
  { method: 'POST', path: '/INDEX/_search', body: json({ query: { nonsense: {} } }) },
  { method: 'POST', path: '/INDEX/_search', body: '{"query":' },
  {
    method: 'GET',
    path: '/INDEX/_search?q=n:1&sort=_id&format=yaml&filter_path=hits.total,hits.hits._id',
  },
  { method: 'GET', path: '/INDEX/_search?size=0', headers: ['Accept: application/cbor'] },
  { method: 'POST', path: '/INDEX/_count', body: '{}' },
  {
    method: 'POST',
    path: '/_msearch',
    body: `{"index":"INDEX"}\n{"size":1,"sort":[{"_id":"asc"}]}\n{"index":"INDEX-none"}\n{}\n`,
  },
  { method: 'POST', path: '/INDEX/_doc', body: document },
  { method: 'GET', path: '/INDEX/_mapping' },
  { method: 'GET', path: '/INDEX/_settings?flat_settings=true' },
  { method: 'PUT', path: '/INDEX/_settings', body: json({ index: { refresh_interval: '5s' } }) },
  { method: 'PUT', path: '/INDEX/_alias/INDEX-alias' },
  { method: 'GET', path: '/_alias/INDEX-alias' },
  {
    method: 'POST',
    path: '/_aliases',
    body: json({ actions: [{ remove: { index: 'INDEX', alias: 'INDEX-alias' } }] }),
  },
  {
    method: 'PUT',
    path: '/_template/INDEX',
    body: json({ index_patterns: ['INDEX-none'], settings: {} }),
  },
  { method: 'GET', path: '/_template/INDEX' },
  { method: 'DELETE', path: '/_template/INDEX' },
  { method: 'PUT', path: '/_ingest/pipeline/INDEX', body: json({ processors: [] }) },
  { method: 'DELETE', path: '/_ingest/pipeline/INDEX' },
  { method: 'POST', path: '/_analyze', body: json({ analyzer: 'standard', text: 'One two' }) },
  {
    method: 'POST',
    path: '/INDEX/_search?scroll=1m&size=2',
    body: json({ query: { ids: { values: ['1', '2', '3'] } }, sort: [{ _id: 'asc' }] }),
  },
  { method: 'GET', path: '/_cat/indices/INDEX?h=health,index,pri' },
  { method: 'GET', path: '/_cat/health?h=nonsense' },
  { method: 'GET', path: '/_nodes/http' },
  { method: 'GET', path: '/_nonsense/_more' },
  { method: 'POST', path: '/' },
  { method: 'OPTIONS', path: '/INDEX/_search' },
  { method: 'PATCH', path: '/INDEX/_doc/1', body: '{}' },
  { method: 'PUT', path: '/INDEX/_doc/1', body: '{}', headers: ['Content-Type: text/nonsense'] },
  { method: 'GET', path: '/INDEX/_search?nonsense=1' },
  { method: 'GET', path: '/INDEX/_doc/<{now/d}>|"' },
  {
    method: 'GET',
    path: '/',
    headers: [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ],
  },
  { method: 'GET', path: '/', headers: ['Connection: close'] },
  {
    method: 'PUT',
    path: '/INDEX/_doc/5',
    body: '',
    as: 'announced',
    headers: ['Expect: 100-continue'],
  },
  { method: 'GET', path: `/INDEX/_search?q=${'x'.repeat(5000)}`, isLast: true },
  { method: 'GET', path: '/', headers: [`X-Long: ${'x'.repeat(20_000)}`], isLast: true },
  { method: 'POST', path: '/INDEX/_close' },
  { method: 'POST', path: '/INDEX/_search', body: '{}' },
  { method: 'DELETE', path: '/INDEX' },
  { method: 'DELETE', path: '/INDEX' },
]

async function compareAll(engine: TestEngine): Promise<void> {
  const proxy = await startTestProxy(engine.port, { forwardedHeaders: true })
  const lines = [new Line(engine.port), new Line(proxy.port)]
  const stem = uniqueName('same')
  const differences: string[] = []
  try {
    for (const asked of corpus) {
      const answers: unknown[] = []
      for (const [i, line] of lines.entries()) {
        const index = `${stem}-${i}`
        const answer = await line.ask(requestBytes(asked, index), asked.method)
        answers.push(comparable(asked.as === 'announced' ? unclosed(answer) : answer, index))
        if (asked.isLast === true) line.close()
      }
      if (isDeepStrictEqual(answers[0], answers[1])) continue
      differences.push(`${asked.method} ${asked.path.slice(0, 80)}: ${inspect(answers)}`)
    }
  } finally {
    for (const line of lines) line.close()
    await proxy.close()
  }
  assert.deepEqual(differences, [])
}

for (const version of ['6', '7']) {
  const engine = await useEngine('elasticsearch', version)
  test(`Elasticsearch ${version} answers through the proxy as it does straight`, async () => {
    await compareAll(engine)
  })
}
