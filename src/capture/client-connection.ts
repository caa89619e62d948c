import type { Socket } from 'node:net'
import { AnswerReader } from './answer-reader.ts'
import { epochMicros } from './clock.ts'
import { observe, OpenExchange } from './open-exchange.ts'
import { ownError, refusalBytes } from './own-answers.ts'
import type { ProxyCore } from './proxy-core.ts'
import { SourceConnection, type SourceEvents } from './source-connection.ts'
import { BadMessage } from './wire/bad-message.ts'
import { BodyFraming } from './wire/body-framing.ts'
import { editedRequest, type RequestEdits } from './wire/edit-heads.ts'
import { HeadCollector } from './wire/head-collector.ts'
import { RequestHeadBytes } from './wire/heads.ts'

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

/** A body of up to this is sent in one piece with its head. */
const joinedBytesMax = 64 * 1024
const lingerMs = 2_000
const noBytes = Buffer.alloc(0)

export class ClientConnection implements SourceEvents {
  readonly #core: ProxyCore
  readonly #client: Socket
  readonly #number: number
  readonly #edits: RequestEdits
  readonly #heads: HeadCollector
  readonly #body = new BodyFraming()
  readonly #answers: AnswerReader
  #phase: Phase = 'head'
  #source: SourceConnection | undefined
  #exchange: OpenExchange | undefined
  #firstByteAt = 0
  /** What came while the answer to an earlier request was under way. */
  readonly #pipelined: Buffer[] = []
  #pipelinedBytes = 0
  #isClientBlocked = false
  #isSourceBlocked = false
  #isClientPaused = false
  #hasClientEnded = false
  /** Of the core's clock: when what is waited for should have come. */
  #deadline: number

  constructor(core: ProxyCore, client: Socket, number: number) {
    this.#core = core
    this.#client = client
    this.#number = number
    this.#edits = core.editsFor(client)
    this.#heads = new HeadCollector(core.limits.requestHeadBytesMax)
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
    return this.#phase === 'head' && !this.#heads.isWithin
  }

  // ---- from the client

