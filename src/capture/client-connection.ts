import type { Socket } from 'node:net'
import { AnswerReader } from './answer-reader.ts'
import { connectionSides } from './metrics.ts'
import type { OpenExchange } from './open-exchange.ts'
import { ownError, refusalBytes } from './own-answers.ts'
import type { ProxyCore } from './proxy-core.ts'
import { RequestReader } from './request-reader.ts'
import type { SourceEvents } from './source-connection.ts'
import { SourceLink } from './source-link.ts'
import { BadMessage } from './wire/bad-message.ts'

/**
 * A connection of a client with its own connection to the source. Requests go one after the other, the next one when the
 * answer is through: what is pipelined waits here, so an answer can never be taken for that of another request.
 *
 *     head → body → answer → head …      any of them → closing → closed
 *
 * `closing`: the last answer is sent, and what the client still sends is read and thrown away, since a connection that is
 * closed with bytes unread is reset, and the reset can overtake the answer.
 */
type Phase = 'head' | 'body' | 'answer' | 'closing' | 'closed'

const lingerMs = 2_000
const clientSide = connectionSides.indexOf('client')
const sourceSide = connectionSides.indexOf('source')

export class ClientConnection implements SourceEvents {
  readonly #core: ProxyCore
  readonly #client: Socket
  readonly #requests: RequestReader
  readonly #answers: AnswerReader
  #phase: Phase = 'head'
  readonly #source: SourceLink
  #exchange: OpenExchange | undefined
  /** What came while the answer to an earlier request was under way. */
  readonly #pipelined: Buffer[] = []
  #pipelinedBytes = 0
  #isClientBlocked = false
  #isConsuming = false
  #isClientPaused = false
  #hasClientEnded = false
  /** Of the core's clock: when what is waited for should have come. */
  #deadline: number

