import { epochMicros } from './clock.ts'
import type { OpenExchange } from './open-exchange.ts'
import { BadMessage } from './wire/bad-message.ts'
import { BodyFraming } from './wire/body-framing.ts'
import { lastAnswerHead } from './wire/edit-heads.ts'
import { HeadCollector } from './wire/head-collector.ts'
import { AnswerHeadBytes } from './wire/heads.ts'

/** What became of a stretch of the source's bytes. */
interface AnswerPiece {
  /** Where to read on. */
  end: number
  /** For the client; undefined: a head whose rest is to come. */
  bytes: Buffer | undefined
  /** True for 1xx, which goes ahead of the answer. */
  isInterim: boolean
}

/** Finds heads and ends of the answers on one connection, and tells who looks on. Bytes pass as they are. */
export class AnswerReader {
  readonly #heads: HeadCollector
  readonly #body = new BodyFraming()
  readonly #piece: AnswerPiece = { end: 0, bytes: undefined, isInterim: false }
  #exchange: OpenExchange | undefined
  #firstByteAt = 0
  /** The client was told that the connection is closed after this answer. */
  saidClose = false

  constructor(headBytesMax: number) {
    this.#heads = new HeadCollector(headBytesMax)
  }

  /** The next answer is that to this. */
  start(exchange: OpenExchange): void {
    this.#exchange = exchange
    this.saidClose = false
    this.#heads.reset()
  }

  get isWhole(): boolean {
    return this.#exchange?.answer !== undefined && this.#body.isDone
  }

  /** True while a body is read that ends with the connection, and after it. */
  get endsWithConnection(): boolean {
    return this.#exchange?.answer !== undefined && this.#body.endsWithConnection
  }

  /** The connection has ended, and with it the body. */
  finish(): void {
    this.#body.finish()
  }

  /** `isLast`: the client is told that no further answer comes on this connection. */
  read(bytes: Buffer, at: number, isLast: boolean): AnswerPiece {
    const piece = this.#piece
    const exchange = this.#exchange!
    piece.isInterim = false
    if (exchange.answer === undefined) return this.#readHead(exchange, bytes, at, isLast)
    piece.end = this.#advance(exchange, bytes, at)
    piece.bytes = at === 0 && piece.end === bytes.length ? bytes : bytes.subarray(at, piece.end)
    return piece
  }

  #readHead(exchange: OpenExchange, bytes: Buffer, at: number, isLast: boolean): AnswerPiece {
    const piece = this.#piece
    if (exchange.watch !== undefined && !this.#heads.isWithin) this.#firstByteAt = epochMicros()
    const next = this.#heads.take(bytes, at)
    piece.bytes = undefined
    piece.end = bytes.length
    if (next === -1) return piece
    const head = new AnswerHeadBytes(this.#heads.bytes, this.#heads.start, this.#heads.end)
    if (head.status === 101) throw new BadMessage('it changes the protocol')
    if (head.status < 200) {
      exchange.hasBody = true
      piece.end = next
      piece.isInterim = true
      piece.bytes = head.bytes.subarray(head.start, head.end)
      return piece
    }
    this.#body.start(head.bodyKind(exchange.method), head.contentLength)
    exchange.answer = head
    const { status } = head
    exchange.watch?.responseHead({
      status,
      firstByteAt: this.#firstByteAt,
      get headers() {
        return head.headers
      },
    })
    piece.end = this.#advance(exchange, bytes, next)
    const isRefusal =
      !exchange.isRequestWhole && exchange.request.expectsContinue && !exchange.hasBody
    this.saidClose = isLast || isRefusal
    piece.bytes =
      !this.saidClose && head.bytes === bytes
        ? bytes.subarray(at, piece.end)
        : Buffer.concat([
            this.saidClose ? lastAnswerHead(head) : head.bytes.subarray(head.start, head.end),
            bytes.subarray(next, piece.end),
          ])
    return piece
  }

  #advance(exchange: OpenExchange, bytes: Buffer, at: number): number {
    const { watch } = exchange
    if (watch === undefined) return this.#body.advance(bytes, at)
    return this.#body.advance(bytes, at, (data) => watch.responseBytes(data))
  }
}
