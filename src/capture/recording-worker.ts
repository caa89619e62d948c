/** The entry of a worker that records: opens its stream of the log, and hands the recorder to the data path. */
import { epochMicros } from './clock.ts'
import type { LogHealth } from './guarded-log.ts'
import { LateStream, mayPass } from './late-stream.ts'
import { openStream, placeOf, type LogPlace, type OpenStream } from './open-log.ts'
import { openRecorder, writeBeginning } from './open-recorder.ts'
import type { RecorderOptions } from './recorder.ts'
import { serveWorker, type WorkerStart } from './worker.ts'

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

serveWorker(async (start) => {
  const { recording, metrics } = start
  const opened = await openNowOrLater(start)
  const { writer } = opened
  const recorder = await openRecorder(writer, {
    ...(recording as RecordingStart).recorder,
    get proxy() {
      return opened.stream
    },
    metrics,
    now: epochMicros,
  })
  const timer = setInterval(() => recorder.tick(), tickMs)
  return {
    observer: recorder,
    status: (): RecordingStatus => {
      const health = recorder.health()
      const { stream, place } = opened
      return { stream, place, health, isThin: recorder.isThin, ...writer.usage() }
    },
    close: () => recorder.close().finally(() => clearInterval(timer)),
  }
})

/**
 * A log that is away keeps no client from the source: it is opened when it is back. What a person is to mend is an error
 * of the first start, and of no later one: then clients are there already.
 */
async function openNowOrLater(start: WorkerStart): Promise<OpenStream> {
  const { worker, isRestart, recording, metrics, warn } = start
  const { log, recorder } = recording as RecordingStart
  // Of the topic, which is the same for all workers.
  const onWarning = worker === 0 ? warn : undefined
  const open = (): Promise<OpenStream> => openStream(log, { metrics, onWarning })
  try {
    return await open()
  } catch (error) {
    if (!isRestart && !mayPass(error)) throw error
    const effect = recorder.onLogFailure === 'pass' ? 'pass unrecorded, as a gap' : 'are refused'
    const failure = error as Error
    warn(`until the capture log can be opened, writes ${effect}: ${failure.message}`)
    const { version } = recorder
    return new LateStream({
      ...{ open, failure },
      begin: (opened) =>
        writeBeginning(opened.writer, { proxy: opened.stream, version, now: epochMicros }),
      meanwhile: {
        stream: `${log.name}.${worker}`,
        place: placeOf(log),
        bytesMax: log.kafka ? Infinity : log.bytesMax,
      },
    })
  }
}
