import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CapturedRequest, ExchangeId } from '../traffic/exchange.ts'
import { BodyBuffer } from './body-buffer.ts'
import type { Unrecorded } from './gap-collector.ts'
import type { Outcome } from './guarded-log.ts'
import { holdsLogin, keepsBodies } from '../traffic/kept-bodies.ts'
import {
  headerValue,
  keptRequestHeaders,
  keptResponseHeaders,
  keptTarget,
} from '../traffic/kept-heads.ts'
import { notRecordedRefusal } from './log-refusals.ts'
import type { ExchangeWatch, Refusal, RequestHead, ResponseHead } from './observer.ts'
import type { Recording } from './recorder.ts'
import { thinItems } from './thin-items.ts'

/** One exchange that may write: its records, and how long its answer waits. */
export class RecordedWrite implements ExchangeWatch {
  readonly #recording: Recording
  readonly #head: RequestHead
  readonly #parsed: ParsedRequest
  readonly #request: BodyBuffer
  readonly #response: BodyBuffer
  readonly #unrecorded: Unrecorded
  #exchange: ExchangeId | undefined
  #isThin = false
  #isInLog = true
  #uses = 1
  #responseHead: ResponseHead | undefined

  constructor(recording: Recording, head: RequestHead, parsed: ParsedRequest) {
    this.#recording = recording
    this.#head = head
    this.#parsed = parsed
    this.#unrecorded = { from: head.firstByteAt, indices: parsed.indices, isCounted: false }
    // Of signals only it counts that there was one; their bodies may hold passwords and keys.
    const bytesMax = keepsBodies(parsed) ? recording.options.bodyBytesMax : 0
    this.#request = new BodyBuffer(recording.memory, bytesMax, () => lengthOf(head))
    this.#response = new BodyBuffer(recording.memory, bytesMax, () => lengthOf(this.#responseHead!))
  }

  requestBytes(bytes: Uint8Array): void {
    this.#request.add(bytes)
  }

  requestEnd(lastByteAt: number, release: (refusal?: Refusal) => void): void {
    this.#appendRequest(lastByteAt, (outcome) => {
      const { onLogFailure } = this.#recording.options
      if (outcome === 'durable' || onLogFailure === 'pass') release()
      else release(notRecordedRefusal(this.#recording.log.health.cause ?? 'it was slow'))
    })
  }

  #appendRequest(lastByteAt: number, told?: (outcome: Outcome) => void): void {
    const { log, options } = this.#recording
    const head = this.#head
    this.#exchange = { proxy: options.proxy, number: this.#recording.nextNumber() }
    this.#isThin = log.isThin
    if (this.#request.lost !== undefined && keepsBodies(this.#parsed)) {
      log.addGap(this.#unrecorded, lostCause('request', this.#request))
    }
    if (holdsLogin(this.#parsed, this.#request.kept)) this.#request.drop()
    const record: CapturedRequest = {
      kind: 'request',
      exchange: this.#exchange,
      connection: head.connection,
      method: head.method,
      target: keptTarget(head.target),
      headers: keptRequestHeaders(head.headers),
      body: this.#isThin ? nothing : this.#request.kept,
      bodyBytes: this.#request.bytes,
      firstByteAt: head.firstByteAt,
      lastByteAt,
      mayWrite: true,
    }
    this.#uses++
    log.append(record, {
      unrecorded: this.#unrecorded,
      settled: () => this.#done(),
      told: (outcome) => {
        if (outcome === 'failed') this.#isInLog = false
        told?.(outcome)
      },
    })
  }

  responseHead(head: ResponseHead): void {
    this.#responseHead = head
  }

  responseBytes(bytes: Uint8Array): void {
    this.#response.add(bytes)
  }

  end(whole: boolean, lastByteAt: number): void {
    const { metrics } = this.#recording.options
    const status = whole ? (this.#responseHead?.status ?? 0) : 0
    metrics.answered('write', status, (lastByteAt - this.#head.firstByteAt) / 1e6)
    if (this.#exchange === undefined && this.#mayHaveBegun()) this.#appendRequest(lastByteAt)
    if (this.#exchange !== undefined && this.#isInLog) this.#appendResponse(status, lastByteAt)
    this.#done()
  }

  /** Newer engines carry out a bulk while it comes: of one that broke off a part may be done. */
  #mayHaveBegun(): boolean {
    return this.#parsed.api === 'bulk' && this.#request.bytes > 0
  }

  #appendResponse(status: number, lastByteAt: number): void {
    const exchange = this.#exchange!
    const { log } = this.#recording
    const items = this.#isThin && status > 0 ? this.#items() : undefined
    if (items === 'lost' || (status > 0 && this.#response.lost && keepsBodies(this.#parsed))) {
      log.addGap(this.#unrecorded, lostCause('answer', this.#response))
    }
    this.#uses++
    const given = { unrecorded: this.#unrecorded, settled: () => this.#done() }
    if (items !== undefined && items !== 'lost') {
      log.append({ kind: 'thin', exchange, status, lastByteAt, items }, given)
      return
    }
    const head = status > 0 ? this.#responseHead : undefined
    log.append(
      {
        kind: 'response',
        exchange,
        status,
        headers: head ? keptResponseHeaders(head.headers) : [],
        body: head && !this.#isThin ? this.#response.kept : nothing,
        bodyBytes: head ? this.#response.bytes : 0,
        firstByteAt: head?.firstByteAt ?? 0,
        lastByteAt: head ? lastByteAt : 0,
      },
      given,
    )
  }

  /** What a thin record says; `lost` where the bodies do not tell it. */
  #items() {
    if (!keepsBodies(this.#parsed)) return []
    if (this.#request.lost || this.#response.lost) return 'lost' as const
    return (
      thinItems({
        parsed: this.#parsed,
        request: { body: this.#request.kept, encoding: encodingOf(this.#head) },
        response: { body: this.#response.kept, encoding: encodingOf(this.#responseHead!) },
        bytesMax: this.#recording.options.bodyBytesMax,
      }) ?? ('lost' as const)
    )
  }

  /** The bodies are let go when the log and the exchange are through with them. */
  #done(): void {
    if (--this.#uses > 0) return
    this.#request.drop()
    this.#response.drop()
  }
}

const nothing = new Uint8Array(0)

function encodingOf({ headers }: { headers: readonly string[] }): string | undefined {
  return headerValue(headers, 'content-encoding')
}

function lengthOf({ headers }: { headers: readonly string[] }): number | undefined {
  return Number(headerValue(headers, 'content-length') ?? NaN) || undefined
}

function lostCause(what: 'request' | 'answer', { lost, bytes }: BodyBuffer): string {
  switch (lost) {
    case 'above its bound':
      return `the body of a ${what} is longer than capture.bodyBytesMax (${bytes} bytes)`
    case 'no memory':
      return 'more bodies at once than capture.memoryMax'
    case undefined:
      return `an ${what} from which no thin record can be made`
  }
}
