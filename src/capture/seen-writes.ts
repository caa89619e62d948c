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

/** Counts what has come into the log since `from`, up to its present end. */
export async function countSeenWrites(
  log: CaptureLogReader,
  from: ReadonlyMap<string, LogPosition>,
  signal: AbortSignal,
): Promise<SeenWrites> {
  const count = new WriteCount()
  for (const { oldest } of await log.streams()) {
    const start = from.get(oldest.stream) ?? oldest
    for await (const { record } of log.read(start, { follow: false, signal })) count.add(record)
  }
  return count
}

const answerBytesMax = 512 << 20

class WriteCount implements SeenWrites {
  readonly byIndex = new Map<string, number>()
  uncounted = 0
  inGaps = 0
  readonly #asked = new Map<string, ParsedRequest>()

  add(record: CaptureRecord): void {
    switch (record.kind) {
      case 'request':
        if (record.mayWrite) {
          this.#asked.set(keyOf(record.exchange), parseRequest(record.method, record.target))
        }
        break
      case 'response':
        this.#answered(record)
        break
      case 'thin':
        this.#asked.delete(keyOf(record.exchange))
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

  #answered({ exchange, status, body, headers }: CapturedResponse): void {
    const key = keyOf(exchange)
    const parsed = this.#asked.get(key)
    this.#asked.delete(key)
    // One whose request stands before `from` is counted by those who count what was asked then.
    if (parsed === undefined || status >= 400) return
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
