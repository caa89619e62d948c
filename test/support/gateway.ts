/**
 * An HTTP gateway in front of a real engine, of the kind that looks into what it carries (a web application firewall,
 * a caching proxy): it may answer itself, or change the engine's answer. Bodies go through memory: for tests only.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface GatewayAnswer {
  readonly status: number
  readonly body: string
}

export interface Gateway {
  readonly url: string
  close(): Promise<void>
}

/** `interfere` sees each request, may forward it, and gives the answer that the client gets. */
export async function startGateway(
  engineUrl: string,
  interfere: (
    request: { path: string; body: string },
    forward: () => Promise<GatewayAnswer>,
  ) => Promise<GatewayAnswer>,
): Promise<Gateway> {
  const carry = async (request: http.IncomingMessage): Promise<GatewayAnswer> => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    const { method = 'GET', url: path = '/' } = request
    const forward = async (): Promise<GatewayAnswer> => {
      const answer = await fetch(engineUrl + path, {
        method,
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
        ...(body !== '' && { body }),
      })
      return { status: answer.status, body: await answer.text() }
    }
    return interfere({ path, body }, forward)
  }
  const server = http.createServer((request, response) => {
    carry(request).then(
      ({ status, body }) => response.writeHead(status).end(body),
      () => response.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
