import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MigrationError } from '../base/errors.ts'
import { syncMetricsText } from './metrics.ts'
import type { SyncStatus } from './status.ts'

const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 }
const connectionsMax = 64

/**
 * Where sync tells of itself:
 *
 *   GET /health    200
 *   GET /status    SyncStatus as JSON
 *   GET /metrics   text form of Prometheus
 *
 * It takes no commands, and tells of no documents: names of indices and causes of waits are all.
 */
export class StatusServer {
  readonly #server: Server

  /** Listens; port 0: any free one. Throws MA_CONFIG for an address that cannot be had. */
  static async open(
    { host, port }: { host: string; port: number },
    status: () => SyncStatus,
  ): Promise<StatusServer> {
    const server = createServer(limits, ({ method, url = '/' }, response) => {
      const path = url.split('?')[0]
      if (method !== 'GET') return send(response, 405, 'text/plain', 'only GET\n')
      if (path === '/health') return send(response, 200, 'application/json', '{"status":"ok"}')
      if (path === '/status')
        return send(response, 200, 'application/json', JSON.stringify(status()))
      if (path === '/metrics') return send(response, 200, metricsType, syncMetricsText(status()))
      send(response, 404, 'text/plain', 'there are /health, /status and /metrics\n')
    })
    server.maxConnections = connectionsMax
    server.listen({ host, port })
    try {
      await once(server, 'listening')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new MigrationError(
        'MA_CONFIG',
        `sync cannot listen on ${host}:${port} (${code}): choose another sync.listen, or off`,
        { cause: error },
      )
    }
    return new StatusServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(text)
}
