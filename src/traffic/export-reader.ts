import type { CaptureLogReader, LogBehind, LoggedRecord, LogPosition } from './capture-log.ts'
import { readExport } from './export-read.ts'
import { MigrationError } from '../base/errors.ts'

/** Opens an export to be read as a capture log that nobody writes to; positions count records. */
export function openExportReader(file: string): CaptureLogReader {
  return new ExportReader(file)
}

class ExportReader implements CaptureLogReader {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Reads the file from end to end, and so finds whether it is whole. */
  async streams(): Promise<{ oldest: LogPosition; end: LogPosition }[]> {
    const counts = new Map<string, number>()
    for await (const entry of readExport(this.#file)) {
      if (entry.kind === 'stream') counts.set(entry.stream, 0)
      if (entry.kind === 'record') counts.set(entry.stream, counts.get(entry.stream)! + 1)
    }
    return [...counts].map(([stream, count]) => ({
      oldest: { stream, offset: 0 },
      end: { stream, offset: count },
    }))
  }

  async *read(
    { stream, offset }: LogPosition,
    { signal }: { follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<LoggedRecord> {
    let count = 0
    for await (const entry of readExport(this.#file)) {
      signal?.throwIfAborted()
      if (entry.kind !== 'record' || entry.stream !== stream) {
        if (count > 0) return
        continue
      }
      count++
      if (count > offset) yield { record: entry.record, next: { stream, offset: count } }
    }
  }

  async behind({ stream, offset }: LogPosition): Promise<LogBehind> {
    const found = (await this.streams()).find(({ end }) => end.stream === stream)
    return { records: Math.max(0, (found?.end.offset ?? 0) - offset) }
  }

  async release(): Promise<void> {
    throw new MigrationError(
      'MA_CAPTURE_LOG',
      `${this.#file} is an export: nothing of it is released`,
    )
  }

  async close(): Promise<void> {}
}
