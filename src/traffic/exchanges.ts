import type {
  CapturedRequest,
  CapturedResponse,
  CaptureGap,
  CaptureMark,
  CaptureRecord,
  ThinResponse,
} from './exchange.ts'
import { keyOf } from './select-window.ts'

/** A request with its answer, as far as they are in the log. */
export interface LoggedExchange {
  readonly kind: 'exchange'
  /** Undefined: it is not in what was read. */
  readonly request: CapturedRequest | undefined
  /** Undefined: it had not come where reading ended, or came after too many others. */
  readonly response: CapturedResponse | ThinResponse | undefined
}

/** Puts requests and their answers together, in the order of the answers. */
export class ExchangeJoiner {
  readonly #openMax: number
  readonly #bodyBytesMax: number
  readonly #open = new Map<string, CapturedRequest>()
  #bodyBytes = 0

  /**
   * `openMax`: of requests that wait for their answers; the oldest go without. `bodyBytesMax`: of their bodies together;
   * the oldest lose theirs, and are as if they had been cut.
   */
  constructor(openMax: number, bodyBytesMax = Infinity) {
    this.#openMax = openMax
    this.#bodyBytesMax = bodyBytesMax
  }

  /** What is complete with this record. */
  add(record: CaptureRecord): (LoggedExchange | CaptureGap | CaptureMark)[] {
    switch (record.kind) {
      case 'request': {
        const unanswered = this.#open.size >= this.#openMax ? this.#oldest() : []
        this.#open.set(keyOf(record.exchange), record)
        this.#bodyBytes += record.body.length
        if (this.#bodyBytes > this.#bodyBytesMax) this.#dropBodies()
        return unanswered
      }
      case 'response':
      case 'thin': {
        const key = keyOf(record.exchange)
        return [{ kind: 'exchange', request: this.#take(key), response: record }]
      }
      case 'gap':
      case 'started':
      case 'stopped':
        return [record]
    }
  }

  /** Requests whose answers did not come: all, or those of one proxy. */
  rest(proxy?: string): LoggedExchange[] {
    const keys = [...this.#open]
      .filter(([, { exchange }]) => proxy === undefined || exchange.proxy === proxy)
      .map(([key]) => key)
    return keys.map((key) => unanswered(this.#take(key)!))
  }

  #oldest(): LoggedExchange[] {
    const [key] = this.#open.keys()
    return [unanswered(this.#take(key!)!)]
  }

  #take(key: string): CapturedRequest | undefined {
    const request = this.#open.get(key)
    this.#open.delete(key)
    this.#bodyBytes -= request?.body.length ?? 0
    return request
  }

  #dropBodies(): void {
    for (const [key, request] of this.#open) {
      if (this.#bodyBytes <= this.#bodyBytesMax) return
      this.#bodyBytes -= request.body.length
      this.#open.set(key, { ...request, body: Buffer.alloc(0) })
    }
  }
}

function unanswered(request: CapturedRequest): LoggedExchange {
  return { kind: 'exchange', request, response: undefined }
}