  constructor(core: ProxyCore, client: Socket, number: number) {
    this.#core = core
    this.#client = client
    this.#source = new SourceLink(core, this)
    this.#requests = new RequestReader(core, number, core.editsFor(client))
    this.#answers = new AnswerReader(core.limits.answerHeadBytesMax)
    this.#deadline = core.now + core.limits.idleTimeoutMs
    client.allowHalfOpen = true
    client.on('data', (bytes: Buffer) => this.#onClientData(bytes))
    client.on('drain', () => this.#onClientDrain())
    client.on('end', () => this.#onClientEnd())
    client.on('error', () => {})
    client.on('close', () => this.#onClientClosed())
  }

  get isIdle(): boolean {
    return this.#phase === 'head' && !this.#requests.isWithinHead
  }

  get #isReading(): boolean {
    return this.#phase === 'head' || this.#phase === 'body'
  }

  // ---- from the client

  #onClientData(bytes: Buffer): void {
    this.#core.metrics.add('osmigrate_capture_network_bytes_total', bytes.length, clientSide)
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    if (this.#phase === 'answer' || this.#pipelinedBytes > 0) {
      this.#pipelined.push(bytes)
      this.#pipelinedBytes += bytes.length
      this.#paceClient()
    } else this.#consume(bytes)
  }

  #consume(bytes: Buffer): void {
    this.#isConsuming = true
    try {
      let at = 0
      while (at < bytes.length && this.#phase !== 'closing' && this.#phase !== 'closed') {
        if (this.#phase === 'head') at = this.#readHead(bytes, at)
        else if (this.#phase === 'body') at = this.#readBody(bytes, at)
        else {
          this.#pipelined.unshift(bytes.subarray(at))
          this.#pipelinedBytes += bytes.length - at
          break
        }
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#refuse(error.status, 'malformed_request', error.message)
    } finally {
      this.#isConsuming = false
    }
    this.#paceClient()
  }

  /** Works off what was pipelined, as far as it goes; what is being worked off comes first. */
  #goOn(): void {
    while (!this.#isConsuming && this.#isReading && this.#pipelined.length > 0) {
      const bytes = this.#pipelined.shift()!
      this.#pipelinedBytes -= bytes.length
      this.#consume(bytes)
    }
    if (this.#hasClientEnded) this.#goOnWithoutMore()
    this.#paceClient()
  }

  /** The client has ended its side: what it has sent is answered, and nothing else comes. */
  #goOnWithoutMore(): void {
    if (this.#isConsuming || this.#pipelined.length > 0) return
    const exchange = this.#exchange
    if (exchange?.isRequestWhole === true) return this.#endSource(exchange)
    this.#exchange = undefined
    exchange?.end(false)
    this.#close()
  }

  /** The source is told so, too, unless the answer is awaited for the record. */
  #endSource(exchange: OpenExchange): void {
    if (this.#source.isOpen && !this.#isAwaitedWithoutClient(exchange)) this.#source.end()
  }

  #readHead(bytes: Buffer, at: number): number {
    const { now, limits } = this.#core
    if (!this.#requests.isWithinHead) this.#deadline = now + limits.headTimeoutMs
    const end = this.#requests.readHead(bytes, at, this.#onRequest, this.#send)
    // An empty line is no beginning of a request.
    if (this.isIdle) this.#deadline = now + limits.idleTimeoutMs
    if (this.#exchange !== undefined && this.#requests.isWhole) this.#requestWhole(this.#exchange)
    return end
  }

  #readBody(bytes: Buffer, at: number): number {
    const exchange = this.#exchange!
    this.#deadline = this.#core.now + this.#core.limits.stallTimeoutMs
    const end = this.#requests.readBody(exchange, bytes, at, this.#send)
    if (this.#requests.isWhole && exchange === this.#exchange) this.#requestWhole(exchange)
    return end
  }

  readonly #onRequest = (exchange: OpenExchange): void => {
    this.#exchange = exchange
    this.#phase = 'body'
    this.#deadline = this.#core.now + this.#core.limits.stallTimeoutMs
    this.#answers.start(exchange)
    if (exchange.refusal !== undefined && exchange.request.expectsContinue) {
      this.#answerRefusal(exchange, true)
    }
  }

  #requestWhole(exchange: OpenExchange): void {
    this.#phase = 'answer'
    this.#deadline = Infinity
    if (exchange.refusal !== undefined) {
      exchange.isRequestWhole = true
      this.#answerRefusal(exchange, !exchange.request.isPersistent)
      return
    }
    exchange.requestWhole(() => this.#released(exchange))
    if (exchange.isAnswerWhole) this.#answerWhole(exchange)
  }

  // ---- to the source

  readonly #send = (exchange: OpenExchange, bytes: Buffer): void => {
    this.#source.send(exchange, bytes)
  }

  onSourceOpen(): void {
    const exchange = this.#exchange
    if (exchange !== undefined) {
      this.#source.opened(exchange)
      if (this.#hasClientEnded) this.#goOnWithoutMore()
    }
    this.#paceClient()
  }

  /** Of a client that has ended its side nobody may be there any more: what is sent late would be carried out late. */
  onSourceAway(): void {
    if (this.#hasClientEnded && this.#exchange !== undefined) this.#finish(this.#exchange, false)
  }

  onSourceDrain(): void {
    this.#source.isBlocked = false
    this.#paceClient()
  }

  onSourceUnreachable(reason: string): void {
    this.#source.closed()
    this.#refuse(503, 'source_unreachable', `the source cannot be reached: ${reason}`)
  }

  onSourceClosed(clean: boolean): void {
    this.#source.closed()
    const exchange = this.#exchange
    if (exchange === undefined || (exchange.isAnswerWhole && exchange.isRequestWhole)) return
    if (clean && this.#answers.endsWithConnection && !exchange.isAnswerWhole) {
      this.#answers.finish()
      this.#answerWhole(exchange)
    } else if (exchange.mayResend() && !this.#hasClientEnded) {
      this.#answers.start(exchange)
      this.#source.reopen()
    } else this.#finish(exchange, false)
  }

  // ---- from the source

  onSourceData(bytes: Buffer): void {
    this.#core.metrics.add('osmigrate_capture_network_bytes_total', bytes.length, sourceSide)
    let at = 0
    try {
      while (at < bytes.length) {
        const exchange = this.#exchange
        if (exchange === undefined || exchange.isAnswerWhole) return this.#source.drop()
        at = this.#readAnswer(exchange, bytes, at)
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#refuse(502, 'source_answer', `the source's answer is no HTTP/1.1: ${error.message}`)
    }
  }

  #readAnswer(exchange: OpenExchange, bytes: Buffer, at: number): number {
    exchange.answerBegins()
    const piece = this.#answers.read(bytes, at, this.#core.isDraining)
    if (piece.bytes !== undefined) {
      if (piece.isInterim) this.#write(piece.bytes)
      else this.#pass(exchange, piece.bytes)
    }
    const { end } = piece
    if (!this.#answers.isWhole) return end
    // Bytes that no request asked for would be taken for the answer to the next one.
    if (end < bytes.length) this.#source.drop()
    this.#answerWhole(exchange)
    return bytes.length
  }

  #answerWhole(exchange: OpenExchange): void {
    exchange.isAnswerWhole = true
    exchange.letGo()
    if (exchange.isRequestWhole) exchange.end(true)
    this.#tryFinish(exchange)
  }

  // ---- to the client

  #pass(exchange: OpenExchange, bytes: Buffer): void {
    if (exchange.isWaiting) {
      exchange.keepWaiting(bytes)
      this.#paceSource()
    } else if (exchange.refusal === undefined) {
      exchange.hasAnswered = true
      this.#write(bytes)
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#client.writable) return
    if (this.#client.write(bytes)) return
    this.#isClientBlocked = true
    this.#deadline = this.#core.now + this.#core.limits.stallTimeoutMs
    this.#paceSource()
  }

  #onClientDrain(): void {
    this.#isClientBlocked = false
    if (this.#phase === 'answer') this.#deadline = Infinity
    this.#paceSource()
  }

  #released(exchange: OpenExchange): void {
    if (exchange !== this.#exchange) return
    const waiting = exchange.takeWaiting()
    if (exchange.refusal !== undefined)
      this.#answerRefusal(exchange, !exchange.request.isPersistent)
    else for (const bytes of waiting) this.#pass(exchange, bytes)
    this.#paceSource()
    this.#tryFinish(exchange)
  }

  #answerRefusal(exchange: OpenExchange, close: boolean): void {
    const { refusal, method } = exchange
    if (exchange.hasAnswered) return
    exchange.hasAnswered = true
    this.#core.metrics.add('osmigrate_capture_refused_total')
    this.#write(refusalBytes(refusal!, { method, close: close || this.#core.isDraining }))
    // Without a watch the source was never asked.
    if (exchange.watch === undefined) this.#finish(exchange, !close && !this.#core.isDraining)
  }

  #tryFinish(exchange: OpenExchange): void {
    if (!exchange.isAnswerWhole || exchange.isWaiting || exchange !== this.#exchange) return
    const { request, answer } = exchange
    if (!exchange.isRequestWhole) {
      // Told "no" in the place of "go on", the client may leave the body out: what follows could be anything.
      if (request.expectsContinue && !exchange.hasBody) this.#finish(exchange, false)
      return
    }
    const persists =
      request.isPersistent &&
      answer?.isPersistent === true &&
      !this.#answers.endsWithConnection &&
      !this.#answers.saidClose
    this.#finish(exchange, persists)
  }

  /** The exchange is over, one way or the other. */
  #finish(exchange: OpenExchange, persists: boolean): void {
    exchange.end(false)
    this.#exchange = undefined
    const isLast = this.#hasClientEnded && !this.#isConsuming && this.#pipelined.length === 0
    if (!persists || isLast) return this.#close()
    this.#phase = 'head'
    this.#deadline = this.#core.now + this.#core.limits.idleTimeoutMs
    if (this.#pipelined.length > 0) this.#goOn()
  }

  /** Answers by itself, if nothing has been answered yet, and closes. */
  #refuse(status: number, type: string, reason: string): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.end(false)
    if (exchange?.hasAnswered !== true && this.#client.writable) {
      this.#core.metrics.add('osmigrate_capture_refused_total')
      const refusal = ownError(status, type, reason)
      this.#client.write(refusalBytes(refusal, { method: exchange?.method ?? 'GET', close: true }))
    }
    this.#close()
  }

  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    if (this.#client.destroyed) return this.#gone()
    const core = this.#core
    this.#phase = 'closing'
    this.#deadline = core.now + core.limits.stallTimeoutMs
    this.#pipelined.length = 0
    this.#pipelinedBytes = 0
    this.#source.drop()
    this.#client.end(() => (this.#deadline = core.now + lingerMs))
    this.#isClientPaused = false
    this.#client.resume()
  }

  #gone(): void {
    this.#phase = 'closed'
    this.#source.drop()
    this.#core.closed(this)
  }

  // ---- the client hangs up

  #onClientEnd(): void {
    this.#hasClientEnded = true
    const exchange = this.#exchange
    const isAnswered = this.#source.isAtHand || exchange?.isAnswerWhole === true
    if (exchange !== undefined && !isAnswered) return this.#finish(exchange, false)
    this.#goOnWithoutMore()
  }

  #onClientClosed(): void {
    this.#hasClientEnded = true
    const exchange = this.#exchange
    if (exchange?.isRequestWhole === true && this.#isAwaitedWithoutClient(exchange)) {
      exchange.takeWaiting()
      this.#isClientBlocked = false
      this.#deadline = this.#core.now + this.#core.limits.abandonedTimeoutMs
      this.#paceSource()
      if (!exchange.isAnswerWhole) return
    }
    this.#exchange = undefined
    exchange?.end(false)
    this.#gone()
  }

  /** For the record of what may have written. A read is given up, so that the source can stop it, and what was not sent. */
  #isAwaitedWithoutClient(exchange: OpenExchange): boolean {
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
    return exchange.watch !== undefined && !isRead && this.#source.isOpen
  }

