import { channel } from 'node:diagnostics_channel'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { answerError, engineErrorOf } from './answer-errors.ts'
import { backoffMs, retryAfterMs, stoppedError, systemClock } from './backoff.ts'
import type { Clock } from './backoff.ts'
import type {
  Answer,
  Cluster,
  ClusterOptions,
  EngineVersion,
  RequestOptions,
  Side,
} from './cluster.ts'
import { neverSent } from './connection-errors.ts'
import { resolveAuth, resolveTls } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { isExpiredIdentity } from './sigv4.ts'
import { Transport } from './transport.ts'
import type { RawAnswer } from './transport.ts'
import { detectVersion, explainSilence } from './version.ts'

/** A control call that is about to be sent again. */
export interface Retry {
  readonly side: Side
  /** Method and path. */
  readonly request: string
  /** 1 for the first that failed. */
  readonly attempt: number
  readonly reason: string
  readonly waitMs: number
}

/** Told of each Retry. */
export const retryChannel = channel('osmigrate.cluster.retry')

const requestTimeoutMsDefault = 120_000
const attemptsMaxDefault = 6
const backoffBaseMs = 200
const backoffMaxMs = 10_000
const busyStatuses: readonly number[] = [429, 502, 503, 504]

/**
 * Connects to a cluster: resolves the secrets, asks for engine and version, and gives the one transport that control
 * calls and bulk share. `signal` stops the connecting only.
 *
 * Errors: MA_CONFIG, MA_SECRET for the options; MA_CLUSTER_UNREACHABLE, MA_CLUSTER_AUTH for the way there;
 * MA_CLUSTER_KIND where something answers that is neither Elasticsearch nor OpenSearch.
 */
export async function connectCluster(
  side: Side,
  options: ClusterOptions,
  signal?: AbortSignal,
  clock: Clock = systemClock,
): Promise<Cluster> {
  const urls = parseUrls(side, options.url)
  const tls = await resolveTls(side, options.tls)
  const credentials = await resolveAuth(side, options.auth, options.tls)
  const scheme = urls[0]!.protocol as 'http:' | 'https:'
  const transport = new Transport(side, scheme, tls, options.socketsMax)
  const timeoutMs = options.requestTimeoutMs ?? requestTimeoutMsDefault
  const connection = new HttpCluster({ side, urls, transport, credentials, timeoutMs, clock })
  try {
    await connection.connect(signal)
    return connection
  } catch (error) {
    await connection.close()
    throw await explainSilence(side, connection.url, error)
  }
}

function parseUrls(side: Side, texts: readonly string[]): URL[] {
  const refuse = (why: string): never => {
    throw new MigrationError('MA_CONFIG', `${side}.url: ${why}`)
  }
  if (texts.length === 0) refuse('at least one address is needed, e.g. https://host:9200')
  const urls = texts.map((text) => {
    // A text that is no URL may hold a password: it is not repeated.
    if (!URL.canParse(text)) return refuse('not a URL; write it as https://host:9200')
    const url = new URL(text)
    if (url.username !== '' || url.password !== '') {
      refuse(`credentials do not belong into the address; put them into ${side}.auth`)
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      refuse(`${url.protocol}// is not known; write http:// or https://`)
    }
    if (url.search !== '' || url.hash !== '') refuse(`${url.origin} must end with its path`)
    url.pathname = url.pathname.replace(/\/+$/, '')
    return url
  })
  if (urls.some((url) => url.protocol !== urls[0]!.protocol)) {
    refuse('all addresses must be http:// or all https://')
  }
  return urls
}

interface Parts {
  readonly side: Side
  readonly urls: readonly URL[]
  readonly transport: Transport
  readonly credentials: Credentials
  readonly timeoutMs: number
  readonly clock: Clock
}

class HttpCluster implements Cluster {
  readonly side: Side
  readonly #parts: Parts
  /** Position in `urls` of the one in use. */
  #current = 0
  #version: EngineVersion | undefined

  constructor(parts: Parts) {
    this.side = parts.side
    this.#parts = parts
  }

  get url(): string {
    return this.#parts.urls[this.#current]!.href.replace(/\/$/, '')
  }

