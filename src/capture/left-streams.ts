import { existsSync, readdirSync } from 'node:fs'
import { epochMicros } from './clock.ts'
import { Metrics } from './metrics.ts'
import { openNamedStream, type LogPlace } from './open-log.ts'
import { openRecorder } from './open-recorder.ts'
import type { RecordingStart } from './recording-worker.ts'

const retryMs = 2_000

/**
 * Streams of a proxy that no worker goes on with get their end: a gap where the one that wrote them ended without its
 * mark, and the mark. Whoever reads the log need not wait for more of them. Begun at the proxy's start and whenever a worker
 * has ended, since the next one may take another stream; while the log is away it is tried again.
 */
export class LeftStreams {
  readonly #recording: RecordingStart
  readonly #onWarning: (message: string) => void
  readonly #told = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #ending: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(recording: RecordingStart, onWarning: (message: string) => void) {
    this.#recording = recording
    this.#onWarning = onWarning
  }

  /** Ends those that there are now, without being waited for; what cannot be ended is told, and tried again later. */
  begin(): void {
    this.#ending = this.#ending.then(() => this.#endAll())
  }

  /** The same a little later: by then the next worker has its stream. */
  endSoon(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.begin(), retryMs)
  }

  /** Ends them for the last time. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.begin()
    await this.#ending
  }

  async #endAll(): Promise<void> {
    for (const stream of this.#streams()) {
      try {
        await endStream(this.#recording, stream)
      } catch (error) {
        this.#tell(`the stream ${stream} has no end yet: ${(error as Error).message}`)
        this.endSoon()
      }
    }
  }

  #streams(): string[] {
    try {
      return streamsOf(this.#recording.log)
    } catch (error) {
      this.#tell(`streams of the capture log may have no end yet: ${(error as Error).message}`)
      this.endSoon()
      return []
    }
  }

  #tell(message: string): void {
    if (!this.#told.has(message)) this.#onWarning(message)
    this.#told.add(message)
  }
}

async function endStream({ log, recorder }: RecordingStart, stream: string): Promise<void> {
  const opened = await openNamedStream(log, stream, { metrics: new Metrics() })
  if (opened === undefined) return
  const { writer } = opened
  if (writer.last === undefined || writer.last.isClean) return writer.close()
  const options = { ...recorder, proxy: stream, metrics: new Metrics(), now: epochMicros }
  await (await openRecorder(writer, options)).close()
}

function streamsOf({ dir, name }: LogPlace): string[] {
  const isOurs = (stream: string): boolean =>
    stream.startsWith(`${name}.`) && /^\d+$/.test(stream.slice(name.length + 1))
  return existsSync(dir) ? readdirSync(dir).filter(isOurs).sort() : []
}
