import { allOf } from '../base/all-of.ts'
import type { CaptureLogReader, LoggedRecord } from './capture-log.ts'
import { recordTime } from './record-time.ts'

export interface ReadStreamsOptions {
  readonly follow: boolean
  readonly signal?: AbortSignal
}

/** Takes a record; false: no more are wanted. The next one waits for it. */
export type OnRecord = (logged: LoggedRecord) => Promise<boolean>

/**
 * Reads all streams of a log: in order of time where it has an end, as records come where it is followed. A stream that
 * appears later is not among them.
 */
export async function readStreams(
  reader: CaptureLogReader,
  options: ReadStreamsOptions,
  onRecord: OnRecord,
): Promise<void> {
  return options.follow
    ? followStreams(reader, options, onRecord)
    : mergeStreams(reader, options, onRecord)
}

async function followStreams(
  reader: CaptureLogReader,
  { signal }: ReadStreamsOptions,
  onRecord: OnRecord,
): Promise<void> {
  const enough = new AbortController()
  const stop = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal])
  const follow = async (read: AsyncIterable<LoggedRecord>): Promise<void> => {
    try {
      for await (const logged of read) if (!(await onRecord(logged))) return
    } catch (error) {
      if (!enough.signal.aborted) throw error
    } finally {
      enough.abort()
    }
  }
  const streams = await reader.streams()
  await allOf(
    streams.map(({ oldest }) => follow(reader.read(oldest, { follow: true, signal: stop }))),
  )
  signal?.throwIfAborted()
}

interface Head {
  readonly iterator: AsyncIterator<LoggedRecord>
  readonly logged: LoggedRecord
}

async function mergeStreams(
  reader: CaptureLogReader,
  options: ReadStreamsOptions,
  onRecord: OnRecord,
): Promise<void> {
  const iterators: AsyncIterator<LoggedRecord>[] = []
  const heads: Head[] = []
  const advance = async (iterator: AsyncIterator<LoggedRecord>): Promise<void> => {
    const head = await iterator.next()
    if (head.done !== true) heads.push({ iterator, logged: head.value })
  }
  try {
    for (const { oldest } of await reader.streams()) {
      const iterator = reader.read(oldest, options)[Symbol.asyncIterator]()
      iterators.push(iterator)
      await advance(iterator)
    }
    while (heads.length > 0) {
      const times = heads.map(({ logged }) => recordTime(logged.record))
      const [{ iterator, logged }] = heads.splice(times.indexOf(Math.min(...times)), 1) as [Head]
      if (!(await onRecord(logged))) return
      await advance(iterator)
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}
