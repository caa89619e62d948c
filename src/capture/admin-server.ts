import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader } from '../traffic/capture-log.ts'
import { sendJson } from './admin-answer.ts'
import { answerBehind, answerReleased, answerStreams, serveRecords } from './admin-log.ts'
import { metricsContentType } from './metrics-text.ts'
import type { CaptureStatus } from './status.ts'

/** What the admin port tells and does; the proxy gives it. */
export interface AdminHandlers {
  /** Without a token: whether clients are served. Nothing else may stand in it. */
  health(): { readonly status: 'ok' | 'draining' }
  status(): CaptureStatus
  /** In Prometheus' text form. */
  metrics(): string
  /** Asked for, and answered before it is done. */
  stop(): void
  drain(): void
  /** Reads certificates again; throws what is wrong with them. */
  reload(): Promise<void>
  /** Absent where the log is in Kafka, which its readers ask themselves. */
  readonly log?: CaptureLogReader
}

export interface AdminOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Asked of everybody, for everything but `/health`. */
  readonly token: string
  /** PEM texts. With `clientCa` only clients with a certificate of it are heard. */
  readonly tls?: AdminTls
}

export interface AdminTls {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string
}

const limits = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 30_000 }
const connectionsMax = 128
const tokenLengthMin = 16

type Route = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => unknown

/**
 * The port by which a proxy is watched and steered, and by which sync reads its local log:
 *
 *   GET  /health                              no token
 *   GET  /status        CaptureStatus as JSON
 *   GET  /metrics       text form of Prometheus
 *   GET  /log/streams   {streams: [{oldest, end}]}
 *   GET  /log/records?stream=&from=&follow=   log-stream.ts
 *   GET  /log/behind?stream=&from=            {bytes}
 *   POST /log/release   {stream, offset}
 *   POST /reload, /drain, /stop
 */
export class AdminServer {
  readonly #server: Server
  readonly #tokenHash: Buffer
  readonly #routes: ReadonlyMap<string, Route>
  readonly #handlers: AdminHandlers
  /** Ends the answers that follow the log. */
  readonly #closing = new AbortController()

  private constructor(server: Server, options: AdminOptions, handlers: AdminHandlers) {
    this.#server = server
    this.#tokenHash = hashOf(options.token)
    this.#handlers = handlers
    this.#routes = this.#table()
    server.maxConnections = connectionsMax
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => fail(response, error))
    })
  }

  /** Listens. Throws MA_CONFIG for an address that cannot be had, or a token that can be guessed. */
  static async open(options: AdminOptions, handlers: AdminHandlers): Promise<AdminServer> {
    if (options.token.length < tokenLengthMin) {
      const text = `capture.admin.token has fewer than ${tokenLengthMin} characters: \`openssl rand -hex 32\` makes one`
      throw new MigrationError('MA_CONFIG', text)
    }
    const { tls } = options
    const server =
      tls === undefined ? createServer(limits) : createTlsServer({ ...limits, ...tlsOptions(tls) })
    const admin = new AdminServer(server, options, handlers)
    server.listen({ host: options.host, port: options.port })
    try {
      await once(server, 'listening')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const place = `${options.host}:${options.port}`
      const text = `the admin port cannot listen on ${place} (${code}): choose another capture.admin.listen`
      throw new MigrationError('MA_CONFIG', text, { cause: error })
    }
    return admin
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  /** Connections made from now on see the new certificate. */
  useTls(tls: AdminTls): void {
    const server = this.#server as Server & { setSecureContext?: (options: object) => void }
    server.setSecureContext?.(tlsOptions(tls))
  }

  async close(): Promise<void> {
    this.#closing.abort(new MigrationError('MA_STOPPED', 'the proxy stops', { retryable: true }))
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    setTimeout(() => this.#server.closeAllConnections(), 1000).unref()
    await closed
  }

  #table(): Map<string, Route> {
    const handlers = this.#handlers
    const { log } = handlers
    const routes = new Map<string, Route>([
      ['GET /status', (_request, response) => sendJson(response, 200, handlers.status())],
      ['GET /metrics', (_request, response) => sendText(response, handlers.metrics())],
      [
        'POST /reload',
        async (_request, response) => {
          await handlers.reload()
          sendJson(response, 200, {})
        },
      ],
      [
        'POST /drain',
        (_request, response) => {
          handlers.drain()
          sendJson(response, 202, {})
        },
      ],
      [
        'POST /stop',
        (_request, response) => {
          handlers.stop()
          sendJson(response, 202, {})
        },
      ],
    ])
    if (log === undefined) return routes
    const { signal } = this.#closing
    routes.set('GET /log/streams', (_request, response) => answerStreams(log, response))
    routes.set('GET /log/records', (_request, response, query) =>
      serveRecords(log, { response, query, signal }),
    )
    routes.set('GET /log/behind', (_request, response, query) =>
      answerBehind(log, { response, query }),
    )
    routes.set('POST /log/release', (request, response) =>
      answerReleased(log, { request, response }),
    )
    return routes
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '', 'http://admin')
    const route = `${request.method} ${url?.pathname}`
    if (route === 'GET /health') return sendHealth(response, this.#handlers.health())
    if (!this.#isKnown(request.headers.authorization)) {
      response.setHeader('www-authenticate', 'Bearer')
      return sendJson(response, 401, { error: 'the token of capture.admin.token is asked for' })
    }
    const answer = this.#routes.get(route)
    if (answer === undefined) return sendJson(response, 404, { error: `there is no ${route} here` })
    await answer(request, response, url!.searchParams)
  }

  #isKnown(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
    // Hashes have one length, and comparing them tells nothing of the token.
    return token !== undefined && timingSafeEqual(hashOf(token), this.#tokenHash)
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function tlsOptions({ cert, key, clientCa }: AdminTls): object {
  return {
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
}

function sendHealth(response: ServerResponse, health: { status: 'ok' | 'draining' }): void {
  sendJson(response, health.status === 'ok' ? 200 : 503, health)
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': metricsContentType, 'cache-control': 'no-store' })
  response.end(text)
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { code, message } = error as MigrationError
  const known = error instanceof MigrationError
  const status = known && (code === 'MA_CONFIG' || code === 'MA_SECRET') ? 400 : 500
  sendJson(response, status, { error: known ? message : 'the proxy failed', code })
}
