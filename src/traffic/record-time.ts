import type { CaptureRecord } from './exchange.ts'

/** Epoch microseconds at which a record was complete; 0 where it does not say. */
export function recordTime(record: CaptureRecord): number {
  switch (record.kind) {
    case 'request':
    case 'response':
    case 'thin':
      return record.lastByteAt
    case 'gap':
      return record.until
    case 'started':
    case 'stopped':
      return record.at
  }
}
