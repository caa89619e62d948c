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
  readonly #open = new Map<string, CapturedRequest>()

  /** `openMax`: of requests that wait for their answers; the oldest go without. */
  constructor(openMax: number) {
    this.#openMax = openMax
  }

  /** What is complete with this record. */
  add(record: CaptureRecord): (LoggedExchange | CaptureGap | CaptureMark)[] {
    switch (record.kind) {
      case 'request': {
        const unanswered = this.#open.size >= this.#openMax ? this.#oldest() : []
        this.#open.set(keyOf(record.exchange), record)
        return unanswered
      }
      case 'response':
      case 'thin': {
        const key = keyOf(record.exchange)
        const request = this.#open.get(key)
        this.#open.delete(key)
        return [{ kind: 'exchange', request, response: record }]
      }
      case 'gap':
      case 'started':
      case 'stopped':
        return [record]
    }
  }

  /** Requests whose answers did not come. */
  rest(): LoggedExchange[] {
    const rest = [...this.#open.values()].map(unanswered)
    this.#open.clear()
    return rest
  }

  #oldest(): LoggedExchange[] {
    const [key, request] = this.#open.entries().next().value!
    this.#open.delete(key)
    return [unanswered(request)]
  }
}

function unanswered(request: CapturedRequest): LoggedExchange {
  return { kind: 'exchange', request, response: undefined }
}
