import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { mixture, smuggled } from '../../test/fuzz/targets-http.ts'
import { chunksAt, headBytesMax } from '../../test/support/http-messages.ts'
import { startTestProxy } from '../../test/support/raw-http.ts'
import { randomSource } from '../../test/support/random-json.ts'
import type { ExchangeObserver } from './observer.ts'

/** Good and hostile requests through a proxy to a lenient server: what is recorded is what the server was asked. */
const seeds = [1, Date.now() % 1_000_000]
const runsEach = 150

/** As the server and as the proxy understood the requests of one connection. */
interface Understood {
  readonly server: string[]
  readonly proxy: string[]
}

async function startServer(): Promise<{ server: http.Server; understood: Understood }> {
  const understood: Understood = { server: [], proxy: [] }
  const options = {
    requireHostHeader: false,
    insecureHTTPParser: true,
    maxHeaderSize: headBytesMax,
  }
  const server = http.createServer(options)
  const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const body: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (data: Buffer) => body.push(data))
    request.on('end', () => {
      const text = `${request.method} ${request.url} ${Buffer.concat(body).toString('latin1')}`
      understood.server.push(text)
      response.setHeader('x-number', `<${understood.server.length}>`).end('ok')
    })
  }
  server.on('request', answer).on('checkContinue', answer).on('checkExpectation', answer)
  server.on('clientError', (_error, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, understood }
}

function noting({ proxy }: Understood): ExchangeObserver {
  return {
    begin: ({ method, target }) => {
      const body: Buffer[] = []
      return {
        requestBytes: (bytes) => void body.push(Buffer.from(bytes)),
        requestEnd: (_at, release) => {
          proxy.push(`${method} ${target} ${Buffer.concat(body).toString('latin1')}`)
          release()
        },
        responseHead: () => {},
        responseBytes: () => {},
        end: () => {},
      }
    },
  }
}

for (const seed of seeds) {
  test(`what is recorded is what the source was asked, seed ${seed}`, async (t) => {
    const { server, understood } = await startServer()
    const proxy = await startTestProxy((server.address() as AddressInfo).port, {
      observer: noting(understood),
      forwardedHeaders: true,
    })
    t.after(async () => {
      await proxy.close()
      server.closeAllConnections()
      server.close()
    })
    let answered = 0
    for (let run = 0; run < runsEach; run++) {
      understood.server.length = 0
      understood.proxy.length = 0
      const random = randomSource(seed * 1000 + run)
      const good = mixture(random)
      const bytes = random() < 0.5 ? good : Buffer.from(smuggled(random, good))
      const cuts = Array.from({ length: 3 }, () => Math.floor(random() * bytes.length))
      const client = await proxy.connect()
      for (const chunk of chunksAt(bytes, cuts)) client.send(chunk.toString('latin1'))
      client.send('GET /last HTTP/1.1\r\nConnection: close\r\n\r\n')
      // A request that waits for its rest is ended by the client.
      const isStuck = await Promise.race([client.end().then(() => false), soon()])
      if (isStuck) client.socket.end()
      const text = await client.end()
      client.socket.destroy()
      const what = `run ${run}: ${JSON.stringify(bytes.toString('latin1'))}`
      assert.deepEqual(understood.server, understood.proxy.slice(0, understood.server.length), what)
      const answers = [...text.matchAll(/<(\d+)>/g)].map(([, number]) => Number(number))
      assert.deepEqual(
        answers,
        answers.map((_, i) => i + 1),
        what,
      )
      answered += answers.length
    }
    assert.ok(answered > runsEach, `${answered} answers`)
  })
}

/** True after a while in which a server on this machine has answered. */
function soon(): Promise<true> {
  return new Promise((resolve) => setTimeout(() => resolve(true), 150))
}
