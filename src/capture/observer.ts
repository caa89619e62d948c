import type { RawHeaders } from '../traffic/exchange.ts'

/** The head of a request as it came from the client. */
export interface RequestHead {
  readonly connection: number
  readonly method: string
  /** Path and query as in the request line. */
  readonly target: string
  readonly headers: RawHeaders
  /** Epoch microseconds of its first byte. */
  readonly firstByteAt: number
}

export interface ResponseHead {
  readonly status: number
  readonly headers: RawHeaders
  readonly firstByteAt: number
}

/**
 * Looks on while a request goes to the source and its answer comes back. The data path calls it; it never throws and
 * never waits: all that it may do to the client is said by what it returns.
 */
export interface ExchangeObserver {
  /**
   * Asked when a request's head is read and before a byte of it is sent on. `undefined`: nobody wants to see this one,
   * and its bytes are passed without a second look. A Refusal: it is answered so, and the source never sees it.
   */
  begin(head: RequestHead): ExchangeWatch | Refusal | undefined
}

/** An answer that the proxy itself gives in the place of the source. */
export interface Refusal {
  readonly status: number
  readonly headers: RawHeaders
  readonly body: string
}

/** One exchange under observation. Calls come in this order; bytes are without framing (chunk sizes, trailers). */
export interface ExchangeWatch {
  /** The bytes are not changed afterwards; who keeps them keeps the buffer alive. */
  requestBytes(bytes: Uint8Array): void
  /**
   * The whole request has come. The first byte of the answer to the client waits until `release` is called; without an
   * argument the answer goes as the source gave it, with a Refusal in its place. `end` does not wait for it: release may
   * be called after it, and does nothing once the client is gone. What the source answers before it has the whole request
   * (413, 401 …) is passed at once. The source is read on while an answer waits, up to 256 KB of it.
   */
  requestEnd(lastByteAt: number, release: (refusal?: Refusal) => void): void
  responseHead(head: ResponseHead): void
  responseBytes(bytes: Uint8Array): void
  /** Called exactly once at the end of everything, `whole` is false when the client, the source or the proxy broke off. */
  end(whole: boolean, lastByteAt: number): void
}
