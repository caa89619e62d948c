import type { LogBehind } from '../traffic/capture-log.ts'
import type { Lag, StreamStatus } from './status.ts'
import type { FeedFacts } from '../traffic/log-feed.ts'
import type { StreamProgress } from '../traffic/stream-progress.ts'

export interface StreamFacts extends FeedFacts {
  readonly progress: StreamProgress
}

/** How far a stream is behind, as far as that is known. */
export function streamStatus(facts: StreamFacts, nowMs: number): StreamStatus {
  const { progress, log } = facts
  const { readAt } = progress
  return {
    stream: progress.stream,
    log,
    lag: lagOf(facts, nowMs),
    unanswered: progress.unanswered,
    recordedAt: readAt === 0 ? null : new Date(readAt / 1000).toISOString(),
  }
}

function lagOf({ progress, behind, read }: StreamFacts, nowMs: number): Lag {
  const { oldestAt, readAt, unsettled } = progress
  const bytes = behind?.bytes ?? null
  const isRead = behind !== undefined && Object.values(behind).every((count) => count === 0)
  const recordBytes = read.records === 0 ? undefined : read.bytes / read.records
  const unread = isRead ? 0 : unreadRecords(behind, recordBytes)
  const since = oldestAt ?? (isRead || readAt === 0 ? undefined : readAt)
  return {
    records: unread === null ? null : unread + unsettled,
    isEstimate: !isRead && behind?.records === undefined,
    bytes,
    seconds: since === undefined ? 0 : Math.max(0, Math.round(nowMs / 1000 - since / 1e6)),
  }
}

/** A message of Kafka holds one record at least. */
function unreadRecords(
  behind: LogBehind | undefined,
  recordBytes: number | undefined,
): number | null {
  if (behind?.records !== undefined) return behind.records
  if (behind?.messages !== undefined) return behind.messages
  if (behind?.bytes === undefined || recordBytes === undefined) return null
  return Math.ceil(behind.bytes / recordBytes)
}

/** All streams together: what is not known of one is not known of the whole. */
export function wholeLag(streams: readonly StreamStatus[]): Lag {
  const lags = streams.map(({ lag }) => lag)
  return {
    records: sumOrNull(lags.map(({ records }) => records)),
    isEstimate: lags.some(({ isEstimate }) => isEstimate),
    bytes: sumOrNull(lags.map(({ bytes }) => bytes)),
    seconds: Math.max(0, ...lags.map(({ seconds }) => seconds)),
  }
}

function sumOrNull(counts: readonly (number | null)[]): number | null {
  return counts.reduce<number | null>(
    (sum, one) => (sum === null || one === null ? null : sum + one),
    0,
  )
}
