import { answeredItems } from '../traffic/answered-items.ts'
import { parseRequest, type ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CaptureLogReader, LogPosition } from '../traffic/capture-log.ts'
import type { CapturedResponse, CaptureRecord, ExchangeId } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'

/** Writes that are in the capture log, counted as the engine counts them: a document at a time, refused ones not. */
export interface SeenWrites {
  readonly byIndex: ReadonlyMap<string, number>
  /** Requests whose documents the answer does not name: by query, or in a form that is not read here. */
  readonly uncounted: number
  /** Requests in gaps. */
  readonly inGaps: number
}

/** Where the streams of a log end now. */
export async function endOfLog(log: CaptureLogReader): Promise<ReadonlyMap<string, LogPosition>> {
  return new Map((await log.streams()).map(({ end }) => [end.stream, end]))
}

/** Between two looks at the counters of the source, in epoch microseconds: each look takes its time. */
export interface Window {
  /** When the first look began, and when the second one had ended. */
  readonly from: number
  readonly until: number
}

/**
 * Counts what has come into the log since `start` and may have been carried out within `window`: all exchanges that were
 * under way in it.
 */
export async function countSeenWrites(
  log: CaptureLogReader,
  { start, window, signal }: SeenWritesOptions,
): Promise<SeenWrites> {
  const count = new WriteCount(window)
  for (const { oldest } of await log.streams()) {
    const from = start.get(oldest.stream) ?? oldest
    for await (const { record } of log.read(from, { follow: false, signal })) count.add(record)
  }
  return count
}

export interface SeenWritesOptions {
  readonly start: ReadonlyMap<string, LogPosition>
  readonly window: Window
  readonly signal: AbortSignal
}

const answerBytesMax = 512 << 20

class WriteCount implements SeenWrites {
  readonly byIndex = new Map<string, number>()
  uncounted = 0
  inGaps = 0
  readonly #asked = new Map<string, ParsedRequest>()
  readonly #window: Window

  constructor(window: Window) {
    this.#window = window
  }

  add(record: CaptureRecord): void {
    switch (record.kind) {
      case 'request':
        if (record.mayWrite && record.firstByteAt <= this.#window.until) {
          this.#asked.set(keyOf(record.exchange), parseRequest(record.method, record.target))
        }
        break
      case 'response':
        this.#answered(record)
        break
      case 'thin':
        if (!this.#asked.delete(keyOf(record.exchange)) || !this.#isIn(record.lastByteAt)) break
        for (const { index, result } of record.items) this.#count(index, result)
        break
      case 'gap':
        this.inGaps += record.requests
        break
      case 'started':
      case 'stopped':
        break
    }
  }

  #isIn(lastByteAt: number): boolean {
    return lastByteAt >= this.#window.from
  }

  #answered({ exchange, status, body, headers, lastByteAt }: CapturedResponse): void {
    const key = keyOf(exchange)
    const parsed = this.#asked.get(key)
    this.#asked.delete(key)
    if (parsed === undefined || status >= 400 || !this.#isIn(lastByteAt)) return
    if (parsed.effect === 'by-query') this.uncounted++
    if (parsed.effect !== 'documents') return
    const encoding = headerValue(headers, 'content-encoding')
    const items = answeredItems(parsed, { body, encoding }, answerBytesMax)
    if (items === undefined) this.uncounted++
    for (const { index, result, isError } of items ?? []) if (!isError) this.#count(index, result)
  }

  #count(index: string, result: string): void {
    if (!countedResults.includes(result)) return
    this.byIndex.set(index, (this.byIndex.get(index) ?? 0) + 1)
  }
}

/** An operation that changes nothing (noop) is none for the engine; a delete of nothing is one. */
const countedResults: readonly string[] = ['created', 'updated', 'deleted', 'not_found']

function keyOf({ proxy, number }: ExchangeId): string {
  return `${proxy} ${number}`
}
