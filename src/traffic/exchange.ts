/** Headers in the order they came, names as they were written: `[name, value, name, value, …]`. */
export type RawHeaders = readonly string[]

/** Where an exchange belongs: the proxy that saw it, and its number there. */
export interface ExchangeId {
  /** The proxy's name, as it stands in its log: stable over restarts, unique in a migration. */
  readonly proxy: string
  /** Rises by one with each request of that proxy that is recorded, over all its connections and restarts. */
  readonly number: number
}

/** A request as the client sent it, its framing taken off. */
export interface CapturedRequest {
  readonly kind: 'request'
  readonly exchange: ExchangeId
  /** Rises with each connection that the proxy accepted; requests of one connection are in order. */
  readonly connection: number
  readonly method: string
  /** Path and query, as they stood in the request line. */
  readonly target: string
  /** Only names on the allow-list: never a credential. */
  readonly headers: RawHeaders
  /** As sent, content-encoding and all; empty for none. */
  readonly body: Uint8Array
  /** Length of the body as sent, in bytes; more than `body` holds when it was cut at `capture.bodyBytesMax`. */
  readonly bodyBytes: number
  /** Epoch microseconds of its first and its last byte at the proxy. */
  readonly firstByteAt: number
  readonly lastByteAt: number
  /** True for what may change something on the source; false for a read that was sampled. */
  readonly mayWrite: boolean
}

/** What the source answered to a request that is in the log. */
export interface CapturedResponse {
  readonly kind: 'response'
  readonly exchange: ExchangeId
  /** 0: no whole answer came; whether the request was carried out is unknown. */
  readonly status: number
  readonly headers: RawHeaders
  readonly body: Uint8Array
  readonly bodyBytes: number
  /** Epoch microseconds of its first and its last byte at the proxy; 0 where there was none. */
  readonly firstByteAt: number
  readonly lastByteAt: number
}

/** What is kept of a write when the log is nearly full: enough to read the document from the source. */
export interface ThinResponse {
  readonly kind: 'thin'
  readonly exchange: ExchangeId
  readonly status: number
  /** Epoch microseconds of the last byte of the answer. */
  readonly lastByteAt: number
  readonly items: readonly ThinItem[]
}

export interface ThinItem {
  readonly index: string
  readonly id: string
  /** Absent where the source does not tell them (before 6.0). */
  readonly seqNo?: number
  readonly primaryTerm?: number
  /** Of the item: created, updated, deleted, not_found, noop; or the error's type. */
  readonly result: string
  readonly routing?: string
}

/** Requests that may have written and that are not known to be in the log. The audit finds what they did. */
export interface CaptureGap {
  readonly kind: 'gap'
  readonly proxy: string
  /** Epoch microseconds between which such requests were seen. */
  readonly from: number
  readonly until: number
  /** How many requests; at least 1. */
  readonly requests: number
  /** A sentence that a person understands: log full, log failed (ENOSPC …), body above its bound. */
  readonly cause: string
  /** Index names and patterns that the requests named, when all of them are known. */
  readonly indices?: readonly string[]
}

/** A proxy began or ended; `version` is that of the program. */
export interface CaptureMark {
  readonly kind: 'started' | 'stopped'
  readonly proxy: string
  /** Epoch microseconds. */
  readonly at: number
  readonly version: string
}

/** What stands in the capture log, one record after the other. docs/formats/capture-log.md has the layout. */
export type CaptureRecord =
  CapturedRequest | CapturedResponse | ThinResponse | CaptureGap | CaptureMark