  #onClientData(bytes: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    if (this.#phase === 'answer' || this.#pipelinedBytes > 0) {
      this.#pipelined.push(bytes)
      this.#pipelinedBytes += bytes.length
      this.#paceClient()
    } else this.#consume(bytes)
  }

  #consume(bytes: Buffer): void {
    try {
      let at = 0
      while (at < bytes.length) {
        if (this.#phase === 'head') at = this.#readHead(bytes, at)
        else if (this.#phase === 'body') at = this.#readBody(bytes, at)
        else {
          this.#pipelined.unshift(bytes.subarray(at))
          this.#pipelinedBytes += bytes.length - at
          break
        }
        if (at === -1) break
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#core.counters.requestsMalformed++
      this.#refuse(error.status, 'malformed_request', error.message)
    }
    this.#paceClient()
  }

  /** Works off what was pipelined, as far as it goes. */
  #goOn(): void {
    while (this.#phase === 'head' && this.#pipelined.length > 0) {
      const bytes = this.#pipelined.shift()!
      this.#pipelinedBytes -= bytes.length
      this.#consume(bytes)
    }
    this.#paceClient()
  }

  #readHead(bytes: Buffer, at: number): number {
    const core = this.#core
    if (!this.#heads.isWithin) {
      if (core.observer !== undefined) this.#firstByteAt = epochMicros()
      this.#deadline = core.now + core.limits.headTimeoutMs
    }
    const next = this.#heads.take(bytes, at)
    if (next === -1) return -1
    // An empty line before a request is a left-over of the one before (RFC 9112 section 2.2).
    if (this.#heads.end - this.#heads.start === 2) return next
    const request = new RequestHeadBytes(this.#heads.bytes, this.#heads.start, this.#heads.end)
    if (request.method === 'CONNECT') throw new BadMessage('CONNECT is not for this proxy', 501)
    core.counters.requests++
    const arrival = { connection: this.#number, firstByteAt: this.#firstByteAt }
    const exchange = new OpenExchange(request, observe(core.observer, request, arrival))
    this.#exchange = exchange
    this.#phase = 'body'
    this.#deadline = core.now + core.limits.stallTimeoutMs
    this.#body.start(request.bodyKind, request.contentLength)
    this.#answers.start(exchange)
    const end = this.#advanceBody(exchange, bytes, next)
    const body = end === next ? noBytes : bytes.subarray(next, end)
    if (exchange.refusal === undefined) this.#sendHead(exchange, request, body)
    else if (request.expectsContinue) this.#answerRefusal(exchange, true)
    if (this.#body.isDone) this.#requestWhole(exchange)
    return end
  }

  #readBody(bytes: Buffer, at: number): number {
    const exchange = this.#exchange!
    this.#deadline = this.#core.now + this.#core.limits.stallTimeoutMs
    const end = this.#advanceBody(exchange, bytes, at)
    if (exchange.refusal === undefined) {
      this.#send(exchange, at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    }
    if (this.#body.isDone) this.#requestWhole(exchange)
    return end
  }

  #advanceBody(exchange: OpenExchange, bytes: Buffer, at: number): number {
    if (at < bytes.length && !this.#body.isDone) exchange.hasBody = true
    const { watch } = exchange
    if (watch === undefined) return this.#body.advance(bytes, at)
    return this.#body.advance(bytes, at, (data) => watch.requestBytes(data))
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
    if (exchange.isAnswerWhole) this.#tryFinish(exchange)
  }

  // ---- to the source

  #sendHead(exchange: OpenExchange, request: RequestHeadBytes, body: Buffer): void {
    if (body.length <= joinedBytesMax) {
      this.#send(exchange, editedRequest(request, this.#edits, body))
      return
    }
    this.#send(exchange, editedRequest(request, this.#edits, noBytes))
    this.#send(exchange, body)
  }

  #send(exchange: OpenExchange, bytes: Buffer): void {
    const { limits } = this.#core
    this.#source ??= new SourceConnection(this.#core.source, limits, this)
    const { isOpen } = this.#source
    if (exchange.held !== undefined) {
      if (!isOpen || (exchange.isRepeatable && exchange.heldBytes < limits.heldBytesMax)) {
        exchange.hold(bytes)
      } else exchange.letGo()
    }
    if (isOpen && !this.#source.write(bytes)) this.#isSourceBlocked = true
  }

  onSourceOpen(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    for (const bytes of exchange.held ?? []) {
      if (!this.#source!.write(bytes)) this.#isSourceBlocked = true
    }
    if (!exchange.isRepeatable || exchange.heldBytes > this.#core.limits.heldBytesMax) {
      exchange.letGo()
    }
    this.#paceClient()
  }

  onSourceDrain(): void {
    this.#isSourceBlocked = false
    this.#paceClient()
  }

  onSourceUnreachable(reason: string): void {
    this.#source = undefined
    this.#core.counters.sourceUnreachable++
    this.#refuse(503, 'source_unreachable', `the source cannot be reached: ${reason}`)
  }

  onSourceClosed(clean: boolean): void {
    this.#source = undefined
    this.#isSourceBlocked = false
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (clean && this.#answers.endsWithConnection) {
      this.#answers.finish()
      this.#answerWhole(exchange)
    } else if (exchange.isAnswerWhole) {
      // It answered before it had the whole request, and wants no more of it.
      this.#finish(exchange, false)
    } else if (exchange.mayResend() && !this.#hasClientEnded) {
      this.#core.counters.requestsSentAgain++
      this.#answers.start(exchange)
      this.#source = new SourceConnection(this.#core.source, this.#core.limits, this)
    } else {
      this.#core.counters.exchangesBrokenBySource++
      this.#finish(exchange, false)
    }
  }

  // ---- from the source

  onSourceData(bytes: Buffer): void {
    let at = 0
    try {
      while (at < bytes.length) {
        const exchange = this.#exchange
        if (exchange === undefined || exchange.isAnswerWhole) return this.#dropSource()
        at = this.#readAnswer(exchange, bytes, at)
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      this.#core.counters.answersMalformed++
      this.#refuse(502, 'source_answer', `the source's answer is no HTTP/1.1: ${error.message}`)
    }
  }

  #readAnswer(exchange: OpenExchange, bytes: Buffer, at: number): number {
    exchange.hasAnswerBegun = true
    const piece = this.#answers.read(bytes, at, this.#core.isDraining)
    if (piece.bytes !== undefined) {
      if (piece.isInterim) this.#write(piece.bytes)
      else this.#pass(exchange, piece.bytes)
    }
    const { end } = piece
    if (!this.#answers.isWhole) return end
    // Bytes that no request asked for would be taken for the answer to the next one.
    if (end < bytes.length) this.#dropSource()
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
    if (!persists || this.#hasClientEnded) return this.#close()
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
      const refusal = ownError(status, type, reason)
      this.#client.write(refusalBytes(refusal, { method: exchange?.method ?? 'GET', close: true }))
    }
    this.#close()
  }

  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#phase = 'closing'
    this.#deadline = this.#core.now + lingerMs
    this.#pipelined.length = 0
    this.#pipelinedBytes = 0
    this.#dropSource()
    this.#client.end()
    if (this.#hasClientEnded) return
    this.#isClientPaused = false
    this.#client.resume()
  }

  // ---- the client hangs up

  #onClientEnd(): void {
    this.#hasClientEnded = true
    const exchange = this.#exchange
    if (exchange?.isRequestWhole !== true) {
      this.#exchange = undefined
      exchange?.end(false)
      this.#close()
    } else if (!this.#isAwaitedWithoutClient(exchange)) this.#source?.end()
  }

  #onClientClosed(): void {
    const exchange = this.#exchange
    if (exchange?.isRequestWhole === true && this.#isAwaitedWithoutClient(exchange)) {
      this.#hasClientEnded = true
      exchange.takeWaiting()
      this.#isClientBlocked = false
      this.#deadline = this.#core.now + this.#core.limits.abandonedTimeoutMs
      this.#paceSource()
      if (!exchange.isAnswerWhole) return
    }
    this.#exchange = undefined
    exchange?.end(false)
    this.#phase = 'closed'
    this.#dropSource()
    this.#core.closed(this)
  }

  /** What may have written is awaited for the record; a read is given up, so that the source can stop it. */
  #isAwaitedWithoutClient(exchange: OpenExchange): boolean {
    return exchange.watch !== undefined && exchange.method !== 'GET' && exchange.method !== 'HEAD'
  }

  // ---- pace and time

  #paceClient(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    const { heldBytesMax, pipelinedBytesMax } = this.#core.limits
    const exchange = this.#exchange
    const mustWait =
      this.#isSourceBlocked ||
      this.#pipelinedBytes > pipelinedBytesMax ||
      (exchange?.held !== undefined &&
        exchange.heldBytes > heldBytesMax &&
        this.#source?.isOpen !== true)
    if (mustWait === this.#isClientPaused) return
    this.#isClientPaused = mustWait
    if (mustWait) this.#client.pause()
    else this.#client.resume()
  }

  #paceSource(): void {
    const waits = (this.#exchange?.waitingBytes ?? 0) > this.#core.limits.heldAnswerBytesMax
    if (this.#isClientBlocked || waits) this.#source?.pause()
    else this.#source?.resume()
  }

  #dropSource(): void {
    this.#source?.destroy()
    this.#source = undefined
    this.#isSourceBlocked = false
  }

  /** Called about once a second. */
  check(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    this.#core.counters.timeouts++
    const isLateRequest = this.#phase === 'body' || (this.#phase === 'head' && this.#heads.isWithin)
    if (isLateRequest && !this.#isSourceBlocked) {
      this.#refuse(408, 'request_timeout', 'the rest of the request did not come')
    } else if (this.#phase === 'head') this.#close()
    else this.destroy()
  }

  /** At the end of draining: an idle connection is closed. */
  closeIfIdle(): void {
    if (this.isIdle) this.#close()
  }

  destroy(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.end(false)
    this.#dropSource()
    this.#client.destroy()
    if (this.#client.closed) this.#onClientClosed()
  }
}
