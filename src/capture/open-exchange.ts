import { epochMicros } from './clock.ts'
import type { Metrics } from './metrics.ts'
import type { ExchangeObserver, ExchangeWatch, Refusal } from './observer.ts'
import type { AddressRewriting } from './node-addresses.ts'
import type { AnswerHeadBytes, RequestHeadBytes } from './wire/heads.ts'

/** More would only bring down more of the source, if it is the request that does. */
const resendsMax = 2

/** One request under way on a connection, with its answer. */
export class OpenExchange {
  readonly request: RequestHeadBytes
  readonly method: string
  /** Asked of an observer; undefined where nobody looks on. */
  readonly watch: ExchangeWatch | undefined
  /** An answer of the proxy in the place of the source's. */
  refusal: Refusal | undefined
  answer: AnswerHeadBytes | undefined
  /** The answer names nodes, which are to be the proxy. */
  rewriting: AddressRewriting | undefined
  isRequestWhole = false
  isAnswerWhole = false
  /** A byte of an answer went to the client. */
  hasAnswered = false
  /** A byte of the request's body came, or the source asked for it. */
  hasBody = false
  /** What was sent, to be sent again; undefined when it may not be, or is too much. */
  held: Buffer[] | undefined = []
  heldBytes = 0
  /** The answer, as long as it may not go; undefined when it may. */
  #waiting: Buffer[] | undefined
  waitingBytes = 0
  #resends = 0
  #isEnded = false
  readonly #metrics: Metrics
  /** By the clock of performance.now(); 0: not yet. */
  readonly #startedMs: number
  #sentMs = 0
  #answeredMs = 0

  constructor(
    request: RequestHeadBytes,
    observed: ExchangeWatch | Refusal | undefined,
    { metrics, startedMs }: { metrics: Metrics; startedMs: number },
  ) {
    this.request = request
    this.#metrics = metrics
    this.#startedMs = startedMs
    metrics.add('http_server_active_requests')
    this.method = request.method
    if (observed === undefined) this.watch = undefined
    else if ('status' in observed) this.refusal = observed
    else this.watch = observed
  }

  /**
   * Whether it may reach the source twice: what changes nothing. A scroll changes where it stands by being read, so it
   * is not among them; nor are PUT and DELETE, whose second answer would be another one.
   */
  get isRepeatable(): boolean {
    if (this.method !== 'GET' && this.method !== 'HEAD' && this.method !== 'OPTIONS') return false
    return !this.request.target.includes('/scroll')
  }

  /** True once for each time that it may be sent again. */
  mayResend(): boolean {
    return (
      this.isRepeatable &&
      this.held !== undefined &&
      this.#answeredMs === 0 &&
      this.#resends++ < resendsMax
    )
  }

  hold(bytes: Buffer): void {
    this.held!.push(bytes)
    this.heldBytes += bytes.length
  }

  letGo(): void {
    this.held = undefined
    this.heldBytes = 0
  }

  /** A byte of an answer came: the request is not sent again. */
  answerBegins(): void {
    if (this.#answeredMs !== 0) return
    this.#answeredMs = performance.now()
    if (this.#sentMs === 0) return
    const seconds = (this.#answeredMs - this.#sentMs) / 1000
    this.#metrics.observe('http_client_request_duration_seconds', seconds)
  }

  /** The request is whole: from now on the answer waits for `release`, if somebody looks on. */
  requestWhole(onRelease: () => void): void {
    this.isRequestWhole = true
    this.#sentMs = performance.now()
    if (this.watch === undefined) return
    // A source that answers before it has the whole request decided without it: such an answer is not held.
    if (!this.hasAnswered) this.#waiting = []
    let isReleased = false
    this.watch.requestEnd(epochMicros(), (refusal) => {
      if (isReleased) return
      isReleased = true
      this.#countHeld()
      if (this.#waiting !== undefined && refusal !== undefined) this.refusal = refusal
      onRelease()
    })
  }

  #countHeld(): void {
    const heldMs = this.#answeredMs === 0 ? 0 : performance.now() - this.#answeredMs
    this.#metrics.observe('osmigrate_capture_added_duration_seconds', heldMs / 1000)
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  keepWaiting(bytes: Buffer): void {
    this.#waiting!.push(bytes)
    this.waitingBytes += bytes.length
  }

  /** Gives what has waited; nothing waits from now on. */
  takeWaiting(): Buffer[] {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.waitingBytes = 0
    return waiting
  }

  /** Tells the watch and counts, once. */
  end(whole: boolean): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.watch?.end(whole, epochMicros())
    this.#metrics.add('http_server_active_requests', -1)
    const isRefused = this.refusal !== undefined && this.hasAnswered
    if (!whole && !isRefused) this.#metrics.add('osmigrate_capture_errors_total')
    if (this.refusal !== undefined || this.watch !== undefined) return
    const seconds = (performance.now() - this.#startedMs) / 1000
    this.#metrics.answered('passed', whole ? (this.answer?.status ?? 0) : 0, seconds)
  }
}

/** Asks the observer; heads are told apart into strings only when somebody looks at them. */
export function observe(
  observer: ExchangeObserver | undefined,
  request: RequestHeadBytes,
  at: { connection: number; firstByteAt: number },
): ExchangeWatch | Refusal | undefined {
  if (observer === undefined) return undefined
  const { method } = request
  return observer.begin({
    ...at,
    method,
    get target() {
      return request.target
    },
    get headers() {
      return request.headers
    },
  })
}
