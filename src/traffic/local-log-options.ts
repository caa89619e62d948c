import type { MigrationError } from '../base/errors.ts'

/** How the stream of a local log is written. */
export interface LocalLogOptions {
  /** Of this stream alone; made when it is not there. */
  readonly folder: string
  readonly stream: string
  /** Of all segments together. What does not fit is refused. */
  readonly bytesMax: number
  /** After which a new segment is begun; default: a sixteenth of `bytesMax`, at most 64 MB. */
  readonly segmentBytesMax?: number
  /** Of what waits for the disk, in memory; default 64 MB. A single record may be larger. */
  readonly waitingBytesMax?: number
  /** Called for each group when it is safe. */
  readonly onWrite?: ((write: GroupWrite) => void) | undefined
}

/** A group of records that was made safe by one write. */
export interface GroupWrite {
  readonly seconds: number
  readonly records: number
  readonly bytes: number
}

/** What a log has done since it was opened, and how it is. */
export interface LocalLogStatus {
  /** Why nothing can be appended at present, other than that the log is full. */
  readonly failure?: MigrationError
  /** Why segments that were released are still there. */
  readonly stuck?: MigrationError
  readonly bytes: number
  readonly bytesMax: number
  /** Bytes that wait for the disk. */
  readonly waitingBytes: number
  readonly segments: number
  /** Records and bytes that are safe, and the writes that made them so, with the time that those took. */
  readonly records: number
  readonly recordBytes: number
  readonly writes: number
  readonly writeSeconds: number
  /** The position behind all that is safe. */
  readonly end: number
}
