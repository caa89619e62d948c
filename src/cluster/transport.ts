import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import type { MigrationError } from '../base/errors.ts'
import { stoppedError } from './backoff.ts'
import {
  answerTooLargeError,
  badEncodingError,
  connectionError,
  timeoutError,
} from './connection-errors.ts'

/** PEM texts of the certificates in use. */
export interface TlsMaterial {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly insecure: boolean
}

export interface Exchange {
  readonly method: string
  readonly url: URL
  readonly headers: { readonly [name: string]: string | number }
  readonly body?: Buffer | undefined
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An answer is held in memory whole; the largest legitimate ones (mappings of thousands of indices) are far below. */
const answerBytesMax = 512 * 1024 * 1024
const connectTimeoutMs = 10_000
/** Below the 60 s after which common load balancers forget an idle connection without a word. */
const idleSocketTimeoutMs = 30_000
const socketsMaxDefault = 64

/** One keep-alive agent; a request is one write of header and body, the body never copied. */
export class Transport {
  readonly side: string
  readonly #tls: TlsMaterial
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof httpRequest

  constructor(
    side: string,
    scheme: 'http:' | 'https:',
    tls: TlsMaterial,
    maxSockets = socketsMaxDefault,
  ) {
    this.side = side
    this.#tls = tls
    const pool = { keepAlive: true, maxSockets, timeout: idleSocketTimeoutMs }
    if (scheme === 'https:') {
      const { ca, cert, key, insecure } = tls
      this.#agent = new HttpsAgent({ ...pool, ca, cert, key, rejectUnauthorized: !insecure })
      this.#request = httpsRequest
    } else {
      this.#agent = new HttpAgent(pool)
      this.#request = httpRequest
    }
  }

  /**
   * Sends one request and reads its whole answer, whatever its status.
   * Errors: MA_STOPPED, else MA_CLUSTER_UNREACHABLE whose details say whether the request may have arrived (`sent`).
   */
  async send(exchange: Exchange): Promise<RawAnswer> {
    const answer = await this.#exchange(exchange)
    return { ...answer, body: await decoded(answer, this.#where(exchange)) }
  }

  close(): void {
    this.#agent.destroy()
  }

  #where(exchange: Exchange): string {
    return `${this.side} ${exchange.url.origin}`
  }

  // One promise, many ways to end: the first one counts, and each of them lets go of timers, socket and signal.
  #exchange(exchange: Exchange): Promise<RawAnswer> {
    const { method, url, headers, body, timeoutMs, signal } = exchange
    const where = this.#where(exchange)
    const doing = `waiting for ${where} (${method} ${url.pathname})`
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(stoppedError(doing, signal))
      let connected = false
      const options: RequestOptions = { method, headers, agent: this.#agent }
      const request = this.#request(url, options)
      const fail = (error: MigrationError): void => {
        release()
        reject(error)
        request.destroy()
      }
      const failed = (error: Error): void =>
        fail(connectionError(error, { side: this.side, url, sent: connected, tls: this.#tls }))
      const onAbort = (): void => fail(stoppedError(doing, signal!))
      const timer = setTimeout(() => {
        fail(timeoutError({ where, what: `${method} ${url.pathname}`, ms: timeoutMs, sent: true }))
      }, timeoutMs)
      const connectTimer = setTimeout(() => {
        const ms = connectTimeoutMs
        if (!connected) fail(timeoutError({ where, what: 'the connection', ms, sent: false }))
      }, connectTimeoutMs)
      const release = (): void => {
        clearTimeout(timer)
        clearTimeout(connectTimer)
        signal?.removeEventListener('abort', onAbort)
        // A destroyed socket may still report its end: that is no news any more.
        request.on('error', () => {})
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      request.on('error', failed)
      request.on('socket', (socket) => {
        const onConnect = (): void => {
          connected = true
          clearTimeout(connectTimer)
        }
        const event = url.protocol === 'https:' ? 'secureConnect' : 'connect'
        if (request.reusedSocket) onConnect()
        else socket.once(event, onConnect)
      })
      request.on('response', (response) => {
        collect(response, {
          done: (bytes) => {
            release()
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes })
          },
          failed,
          tooLarge: () =>
            fail(answerTooLargeError(where, `${method} ${url.pathname}`, answerBytesMax)),
        })
      })
      request.end(body)
    })
  }
}

interface Collecting {
  done(bytes: Buffer): void
  failed(error: Error): void
  tooLarge(): void
}

function collect(response: IncomingMessage, on: Collecting): void {
  const chunks: Buffer[] = []
  let byteCount = 0
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    byteCount += chunk.length
    if (byteCount > answerBytesMax) on.tooLarge()
  })
  response.on('error', (error) => on.failed(error))
  response.on('end', () => {
    // A connection cut in the middle of an answer ends the stream too, but not the message.
    if (!response.complete) return on.failed(new Error('the answer was cut off'))
    on.done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, byteCount))
  })
}

const inflaters = { gzip: promisify(gunzip), deflate: promisify(inflate) }

async function decoded(answer: RawAnswer, where: string): Promise<Buffer> {
  const encoding = answer.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity' || answer.body.length === 0) {
    return answer.body
  }
  if (encoding !== 'gzip' && encoding !== 'deflate') throw badEncodingError(where, encoding)
  try {
    return await inflaters[encoding](answer.body, { maxOutputLength: answerBytesMax })
  } catch (error) {
    throw badEncodingError(where, encoding, error)
  }
}
