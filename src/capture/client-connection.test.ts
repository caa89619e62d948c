import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawServer, startTestProxy, type TestProxy } from '../../test/support/raw-http.ts'
import type { ProxyLimits } from './limits.ts'
import { connectionSides, placeOf } from './metrics.ts'
import type { ExchangeObserver, Refusal } from './observer.ts'

/** A source of bare sockets with a proxy in front of it. */
async function withProxy(
  options: Parameters<typeof startTestProxy>[1],
  use: (source: RawServer, proxy: TestProxy) => Promise<void>,
): Promise<void> {
  const source = await RawServer.start()
  const proxy = await startTestProxy(source.port, options)
  try {
    await use(source, proxy)
  } finally {
    await source.close()
    await proxy.close()
  }
}

const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\n${fields}\r\n`
const put = (path: string, body: string): string =>
  `PUT ${path} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const ok = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])

test('pipelined requests reach the source one after the other, and are answered in order', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(put('/1', 'one') + get('/2') + put('/3', 'three'))
    const peer = await source.take()
    assert.equal(await peer.until('one'), put('/1', 'one'), 'the second waits for the first answer')
    peer.send(ok('first'))
    await peer.until('/2')
    peer.send(ok('sec'))
    assert.equal(await client.until('sec'), ok('first') + ok('sec'))
    peer.send('ond'.slice(3))
    await peer.until('three')
    peer.send(ok('third'))
    assert.equal(await client.until('third'), ok('first') + ok('sec') + ok('third'))
    assert.equal(source.peers.length, 1)
  })
})

for (const bytesEach of [50, 43]) {
  test(`what is pipelined in pieces of ${bytesEach} bytes keeps its order`, async () => {
    await withProxy({}, async (source, proxy) => {
      const client = await proxy.connect()
      const requests = Array.from({ length: 5 }, (_, i) => put(`/${i}`, `body ${i}`))
      const text = requests.join('')
      const place = placeOf(
        'osmigrate_capture_network_bytes_total',
        connectionSides.indexOf('client'),
      )
      for (let at = 0; at < text.length; at += bytesEach) {
        client.send(text.slice(at, at + bytesEach))
        const came = Math.min(at + bytesEach, text.length)
        while (proxy.core.metrics.values[place] !== came) {
          await new Promise((done) => setImmediate(done))
        }
      }
      const peer = await source.take()
      for (const i of requests.keys()) {
        await peer.until(`body ${i}`)
        peer.send(ok(`${i}`))
      }
      await client.until(ok('4'))
      assert.equal(peer.text, text)
    })
  })
}

test('bytes of chunked bodies pass both ways as they were framed, with extensions and trailers', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    const request =
      'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n003;x="y"\r\nabc\r\n0\r\nA: b\r\n\r\n'
    for (const byte of request) client.send(byte)
    const peer = await source.take()
    assert.equal(await peer.until('A: b\r\n\r\n'), request)
    const answer =
      'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n00;z\r\nC: d\r\n\r\n'
    for (const byte of answer) peer.send(byte)
    assert.equal(await client.until('C: d\r\n\r\n'), answer)
    client.send(get('/next'))
    await peer.until('/next')
  })
})

test('100-continue goes through, and so does the body that follows it', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send('PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    const peer = await source.take()
    await peer.until('\r\n\r\n')
    peer.send('HTTP/1.1 100 Continue\r\n\r\n')
    assert.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
    client.send('abc')
    await peer.until('abc')
    peer.send('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' + ok('done'))
    assert.match(await client.until('done'), /103 Early Hints\r\nLink: x\r\n\r\nHTTP\/1\.1 200 OK/)
    client.send(get('/next'))
    await peer.until('/next')
  })
})

