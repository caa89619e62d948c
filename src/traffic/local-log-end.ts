import { MigrationError } from '../base/errors.ts'
import type { StreamEnd } from './capture-log.ts'
import type { CaptureRecord } from './exchange.ts'
import { FrameScanner, findMark } from './frame-scanner.ts'
import type { ClosedSegment } from './local-log-recovery.ts'
import { damageOf, openSegment, segmentFile } from './log-folder.ts'
import { decodeContent } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'
import { recordTime } from './record-time.ts'
import { markKind } from './segment-layout.ts'

/**
 * What a stream ended with: its last segments are read, backwards to the last one that holds a request, since no answer
 * has a number that a request before it has not. Undefined where no record is.
 */
export async function readStreamEnd(
  folder: string,
  segments: readonly ClosedSegment[],
): Promise<StreamEnd | undefined> {
  let found: StreamEnd | undefined
  for (const { number, bytes } of [...segments].reverse()) {
    const path = segmentFile(folder, number)
    const end = await endOf(path, bytes)
    if (end === undefined) continue
    found = {
      isClean: found?.isClean ?? end.isClean,
      at: Math.max(found?.at ?? 0, end.at),
      number: Math.max(found?.number ?? 0, end.number),
    }
    if (end.hasRequest) return found
  }
  return found
}

interface SegmentContents extends StreamEnd {
  readonly hasRequest: boolean
}

/** Damage is passed over here: it is told to those who read the log. */
async function endOf(path: string, bytes: number): Promise<SegmentContents | undefined> {
  const segment = await openSegment(path).catch(damageOf)
  if (segment === undefined || segment instanceof MigrationError) return undefined
  let found: SegmentContents | undefined
  try {
    const scanner = new FrameScanner(segment.file, segment.headerBytes)
    while (scanner.position < bytes) {
      const place = { file: path, offset: scanner.position }
      const frame = scanner.take()
      if (frame !== undefined) {
        if (frame[frameHeadBytes] === markKind) continue
        found = withRecord(found, decodeContent(frame.subarray(frameHeadBytes), place))
      } else if ((await scanner.load()) !== undefined) {
        const mark = await findMark(segment, place.offset + 1)
        if (mark === undefined) return found
        scanner.seek(mark)
      }
    }
    return found
  } finally {
    await segment.file.close()
  }
}

function withRecord(found: SegmentContents | undefined, record: CaptureRecord): SegmentContents {
  return {
    isClean: record.kind === 'stopped',
    at: Math.max(found?.at ?? 0, recordTime(record)),
    number: Math.max(found?.number ?? 0, 'exchange' in record ? record.exchange.number : 0),
    hasRequest: found?.hasRequest === true || record.kind === 'request',
  }
}
