import { epochMicros } from './clock.ts'
import { addressFor, AddressRewriting } from './node-addresses.ts'
import { observe, OpenExchange } from './open-exchange.ts'
import { ownAnswer } from './own-answers.ts'
import type { ProxyCore } from './proxy-core.ts'
import { BadMessage } from './wire/bad-message.ts'
import { BodyFraming } from './wire/body-framing.ts'
import { editedRequest, type RequestEdits } from './wire/edit-heads.ts'
import { HeadCollector } from './wire/head-collector.ts'
import { RequestHeadBytes } from './wire/heads.ts'

/** A body of up to this is sent in one piece with its head. */
const joinedBytesMax = 64 * 1024
const noBytes = Buffer.alloc(0)

/** Finds heads and ends of the requests on one connection, and tells who looks on. */
export class RequestReader {
  readonly #core: ProxyCore
  readonly #connection: number
  readonly #edits: RequestEdits
  readonly #heads: HeadCollector
  readonly #body = new BodyFraming()
  #firstByteAt = 0
  #startedMs = 0

  constructor(core: ProxyCore, connection: number, edits: RequestEdits) {
    this.#core = core
    this.#connection = connection
    this.#edits = edits
    this.#heads = new HeadCollector(core.limits.requestHeadBytesMax)
  }

  /** True between the first and the last byte of a head. */
  get isWithinHead(): boolean {
    return this.#heads.isWithin
  }

  /** True when no byte of the request under way is to come. */
  get isWhole(): boolean {
    return this.#body.isDone
  }

  /**
   * Reads on in a head. When it is whole `onRequest` gets the exchange that it begins, and then `onBytes` what of the
   * request is for the source. Returns where to read on.
   */
  readHead(
    bytes: Buffer,
    at: number,
    onRequest: (exchange: OpenExchange) => void,
    onBytes: (exchange: OpenExchange, bytes: Buffer) => void,
  ): number {
    const { observer, metrics } = this.#core
    if (!this.#heads.isWithin) {
      this.#startedMs = performance.now()
      if (observer !== undefined) this.#firstByteAt = epochMicros()
    }
    const next = this.#heads.take(bytes, at)
    if (next === -1) return bytes.length
    const { start, end: headEnd } = this.#heads
    // An empty line before a request is a left-over of the one before (RFC 9112 section 2.2).
    if (headEnd - start === 2) return next
    const request = new RequestHeadBytes(this.#heads.bytes, start, headEnd)
    if (request.method === 'CONNECT') throw new BadMessage('CONNECT is not for this proxy', 501)
    const arrival = { connection: this.#connection, firstByteAt: this.#firstByteAt }
    const observed =
      ownAnswer(request, this.#core.isDraining) ?? observe(observer, request, arrival)
    const exchange = new OpenExchange(request, observed, { metrics, startedMs: this.#startedMs })
    const address = addressFor(request, this.#core.rewriteAddresses)
    if (address !== undefined) exchange.rewriting = new AddressRewriting(address)
    onRequest(exchange)
    this.#body.start(request.bodyKind, request.contentLength)
    const end = this.#advance(exchange, bytes, next)
    const body = end === next ? noBytes : bytes.subarray(next, end)
    if (exchange.refusal !== undefined) return end
    const edits = address === undefined ? this.#edits : { ...this.#edits, withoutEncoding: true }
    if (body.length <= joinedBytesMax) onBytes(exchange, editedRequest(request, edits, body))
    else {
      onBytes(exchange, editedRequest(request, edits, noBytes))
      onBytes(exchange, body)
    }
    return end
  }

  readBody(
    exchange: OpenExchange,
    bytes: Buffer,
    at: number,
    onBytes: (exchange: OpenExchange, bytes: Buffer) => void,
  ): number {
    const end = this.#advance(exchange, bytes, at)
    if (exchange.refusal === undefined) {
      onBytes(exchange, at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    }
    return end
  }

  #advance(exchange: OpenExchange, bytes: Buffer, at: number): number {
    if (at < bytes.length && !this.#body.isDone) exchange.hasBody = true
    const { watch } = exchange
    if (watch === undefined) return this.#body.advance(bytes, at)
    return this.#body.advance(bytes, at, (data) => watch.requestBytes(data))
  }
}
