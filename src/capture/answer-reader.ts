import { epochMicros } from './clock.ts'
import type { OpenExchange } from './open-exchange.ts'
import { BadMessage } from './wire/bad-message.ts'
import { BodyFraming } from './wire/body-framing.ts'
import { answerHeadOfLength, lastAnswerHead } from './wire/edit-heads.ts'
import { HeadCollector } from './wire/head-collector.ts'
import { AnswerHeadBytes } from './wire/heads.ts'

/** What became of a stretch of the source's bytes. */
interface AnswerPiece {
  /** Where to read on. */
  end: number
  /** For the client; undefined: a head whose rest is to come, or an answer that is rewritten when it is whole. */
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
  /** An answer that is being rewritten, as it came. */
  #unchanged: Buffer[] | undefined
  /** The client was told that the connection is closed after this answer. */
  saidClose = false

  constructor(headBytesMax: number) {
    this.#heads = new HeadCollector(headBytesMax)
  }

  /** The next answer is that to this. */
  start(exchange: OpenExchange): void {
    this.#exchange = exchange
    this.#unchanged = undefined
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
    if (exchange.answer === undefined) this.#readHead(exchange, bytes, at, isLast)
    else {
      piece.end = this.#advance(exchange, bytes, at)
      piece.bytes = at === 0 && piece.end === bytes.length ? bytes : bytes.subarray(at, piece.end)
    }
    if (this.#unchanged !== undefined && piece.bytes !== undefined) this.#rewrite(exchange)
    return piece
  }

  #readHead(exchange: OpenExchange, bytes: Buffer, at: number, isLast: boolean): void {
    const piece = this.#piece
    if (exchange.watch !== undefined && !this.#heads.isWithin) this.#firstByteAt = epochMicros()
    const next = this.#heads.take(bytes, at)
    piece.bytes = undefined
    piece.end = bytes.length
    if (next === -1) return
    const head = new AnswerHeadBytes(this.#heads.bytes, this.#heads.start, this.#heads.end)
    if (head.status === 101) throw new BadMessage('it changes the protocol')
    if (head.status < 200) {
      if (head.status === 100) exchange.hasBody = true
      piece.end = next
      piece.isInterim = true
      piece.bytes = head.bytes.subarray(head.start, head.end)
      return
    }
    this.#beginAnswer(exchange, head)
    piece.end = this.#advance(exchange, bytes, next)
    const { isRequestWhole, request, hasBody } = exchange
    this.saidClose = isLast || (!isRequestWhole && request.expectsContinue && !hasBody)
    if (!this.saidClose && head.bytes === bytes) {
      piece.bytes = bytes.subarray(at, piece.end)
      return
    }
    const headBytes = this.saidClose
      ? lastAnswerHead(head)
      : head.bytes.subarray(head.start, head.end)
    piece.bytes = Buffer.concat([headBytes, bytes.subarray(next, piece.end)])
  }

  #beginAnswer(exchange: OpenExchange, head: AnswerHeadBytes): void {
    const { status } = head
    this.#body.start(head.bodyKind(exchange.method), head.contentLength)
    exchange.answer = head
    if (status !== 200 || head.bodyKind(exchange.method) === 'untilClose') {
      exchange.rewriting = undefined
    }
    if (exchange.rewriting !== undefined) this.#unchanged = []
    exchange.watch?.responseHead({
      status,
      firstByteAt: this.#firstByteAt,
      get headers() {
        return head.headers
      },
    })
  }

  #advance(exchange: OpenExchange, bytes: Buffer, at: number): number {
    const { watch, rewriting } = exchange
    if (watch === undefined && rewriting === undefined) return this.#body.advance(bytes, at)
    return this.#body.advance(bytes, at, (data) => {
      watch?.responseBytes(data)
      if (rewriting?.add(data) === false) exchange.rewriting = undefined
    })
  }

  /** Keeps what has come until the answer is whole, or passes it all when it is too long to be rewritten. */
  #rewrite(exchange: OpenExchange): void {
    const piece = this.#piece
    const unchanged = this.#unchanged!
    unchanged.push(piece.bytes!)
    piece.bytes = undefined
    const { rewriting, answer } = exchange
    if (rewriting === undefined) piece.bytes = Buffer.concat(unchanged)
    else if (this.isWhole) {
      const body = rewriting.body()
      piece.bytes = Buffer.concat([answerHeadOfLength(answer!, body.length, this.saidClose), body])
    } else return
    this.#unchanged = undefined
  }
}