  // ---- pace and time

  #paceClient(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    const { heldBytesMax, pipelinedBytesMax } = this.#core.limits
    const exchange = this.#exchange
    const mustWait =
      this.#source.isBlocked ||
      this.#pipelinedBytes > pipelinedBytesMax ||
      (exchange?.held !== undefined && exchange.heldBytes > heldBytesMax && !this.#source.isOpen)
    if (mustWait === this.#isClientPaused) return
    this.#isClientPaused = mustWait
    if (mustWait) this.#client.pause()
    else this.#client.resume()
  }

  #paceSource(): void {
    const waits = (this.#exchange?.waitingBytes ?? 0) > this.#core.limits.heldAnswerBytesMax
    this.#source.pace(this.#isClientBlocked || waits)
  }

  check(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    const isLateRequest =
      this.#phase === 'body' || (this.#phase === 'head' && this.#requests.isWithinHead)
    if (isLateRequest && !this.#source.isBlocked) {
      this.#refuse(408, 'request_timeout', 'the rest of the request did not come')
    } else if (this.#phase === 'head') this.#close()
    else this.destroy()
  }

  closeIfIdle(): void {
    if (this.isIdle) this.#close()
  }

  destroy(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.end(false)
    this.#client.destroy()
    this.#gone()
  }
}
