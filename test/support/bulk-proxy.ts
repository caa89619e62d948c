/**
 * An HTTP relay in front of a real engine that knows `_bulk`: it counts the documents that pass, and lets a test
 * answer a bulk itself, keep it from the engine for ever, or look at it before and after.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenBulk {
  /** 1 for the first bulk that came. */
  readonly number: number
  /** `_id` of each item. */
  readonly ids: readonly string[]
}

/** What becomes of a bulk: relayed; never relayed and never answered; or refused as a whole with a status. */
export type BulkFate = 'relay' | 'hold' | { readonly status: number; readonly body?: string }

export interface BulkProxy {
  readonly url: string
  /** Asked for each bulk before the engine sees it. */
  fate: (bulk: SeenBulk) => BulkFate
  /** Told when the engine's answer to a bulk has been passed on. */
  onAnswered: (bulk: SeenBulk) => void
  /** How often each document was relayed to the engine. */
  readonly relayed: Map<string, number>
  /** Bulks that came since the start, or since it was set to 0. */
  bulks: number
  close(): Promise<void>
}

export async function startBulkProxy(enginePort: number): Promise<BulkProxy> {
  const agent = new http.Agent({ keepAlive: true })
  const relay = (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    body: Buffer,
  ): Promise<void> =>
    new Promise((resolve) => {
      const { method, url: path, headers } = request
      const target = { host: '127.0.0.1', port: enginePort, method, path, headers, agent }
      const onward = http.request(target, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
        answer.on('close', resolve)
      })
      onward.on('error', () => {
        response.destroy()
        resolve()
      })
      onward.end(body)
    })

  const serve = async (
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> => {
    const body = await readBody(request)
    if (!/\/_bulk(\?|$)/.test(request.url ?? '')) return relay(request, response, body)
    const bulk = { number: ++proxy.bulks, ids: idsOf(body) }
    const fate = proxy.fate(bulk)
    if (fate === 'hold') return
    if (fate !== 'relay') {
      response.writeHead(fate.status, { 'content-type': 'application/json' })
      response.end(fate.body ?? '{"error":{"type":"made_by_test","reason":"made by the test"}}')
      return
    }
    for (const id of bulk.ids) proxy.relayed.set(id, (proxy.relayed.get(id) ?? 0) + 1)
    await relay(request, response, body)
    proxy.onAnswered(bulk)
  }

  const server = http.createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: BulkProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fate: () => 'relay',
    onAnswered: () => {},
    relayed: new Map(),
    bulks: 0,
    close: async () => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function idsOf(body: Buffer): string[] {
  const lines = body.toString('utf8').split('\n')
  return lines.flatMap((line, i) => {
    if (i % 2 !== 0 || line === '') return []
    const [action] = Object.values(JSON.parse(line) as { [kind: string]: { _id: string } })
    return [action!._id]
  })
}
