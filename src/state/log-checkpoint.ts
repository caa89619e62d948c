import { kind } from './store.ts'

/**
 * How far a consumer of the capture log has come in one of its streams: everything before is done with. Key:
 * `STREAM CONSUMER`, so that the consumers of a stream lie side by side: the log keeps what the last of them needs.
 */
export type LogCheckpoint = {
  stream: string
  consumer: 'sync' | 'shadow'
  offset: number
  /** Epoch microseconds of the newest record before it; 0: none yet. */
  recordedAt: number
  at: string
}
export const logCheckpointKind = kind<LogCheckpoint>('log-checkpoint')

export function logCheckpointKey({
  stream,
  consumer,
}: Pick<LogCheckpoint, 'stream' | 'consumer'>): string {
  return `${stream} ${consumer}`
}

const forgottenAfterMs = 10 * 60_000

/**
 * From where on a stream is still needed; undefined: nobody has read of it. Sync counts whether it runs or not; a replay
 * only while it runs: one that has not told of itself for ten minutes holds up no log.
 */
export function neededFrom(
  checkpoints: readonly LogCheckpoint[],
  nowMs: number,
): number | undefined {
  const needed = checkpoints.filter(
    ({ consumer, at }) => consumer === 'sync' || nowMs - Date.parse(at) < forgottenAfterMs,
  )
  return needed.length === 0 ? undefined : Math.min(...needed.map(({ offset }) => offset))
}
