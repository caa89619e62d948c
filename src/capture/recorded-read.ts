import type { RawHeaders } from '../traffic/exchange.ts'
import { BodyBuffer } from './body-buffer.ts'
import {
  headerValue,
  keptRequestHeaders,
  keptResponseHeaders,
  keptTarget,
} from '../traffic/kept-heads.ts'
import type { ExchangeWatch, RequestHead, ResponseHead } from './observer.ts'
import type { Recording } from './recorder.ts'
import { redactRead } from '../traffic/redact.ts'

/** One read of the sample: both records are made when it is over, and nothing waits for them. */
export class RecordedRead implements ExchangeWatch {
  readonly #recording: Recording
  readonly #head: RequestHead
  readonly #request: BodyBuffer
  readonly #response: BodyBuffer
  #requestEndAt = 0
  #responseHead: ResponseHead | undefined

  constructor(recording: Recording, head: RequestHead) {
    const { memory, options } = recording
    this.#recording = recording
    this.#head = head
    this.#request = new BodyBuffer(memory, options.readBytesMax)
    this.#response = new BodyBuffer(memory, options.readBytesMax)
  }

  requestBytes(bytes: Uint8Array): void {
    this.#request.add(bytes)
  }

  requestEnd(lastByteAt: number, release: () => void): void {
    this.#requestEndAt = lastByteAt
    release()
  }

  responseHead(head: ResponseHead): void {
    this.#responseHead = head
  }

  responseBytes(bytes: Uint8Array): void {
    this.#response.add(bytes)
  }

  end(whole: boolean, lastByteAt: number): void {
    const { metrics } = this.#recording.options
    const seconds = (lastByteAt - this.#head.firstByteAt) / 1e6
    metrics.answered('sampled', whole ? (this.#responseHead?.status ?? 0) : 0, seconds)
    const { log } = this.#recording
    if (whole && this.#responseHead && log.health.state === 'ok' && !log.isThin) {
      this.#append(this.#responseHead, lastByteAt)
    } else this.#drop()
  }

  #append(responseHead: ResponseHead, lastByteAt: number): void {
    const { log, options } = this.#recording
    const head = this.#head
    const bodies = redactRead(options.redact, {
      target: keptTarget(head.target),
      request: this.#request.kept,
      requestEncoding: headerValue(head.headers, 'content-encoding'),
      response: this.#response.kept,
      responseEncoding: headerValue(responseHead.headers, 'content-encoding'),
      bytesMax: options.readBytesMax,
    })
    const exchange = { proxy: options.proxy, number: this.#recording.nextNumber() }
    let uses = 2
    const settled = (): void => {
      if (--uses === 0) this.#drop()
    }
    log.append(
      {
        kind: 'request',
        exchange,
        connection: head.connection,
        method: head.method,
        target: bodies.target,
        headers: keptRequestHeaders(head.headers),
        body: bodies.request,
        bodyBytes: this.#request.bytes,
        firstByteAt: head.firstByteAt,
        lastByteAt: this.#requestEndAt,
        mayWrite: false,
      },
      { settled },
    )
    log.append(
      {
        kind: 'response',
        exchange,
        status: responseHead.status,
        headers: keptResponseHeaders(
          bodies.isRewritten ? withoutEncoding(responseHead.headers) : responseHead.headers,
        ),
        body: bodies.response,
        bodyBytes: bodies.isRewritten ? bodies.response.length : this.#response.bytes,
        firstByteAt: responseHead.firstByteAt,
        lastByteAt,
      },
      { settled },
    )
  }

  #drop(): void {
    this.#request.drop()
    this.#response.drop()
  }
}

function withoutEncoding(headers: RawHeaders): RawHeaders {
  return headers.filter((_, i) => headers[i - (i % 2)]!.toLowerCase() !== 'content-encoding')
}
