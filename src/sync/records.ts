import { kind } from '../state/store.ts'

/** Requests that are in no record; shown until the audit has looked at all that they may have changed. Key: `STREAM/OFFSET`. */
export type SyncGap = {
  stream: string
  proxy: string
  /** ISO 8601. */
  from: string
  until: string
  requests: number
  cause: string
  /** Names and patterns; null: any. */
  indices: string[] | null
  /** When the audit had looked; null: not yet. */
  explainedAt: string | null
}
export const syncGapKind = kind<SyncGap>('sync-gap')

/** A change that the target refused. Key: syncDeadLetterKey(). */
export type SyncDeadLetter = {
  index: string
  id: string
  routing: string | null
  /** The source's number; null where it is not known. */
  seqNo: number | null
  status: number
  cause: string
  reason: string
  at: string
  /** `again`: somebody has asked that it be read from the source and written once more. */
  state: 'open' | 'again' | 'discarded'
}
export const syncDeadLetterKind = kind<SyncDeadLetter>('sync-dead-letter')

export function syncDeadLetterKey({
  index,
  id,
  routing,
}: Pick<SyncDeadLetter, 'index' | 'id' | 'routing'>): string {
  return `${index}/sync/${JSON.stringify([id, routing])}`
}

/** Another shell asks the run for something. Key: what is asked. */
export type SyncRequest = { at: string; pid: number }
export type SyncRequestKey = 'stop' | 'audit'
export const syncRequestKind = kind<SyncRequest>('sync-request')

/** Whether capture was proven to see the writes of the source when the snapshot was made. Key: `start`. */
export type StartProof = {
  at: string
  /** What was found, for people. */
  finding: string
  /** It was not proven, and the snapshot was made nevertheless, on purpose. */
  forced: boolean
}
export const startProofKind = kind<StartProof>('start-proof')