for (const hint of ['', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n']) {
  test(`a client that is refused before it sent its body is not heard on: what follows could be the body or not${hint && ' (103)'}`, async () => {
    await withProxy({}, async (source, proxy) => {
      const client = await proxy.connect()
      client.send('PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n')
      const peer = await source.take()
      await peer.until('\r\n\r\n')
      peer.send(`${hint}HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n`)
      assert.equal(
        await client.end(),
        `${hint}HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )
      client.send(get('/smuggled'))
      await peer.end()
      assert.ok(!peer.text.includes('smuggled'))
    })
  })
}

test('an answer that comes before the whole request is passed, and the rest of the request too', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send('PUT /a HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc')
    const peer = await source.take()
    await peer.until('abc')
    peer.send(ok('early'))
    await client.until('early')
    client.send(`def${get('/next')}`)
    await peer.until('def')
    assert.match(await peer.until('/next'), /abcdefGET \/next/)
  })
})

test('HEAD, 204 and 304 have no body, whatever their length says', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send('HEAD /a HTTP/1.1\r\n\r\n' + get('/b') + get('/c') + get('/d'))
    const peer = await source.take()
    const answers = [
      ['/a', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
      ['/b', 'HTTP/1.1 204 No Content\r\n\r\n'],
      ['/c', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
      ['/d', ok('body')],
    ] as const
    for (const [path, answer] of answers) {
      await peer.until(path)
      peer.send(answer)
    }
    assert.equal(await client.until('body'), answers.map(([, answer]) => answer).join(''))
  })
})

test('an answer without length ends with the connection, on both sides', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/a'))
    const peer = await source.take()
    await peer.until('\r\n\r\n')
    peer.send('HTTP/1.1 200 OK\r\n\r\nsome')
    await client.until('some')
    peer.send(' more').socket.end()
    assert.equal(await client.end(), 'HTTP/1.1 200 OK\r\n\r\nsome more')
  })
})

test('a connection ends where one side says so', async () => {
  await withProxy({}, async (source, proxy) => {
    const told = await proxy.connect()
    told.send(get('/a', 'Connection: close\r\n'))
    const first = await source.take()
    await first.until('\r\n\r\n')
    first.send(ok('a'))
    assert.equal(await told.end(), ok('a'))
    const telling = await proxy.connect()
    telling.send(get('/b'))
    const second = await source.take()
    await second.until('\r\n\r\n')
    second.send(ok('b', 'Connection: close\r\n'))
    assert.equal(await telling.end(), ok('b', 'Connection: close\r\n'))
  })
})

test('upgrades stay out of the request, and an answer that makes one is none', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/a', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'))
    const peer = await source.take()
    assert.equal(await peer.until('\r\n\r\n'), get('/a'))
    peer.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
    assert.equal(statusOf(await client.end()), 502)
  })
})

test('a source that closed the connection between two requests is connected to again', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(put('/a', 'x'))
    const first = await source.take()
    await first.until('x')
    first.send(ok('a'))
    await client.until('a')
    first.socket.end()
    await first.end()
    client.send(put('/b', 'y'))
    const second = await source.take()
    await second.until('y')
    second.send(ok('b'))
    await client.until('b')
  })
})

test('a read is sent again when the source breaks off before it answers, twice at most', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    const request = 'GET /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}'
    client.send(request)
    for (let i = 0; i < 2; i++) {
      const peer = await source.take()
      await peer.until('{}')
      peer.socket.resetAndDestroy()
    }
    const last = await source.take()
    assert.equal(await last.until('{}'), request)
    last.send(ok('a'))
    assert.equal(await client.until('a'), ok('a'))
    client.send(get('/b'))
    await last.until('/b')
    last.socket.end()
    for (let i = 0; i < 2; i++) {
      const peer = await source.take()
      await peer.until('/b')
      peer.socket.end()
    }
    assert.equal(await client.end(), ok('a'), 'then the client sees what the source did')
  })
})

test('nothing is sent again that may have changed something, or that was answered in part', async () => {
  const requests = [
    put('/a', 'x'),
    'DELETE /a HTTP/1.1\r\n\r\n',
    get('/_search/scroll?scroll_id=x'),
  ]
  for (const request of requests) {
    await withProxy({}, async (source, proxy) => {
      const client = await proxy.connect()
      client.send(request)
      const peer = await source.take()
      await peer.until(request)
      peer.socket.end()
      assert.equal(await client.end(), '', 'closed as the source closed')
      assert.equal(source.peers.length, 1)
    })
  }
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/a'))
    const peer = await source.take()
    await peer.until('\r\n\r\n')
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab')
    await client.until('ab')
    peer.socket.resetAndDestroy()
    await client.end()
    assert.equal(source.peers.length, 1)
  })
})

test('a source that comes back in time is waited for, by writes too: nothing was sent yet', async () => {
  const gone = await RawServer.start()
  const proxy = await startTestProxy(gone.port)
  await gone.close()
  const client = await proxy.connect()
  client.send(put('/a', 'x'))
  const back = await RawServer.start(gone.port)
  const peer = await back.take()
  assert.equal(await peer.until('x'), put('/a', 'x'))
  peer.send(ok('a'))
  await client.until('a')
  await back.close()
  await proxy.close()
})

test('a write whose client hangs up before the source is there is not sent', async () => {
  const gone = await RawServer.start()
  const watched: Watched = { calls: [] }
  const proxy = await startTestProxy(gone.port, { observer: watching(watched, false) })
  await gone.close()
  const client = await proxy.connect()
  client.send(put('/a', 'x'))
  while (!watched.calls.includes('request end')) await new Promise((done) => setImmediate(done))
  client.socket.end()
  await client.end()
  assert.equal(watched.calls.at(-1), 'end false')
  await proxy.close()
})

test('a client that has ended its side is answered all that it asked, before the source was there too', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.socket.end(
      get('/1') + put('/2', 'two') + get('/_osmigrate/health') + get('/4') + 'GET /',
    )
    const peer = await source.take()
    await peer.until('/1')
    // Its end is not that of the others.
    assert.equal(peer.isEnded, false)
    peer.send(ok('one'))
    await peer.until('two')
    peer.send(ok('second'))
    await peer.until('/4')
    peer.send(ok('four'))
    const text = await client.end()
    assert.match(text, /one[^]*second[^]*"status":"ok"[^]*four$/)
    await peer.end()
    assert.equal(peer.text, get('/1') + put('/2', 'two') + get('/4'))
  })
})

test('a read whose client has ended its side is ended at the source, too', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.socket.end(get('/slow'))
    const peer = await source.take()
    assert.equal(await peer.end(), get('/slow'))
    peer.send(ok('slow'))
    assert.equal(await client.end(), ok('slow'))
  })
})

test('a source that does not come back is a 503 that names osmigrate, and the next requests need not wait', async () => {
  const gone = await RawServer.start()
  const proxy = await startTestProxy(gone.port, { limits: { sourceWaitMs: 300 } })
  await gone.close()
  const client = await proxy.connect()
  const startedAt = performance.now()
  client.send(put('/a', 'x'))
  const answer = await client.end()
  assert.equal(statusOf(answer), 503)
  assert.match(
    answer,
    /"type":"osmigrate_source_unreachable","reason":"osmigrate capture: .*ECONNREFUSED/,
  )
  assert.ok(performance.now() - startedAt >= 300)
  const again = performance.now()
  const head = await proxy.connect()
  head.send('HEAD /a HTTP/1.1\r\n\r\n')
  assert.match(await head.end(), /^HTTP\/1\.1 503 [^]*\r\n\r\n$/)
  assert.ok(performance.now() - again < 300)
  await proxy.close()
})

test('malformed requests are refused when their turn comes, and nothing behind them is read', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/good') + get('/bad', 'A : b\r\n') + get('/after'))
    const peer = await source.take()
    await peer.until('/good')
    peer.send(ok('good'))
    const answers = await client.end()
    assert.ok(answers.startsWith(ok('good')))
    assert.match(
      answers.slice(ok('good').length),
      /^HTTP\/1\.1 400 [^]*osmigrate_malformed_request/,
    )
    await peer.end()
    assert.equal(peer.text, get('/good'))
  })
})

test('a body that turns out malformed never becomes whole at the source', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    const head = 'POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n'
    client.send(head)
    const peer = await source.take()
    await peer.until('a\r\n')
    client.send('-1\r\n0\r\n\r\n')
    assert.equal(statusOf(await client.end()), 400)
    assert.equal(await peer.end(), head)
  })
})

test('bytes that the source sends unasked are not taken for the next answer', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/a'))
    const first = await source.take()
    await first.until('/a')
    first.send(ok('a') + ok('poison'))
    await client.until('a')
    client.send(get('/b'))
    const second = await source.take()
    await second.until('/b')
    second.send(ok('b'))
    assert.equal(await client.until(ok('b')), ok('a') + ok('b'))
  })
})

test('an answer that is no HTTP is a 502', async () => {
  for (const answer of [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\n\n',
  ]) {
    await withProxy({}, async (source, proxy) => {
      const client = await proxy.connect()
      client.send(get('/a'))
      const peer = await source.take()
      await peer.until('/a')
      peer.send(answer)
      const got = await client.end()
      assert.equal(statusOf(got), 502)
      assert.match(got, /osmigrate_source_answer/)
    })
  }
})

test('health is told by the proxy itself, and nothing below its own path reaches the source', async () => {
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/_osmigrate/health?x=1') + get('/_osmigrate/other') + get('/_other'))
    const peer = await source.take()
    assert.equal(await peer.until('\r\n\r\n'), get('/_other'))
    assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n[^]*\{"status":"ok"\}HTTP\/1\.1 404 /)
    peer.send(ok('other'))
    await client.until('other')
    const { values } = proxy.core.metrics
    assert.equal(values[placeOf('osmigrate_capture_errors_total')], 0)
    assert.equal(values[placeOf('osmigrate_capture_refused_total')], 2)
  })
})

test('nodes that a client asks for are all the proxy, where that is wanted', async () => {
  const answer = ok('{"nodes":{"n":{"http":{"publish_address":"10.0.0.1:9200"}}}}')
  await withProxy({ rewriteAddresses: true }, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/_nodes/_all/http', 'Host: proxy:9200\r\nAccept-Encoding: gzip\r\n'))
    const peer = await source.take()
    assert.equal(await peer.until('\r\n\r\n'), get('/_nodes/_all/http', 'Host: proxy:9200\r\n'))
    for (const byte of answer) peer.send(byte)
    const body = '{"nodes":{"n":{"http":{"publish_address":"proxy:9200"}}}}'
    assert.equal(
      await client.until('}}}}'),
      `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    client.send(get('/_nodes/stats', 'Host: proxy:9200\r\n'))
    await peer.until('stats')
    peer.send(answer)
    assert.ok((await client.until(answer)).endsWith(answer), 'other answers stay as they are')
  })
})

interface Watched {
  readonly calls: string[]
  release?: (refusal?: Refusal) => void
}

/** Notes every call; `hold`: releases only when told to. */
function watching(watched: Watched, hold: boolean): ExchangeObserver {
  const { calls } = watched
  return {
    begin: ({ method, target, headers, connection }) => {
      calls.push(`begin ${connection} ${method} ${target} ${headers.join('=')}`)
      return {
        requestBytes: (bytes) => void calls.push(`request ${Buffer.from(bytes).toString()}`),
        requestEnd: (_at, release) => {
          calls.push('request end')
          watched.release = release
          if (!hold) release()
        },
        responseHead: ({ status, headers: fields }) =>
          void calls.push(`response ${status} ${fields.join('=')}`),
        responseBytes: (bytes) => void calls.push(`response ${Buffer.from(bytes).toString()}`),
        end: (whole) => void calls.push(`end ${whole}`),
      }
    },
  }
}

test('who looks on is told of bytes without framing, in order, and ends once', async () => {
  const watched: Watched = { calls: [] }
  await withProxy(
    { observer: watching(watched, false), forwardedHeaders: true },
    async (source, proxy) => {
      const client = await proxy.connect()
      client.send(
        'POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
      )
      const peer = await source.take()
      await peer.until('0\r\n\r\n')
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n')
      await client.until('0\r\n\r\n')
      assert.deepEqual(watched.calls, [
        'begin 1 POST /a?b Transfer-Encoding=chunked',
        'request ab',
        'request c',
        'request end',
        'response 200 Transfer-Encoding=chunked',
        'response xyz',
        'end true',
      ])
    },
  )
})

test('an answer waits for its release, and may be replaced by a refusal', async () => {
  const watched: Watched = { calls: [] }
  await withProxy({ observer: watching(watched, true) }, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(put('/a', 'x'))
    const peer = await source.take()
    await peer.until('x')
    peer.send(ok('held'))
    while (!watched.calls.includes('end true')) await new Promise((done) => setImmediate(done))
    assert.equal(client.text, '')
    watched.release!()
    assert.equal(await client.until('held'), ok('held'))
    client.send(put('/b', 'y'))
    await peer.until('y')
    peer.send(ok('nobody sees this'))
    watched.release!({ status: 503, headers: ['A', 'b'], body: 'no log' })
    assert.equal(
      (await client.until('no log')).slice(ok('held').length),
      'HTTP/1.1 503 Service Unavailable\r\nA: b\r\ncontent-length: 6\r\n\r\nno log',
    )
    client.send(put('/c', 'z'))
    await peer.until('z')
    assert.equal(source.peers.length, 1, 'the connection lives on')
  })
})

test('a request that is refused at its beginning never reaches the source', async () => {
  const refusal: Refusal = { status: 503, headers: [], body: 'full' }
  const observer: ExchangeObserver = {
    begin: ({ target }) => (target === '/no' ? refusal : undefined),
  }
  await withProxy({ observer }, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(put('/no', 'body') + get('/yes'))
    const peer = await source.take()
    assert.equal(await peer.until('\r\n\r\n'), get('/yes'))
    peer.send(ok('yes'))
    const refused = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nfull'
    assert.equal(await client.until('yes'), refused + ok('yes'))
    client.send('PUT /no HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n')
    assert.match(
      (await client.end()).slice((refused + ok('yes')).length),
      /connection: close\r\n\r\nfull$/,
    )
  })
})

test('when the client is gone a write is awaited for the record, and a read is given up', async () => {
  const watched: Watched = { calls: [] }
  await withProxy({ observer: watching(watched, true) }, async (source, proxy) => {
    const writer = await proxy.connect()
    writer.send(put('/a', 'x'))
    const writing = await source.take()
    await writing.until('x')
    writer.socket.resetAndDestroy()
    const reader = await proxy.connect()
    reader.send(get('/_search'))
    const reading = await source.take()
    await reading.until('_search')
    reader.socket.resetAndDestroy()
    await reading.end()
    assert.ok(!writing.isEnded)
    writing.send(ok('written'))
    await writing.end()
    assert.deepEqual(watched.calls.slice(-3), [
      'response 200 Content-Length=7',
      'response written',
      'end true',
    ])
    assert.ok(watched.calls.includes('end false'))
  })
})

test('a client that goes away in the middle of its request takes the request with it', async () => {
  const watched: Watched = { calls: [] }
  await withProxy({ observer: watching(watched, true) }, async (source, proxy) => {
    const client = await proxy.connect()
    client.send('PUT /a HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc')
    const peer = await source.take()
    await peer.until('abc')
    client.socket.end()
    await peer.end()
    assert.deepEqual(watched.calls.slice(1), ['request abc', 'end false'])
  })
})

test('neither side is read faster than the other takes it', async () => {
  const bytes = 96 * 1024 * 1024
  await withProxy({}, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(`PUT /a HTTP/1.1\r\nContent-Length: ${bytes}\r\n\r\n`)
    const peer = await source.take()
    await peer.until('\r\n\r\n')
    peer.socket.removeAllListeners('data').pause()
    const piece = Buffer.alloc(1024 * 1024, 'x')
    let sent = 0
    const flowing = new Promise<void>((done) => {
      const push = (): void => {
        while (sent < bytes) {
          sent += piece.length
          if (!client.socket.write(piece)) return void client.socket.once('drain', push)
        }
        done()
      }
      push()
    })
    // Until the buffers of all sockets are full.
    for (let before = -1; sent !== before;) {
      before = sent
      await new Promise((done) => setTimeout(done, 200))
    }
    assert.ok(sent < bytes / 3, `${sent} of ${bytes} bytes went into buffers`)
    let came = 0
    const all = new Promise<void>((done) => {
      peer.socket.on('data', (data: Buffer) => {
        came += data.length
        if (came === bytes) done()
      })
    })
    peer.socket.resume()
    await Promise.all([flowing, all])
  })
})

