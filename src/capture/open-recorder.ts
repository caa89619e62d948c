import type { CaptureLogWriter } from '../traffic/capture-log.ts'
import type { CaptureGap, CaptureRecord } from '../traffic/exchange.ts'
import { Recorder, type RecorderOptions } from './recorder.ts'

/**
 * Begins to record into a log: notes a gap where the last run ended without its mark (it was killed, or the machine
 * went down: a write that was under way then may have been carried out and be in no record), then that this one started.
 *
 * Throws what the log throws when it cannot be written: a proxy does not begin unrecorded. Only in the place of one that
 * was killed it does, since clients wait; the gap is then written as soon as the log is back.
 */
export async function openRecorder(
  writer: CaptureLogWriter,
  options: RecorderOptions,
): Promise<Recorder> {
  const { proxy, version, now } = options
  const { last } = writer
  const started: CaptureRecord = { kind: 'started', proxy, at: now(), version }
  const recorder = new Recorder(writer, options, last?.number ?? 0)
  if (last === undefined || last.isClean) {
    await written(writer, started)
    return recorder
  }
  const gap: CaptureGap = { kind: 'gap', proxy, from: last.at, until: now(), requests: 1, cause }
  await written(writer, gap)
    .then(() => written(writer, started))
    .catch(() => recorder.noteGap(last.at, cause))
  return recorder
}

const cause =
  'the proxy ended without being stopped: requests that were under way may be in no record'

function written(writer: CaptureLogWriter, record: CaptureRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.append(record, (error) => (error === undefined ? resolve() : reject(error)))
  })
}
