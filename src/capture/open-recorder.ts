import type { CaptureLogWriter } from '../traffic/capture-log.ts'
import type { CaptureRecord } from '../traffic/exchange.ts'
import { Recorder, type RecorderOptions } from './recorder.ts'

/**
 * Begins to record into a log. One that does not take the beginning is out from then on, as one that fails later:
 * `onLogFailure` says what becomes of writes, and the gap begins here, or where the last run ended without its mark.
 */
export async function openRecorder(
  writer: CaptureLogWriter,
  options: RecorderOptions,
): Promise<Recorder> {
  const begun = options.now()
  const recorder = new Recorder(writer, options)
  await writeBeginning(writer, options).catch((error: unknown) => {
    const { last } = writer
    const isUnclean = last?.isClean === false
    recorder.beginOut(isUnclean ? last.at : begun, (error as Error).message)
  })
  return recorder
}

/**
 * Writes what the records of a run begin with: a gap where the last run ended without its mark (it was killed, or the
 * machine went down: a write that was under way then may have been carried out and be in no record), then that this one
 * started. Rejects with what the log says when it does not take it.
 */
export async function writeBeginning(
  writer: CaptureLogWriter,
  { proxy, version, now }: Pick<RecorderOptions, 'proxy' | 'version' | 'now'>,
): Promise<void> {
  const { last } = writer
  if (last?.isClean === false) {
    await written(writer, {
      ...{ kind: 'gap', proxy, from: last.at, until: now(), requests: 1 },
      cause:
        'the proxy ended without being stopped: requests that were under way may be in no record',
    })
  }
  await written(writer, { kind: 'started', proxy, at: now(), version })
}

function written(writer: CaptureLogWriter, record: CaptureRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.append(record, (error) => (error === undefined ? resolve() : reject(error)))
  })
}
