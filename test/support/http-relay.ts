/**
 * An HTTP relay in front of a real server that answers some requests itself, as recorded from services that cannot be
 * had here. What it relays it relays byte for byte, headers included, so that signatures stay valid.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RecordedAnswer {
  readonly status: number
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string
}

export interface HttpRelay {
  readonly url: string
  /** Method and path of every request, in order. */
  readonly requests: string[]
  /** Asked for each request; undefined: relay it. */
  answer: (request: http.IncomingMessage) => RecordedAnswer | undefined
  /** Asked for each request that is relayed: how long it is held back before. */
  delayMs: (request: http.IncomingMessage) => number
  close(): Promise<void>
}

export async function startHttpRelay(port: number): Promise<HttpRelay> {
  const server = http.createServer((request, response) => {
    relay.requests.push(`${request.method} ${request.url}`)
    const own = relay.answer(request)
    if (own !== undefined) {
      response.writeHead(own.status, own.headers).end(own.body)
      return
    }
    const { method, url: path, headers } = request
    const onward = http.request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    // A client that has gone leaves nothing open behind.
    response.on('close', () => onward.destroy())
    const delayMs = relay.delayMs(request)
    if (delayMs === 0) request.pipe(onward)
    else setTimeout(() => request.pipe(onward), delayMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay: HttpRelay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: () => undefined,
    delayMs: () => 0,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return relay
}
