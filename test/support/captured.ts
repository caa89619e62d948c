import type {
  CapturedRequest,
  CapturedResponse,
  CaptureRecord,
} from '../../src/traffic/exchange.ts'

export interface CapturedExchange {
  readonly request: CapturedRequest
  readonly response: CapturedResponse | undefined
}

/** Requests in the order of the log, each with its answer. */
export function mergeRequests(records: readonly CaptureRecord[]): CapturedExchange[] {
  const keyOf = (one: CapturedRequest | CapturedResponse): string =>
    `${one.exchange.proxy} ${one.exchange.number}`
  const responses = new Map(
    records.flatMap((one) => (one.kind === 'response' ? [[keyOf(one), one] as const] : [])),
  )
  return records.flatMap((one) =>
    one.kind === 'request' ? [{ request: one, response: responses.get(keyOf(one)) }] : [],
  )
}
