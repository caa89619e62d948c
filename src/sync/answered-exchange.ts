import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CapturedRequest } from '../traffic/exchange.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'

/** An exchange whose request is in the log. */
export interface AnsweredExchange {
  readonly request: CapturedRequest
  readonly parsed: ParsedRequest
  readonly response: LoggedExchange['response']
}

/**
 * What a status says of a request as a whole.
 *
 * - `done`: it was carried out; what of it, the answer tells.
 * - `refused`: it changed nothing.
 * - `unknown`: the answer does not say whether it was carried out.
 */
export type Verdict = 'done' | 'refused' | 'unknown'

/** 408, 425 and 499 are told by what stands in between, 429 by engines that have carried out a part. */
const unknownStatuses: readonly number[] = [408, 425, 429, 499]

export function verdictOf(status: number | undefined): Verdict {
  if (status === undefined || unknownStatuses.includes(status)) return 'unknown'
  if (status >= 200 && status < 300) return 'done'
  return status >= 400 && status < 500 ? 'refused' : 'unknown'
}
