import type { CaptureRecord } from './exchange.ts'

/**
 * A place in one stream of a capture log: a proxy's local log, or a partition of a topic. `offset` only grows; what it
 * counts is the store's own affair.
 */
export interface LogPosition {
  readonly stream: string
  readonly offset: number
}

/** The end of a stream as a writer finds it. */
export interface StreamEnd {
  /** Whether its last record is a `stopped` mark. */
  readonly isClean: boolean
  /** The latest time of its last records, in epoch microseconds. */
  readonly at: number
  /** The greatest number of an exchange in it; 0 for none. */
  readonly number: number
}

/** The side that the proxy writes. Records of one stream are read back in the order of `append`. */
export interface CaptureLogWriter {
  /**
   * Takes a record. `durable` is called once: without an error when the record outlives a crash of process and machine,
   * with a MigrationError when it is not known to. It may be in the log all the same: a broker that timed out may have
   * taken it. So it is told as part of a gap, and a gap beside a record is harmless: what it covers is looked at once
   * more. Never throws, never waits for space: a log that is full refuses at once. Bodies are not copied, so their bytes
   * may not change until then.
   */
  append(record: CaptureRecord, durable: (error?: Error) => void): void
  /** What the stream ended with when it was opened; undefined for an empty one. */
  readonly last: StreamEnd | undefined
  /** Bytes held, and the bound (`capture.log.bytesMax`); both are estimates between two flushes. */
  usage(): { readonly bytes: number; readonly bytesMax: number }
  /** Waits for what was appended, then releases files and connections. */
  close(): Promise<void>
}

/** A record with the position after it: reading on from there misses nothing and repeats nothing. */
export interface LoggedRecord {
  readonly record: CaptureRecord
  readonly next: LogPosition
}

/** What lies between a position and the end of its stream: one of them is known, or two. */
export interface LogBehind {
  readonly bytes?: number
  /** Of Kafka: each holds some records. */
  readonly messages?: number
  readonly records?: number
}

/** The side that sync, shadow, export and `log show` read. */
export interface CaptureLogReader {
  /** The streams there are, each with its oldest and its next position; a stream may appear later. */
  streams(): Promise<{ readonly oldest: LogPosition; readonly end: LogPosition }[]>
  /**
   * Records of one stream in order, from `from` on. With `follow` it waits for more, else it ends at the end. Throws
   * MA_CAPTURE_LOG where bytes are damaged, naming file and offset; a torn tail of a crashed writer is its end.
   */
  read(
    from: LogPosition,
    options: { follow: boolean; signal?: AbortSignal },
  ): AsyncIterable<LoggedRecord>
  /** How much lies behind `position`, counted as the store can without reading it. */
  behind(position: LogPosition): Promise<LogBehind>
  /** Lets go of everything before `position`: only then may the store remove it. */
  release(position: LogPosition): Promise<void>
  close(): Promise<void>
}
