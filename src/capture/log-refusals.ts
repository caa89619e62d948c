import type { Refusal } from './observer.ts'
import { ownError } from './own-answers.ts'

/** Before anything was sent to the source. */
export function logOutRefusal(cause: string): Refusal {
  return ownError(
    503,
    'log',
    `writes are refused because they cannot be recorded: the capture log is out (${cause}). The request did not reach the source; send it again.`,
  )
}

/** After the source has had the request. */
export function notRecordedRefusal(cause: string): Refusal {
  return ownError(
    503,
    'log',
    `the capture log failed while the source worked on this request (${cause}). It may have been carried out, and is noted as a gap; send it again.`,
  )
}