test('what does not come in its time is given up: heads, bodies, and requests on idle connections', async () => {
  const limits: Partial<ProxyLimits> = { headTimeoutMs: 50, stallTimeoutMs: 50, idleTimeoutMs: 50 }
  await withProxy({ limits }, async (_source, proxy) => {
    const [head, body, idle] = await Promise.all([
      proxy.connect(),
      proxy.connect(),
      proxy.connect(),
    ])
    head.send('GET / HT')
    body.send('PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab')
    assert.equal(statusOf(await head.end()), 408)
    assert.equal(statusOf(await body.end()), 408)
    assert.equal(await idle.end(), '')
  })
})

test('an empty line behind a request leaves its connection the time of an idle one', async () => {
  const limits: Partial<ProxyLimits> = { headTimeoutMs: 50 }
  await withProxy({ limits }, async (source, proxy) => {
    const client = await proxy.connect()
    client.send(get('/a') + '\r\n')
    const peer = await source.take()
    await peer.until('/a')
    peer.send(ok('a'))
    await client.until(ok('a'))
    for (let ticks = 0; ticks < 2; ticks++) {
      const { now } = proxy.core
      while (proxy.core.now === now) await new Promise((done) => setTimeout(done, 10))
    }
    client.send(get('/b'))
    await peer.until('/b')
  })
})

test('draining: the next answer is the last one and says so, idle connections end with the time', async () => {
  const source = await RawServer.start()
  const proxy = await startTestProxy(source.port, { limits: { drainTimeoutMs: 300 } })
  const [busy, idle] = await Promise.all([proxy.connect(), proxy.connect()])
  busy.send(put('/a', 'x'))
  const peer = await source.take()
  await peer.until('x')
  const drained = proxy.core.drain()
  peer.send(ok('a', 'connection: keep-alive\r\n'))
  assert.equal(
    await busy.end(),
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na',
  )
  busy.socket.end()
  assert.equal(await idle.end(), '')
  idle.socket.end()
  await drained
  await source.close()
  await proxy.close()
})

test('connections above the bound are told so', async () => {
  await withProxy({ limits: { connectionsMax: 1 } }, async (_source, proxy) => {
    await proxy.connect()
    const second = await proxy.connect()
    assert.match(await second.end(), /^HTTP\/1\.1 503 [^]*osmigrate_too_many_connections/)
  })
})