  get version(): EngineVersion {
    if (this.#version === undefined) throw new Error('asked for the version before connecting')
    return this.#version
  }

  async connect(signal: AbortSignal | undefined): Promise<void> {
    this.#version = await detectVersion(this, signal)
  }

  async request<T = JsonObject>(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer<T>> {
    const headers = { 'accept-encoding': 'gzip', ...options.headers }
    const answer = await this.requestRaw(method, path, { ...options, headers })
    return { ...answer, body: this.#parsed(answer, `${method} ${path}`) as T }
  }

  async requestRaw(
    method: string,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer<Buffer>> {
    const answer = await this.#withRetries(method, path, options)
    const accepted =
      options.accept === 'any' ||
      (answer.status >= 200 && answer.status < 300) ||
      options.accept?.includes(answer.status) === true
    if (!accepted) throw this.refused(answer, `${method} ${path}`)
    return answer
  }

  async close(): Promise<void> {
    this.#parts.transport.close()
  }

  async #withRetries(method: string, path: string, options: RequestOptions): Promise<RawAnswer> {
    const idempotent = method === 'GET' || method === 'HEAD' || options.repeatable === true
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= (options.attemptsMax ?? attemptsMaxDefault)
      let answer: RawAnswer | undefined
      let failure: unknown
      try {
        answer = await this.#onReachable(method, path, options)
        if (!idempotent || last || !busyStatuses.includes(answer.status)) return answer
      } catch (error) {
        failure = error
        if (last || !maySendAgain(error, idempotent)) throw error
      }
      await this.#pause({ attempt, request: `${method} ${path}`, answer, failure }, options.signal)
    }
  }

  async #pause(
    why: { attempt: number; request: string; answer: RawAnswer | undefined; failure: unknown },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { attempt, request, answer, failure } = why
    const { clock } = this.#parts
    const retryAfter = retryAfterMs(answer?.headers['retry-after'])
    const waitMs = backoffMs(
      { attempt, baseMs: backoffBaseMs, maxMs: backoffMaxMs, retryAfterMs: retryAfter },
      () => clock.random(),
    )
    const reason = answer === undefined ? (failure as Error).message : `status ${answer.status}`
    const retry: Retry = { side: this.side, request, attempt, reason, waitMs }
    retryChannel.publish(retry)
    try {
      await clock.sleep(waitMs, signal)
    } catch (error) {
      if (signal?.aborted === true) throw stoppedError(`waiting to repeat ${request}`, signal)
      throw error
    }
  }

  /** Tries the addresses in turn, from the one in use on, as long as the request surely has not arrived. */
  async #onReachable(method: string, path: string, options: RequestOptions): Promise<RawAnswer> {
    const { urls } = this.#parts
    const failures: unknown[] = []
    for (let tried = 0; tried < urls.length; tried++) {
      const position = this.#current
      try {
        return await this.#send(urls[position]!, method, path, options)
      } catch (error) {
        if (!neverSent(error)) throw error
        failures.push(error)
        // Another request may have moved on already.
        if (this.#current === position) this.#current = (position + 1) % urls.length
      }
    }
    throw noneReachable(this.side, failures)
  }

  async #send(
    base: URL,
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<RawAnswer> {
    const { transport, credentials, timeoutMs } = this.#parts
    const { sign, authorization } = credentials
    const url = new URL(`${base.href.replace(/\/$/, '')}${path}`)
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const { body: given, signal } = options
    const isNdjson = Buffer.isBuffer(given)
    const body = given === undefined || isNdjson ? given : Buffer.from(JSON.stringify(given))
    const headers: { [name: string]: string | number } = {
      ...(body !== undefined && {
        'content-type': isNdjson ? 'application/x-ndjson' : 'application/json',
        'content-length': body.length,
      }),
      ...(authorization !== undefined && { authorization }),
      ...options.headers,
    }
    const exchange = { method, body, timeoutMs: options.timeoutMs ?? timeoutMs, signal }
    if (sign === undefined) return transport.send({ ...exchange, url, headers })
    const send = async (again: boolean): Promise<RawAnswer> => {
      const signed = await sign({ method, url, body }, { again })
      const all = { ...headers, ...signed.headers }
      return transport.send({ ...exchange, url: signed.url, headers: all })
    }
    const answer = await send(false)
    return isExpiredIdentity(answer) ? send(true) : answer
  }

  #parsed(answer: Answer<Buffer>, request: string): unknown {
    if (answer.body.length === 0) return {}
    try {
      return JSON.parse(answer.body.toString('utf8'))
    } catch (error) {
      // An accepted status may carry text (a proxy's 404 page); the caller looks at the status.
      if (answer.status < 200 || answer.status >= 300) return {}
      throw new MigrationError(
        'MA_CLUSTER_RESPONSE',
        `${this.side} ${this.url} answered ${request} with something that is not JSON: ` +
          JSON.stringify(answer.body.toString('utf8', 0, 200)),
        { cause: error, details: { status: answer.status, request, url: this.url } },
      )
    }
  }

  refused(answer: Answer<Buffer>, request: string): MigrationError {
    const { identity } = this.#parts.credentials
    const error = engineErrorOf(answer.status, answer.body)
    return answerError(error, { side: this.side, url: this.url, request, identity })
  }
}

function maySendAgain(error: unknown, idempotent: boolean): boolean {
  return (
    error instanceof MigrationError &&
    error.code === 'MA_CLUSTER_UNREACHABLE' &&
    error.retryable &&
    (idempotent || neverSent(error))
  )
}

function noneReachable(side: Side, failures: readonly unknown[]): unknown {
  const errors = failures.filter((error) => error instanceof MigrationError)
  if (errors.length === 1) return errors[0]
  const reasons = errors.map((error) => error.message.replace(`${side} `, ''))
  return new MigrationError(
    'MA_CLUSTER_UNREACHABLE',
    `${side}: none of the ${reasons.length} addresses can be reached: ${reasons.join('; ')}`,
    {
      cause: errors[0],
      details: { ...errors[0]?.details },
      retryable: errors.some((error) => error.retryable),
    },
  )
}
