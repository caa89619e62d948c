/** The entry of a worker that records: opens its stream of the log, and hands the recorder to the data path. */
import { epochMicros } from './clock.ts'
import type { LogHealth } from './guarded-log.ts'
import { openStream, type LogPlace } from './open-log.ts'
import { openRecorder } from './open-recorder.ts'
import type { RecorderOptions } from './recorder.ts'
import { serveWorker } from './worker.ts'

/** What the supervisor hands to each worker. */
export interface RecordingStart {
  readonly log: LogPlace
  readonly recorder: Omit<RecorderOptions, 'proxy' | 'metrics' | 'now'>
}

/** What a worker tells of its recording, once a second. */
export interface RecordingStatus {
  readonly stream: string
  readonly place: string
  readonly health: LogHealth
  readonly isThin: boolean
  readonly bytes: number
  readonly bytesMax: number
}

const tickMs = 100

serveWorker(async ({ recording, metrics }) => {
  const { log, recorder: options } = recording as RecordingStart
  const { stream, writer, place } = await openStream(log, metrics)
  const recorder = await openRecorder(writer, {
    ...options,
    proxy: stream,
    metrics,
    now: epochMicros,
  })
  const timer = setInterval(() => recorder.tick(), tickMs)
  return {
    observer: recorder,
    status: (): RecordingStatus => {
      const health = recorder.health()
      return { stream, place, health, isThin: recorder.isThin, ...writer.usage() }
    },
    close: () => recorder.close().finally(() => clearInterval(timer)),
  }
})
