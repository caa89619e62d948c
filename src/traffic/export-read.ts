import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createGunzip, crc32 } from 'node:zlib'
import { MigrationError } from '../base/errors.ts'
import type { CaptureRecord } from './exchange.ts'
import { exportKinds, parseBegin, parseEnd, parseStream } from './export-layout.ts'
import type { ExportEnd, TimeWindow } from './export-layout.ts'
import { damaged } from './log-errors.ts'
import { Taker } from './log-stream.ts'
import { decodeContent, isWhole } from './record-decode.ts'
import { contentBytesMax, frameHeadBytes } from './record-layout.ts'

/** What stands in an export, in order. `frame` is the record from end to end. */
export type ExportEntry =
  | ({ readonly kind: 'begin' } & TimeWindow)
  | { readonly kind: 'stream'; readonly stream: string }
  | {
      readonly kind: 'record'
      readonly stream: string
      readonly record: CaptureRecord
      readonly frame: Buffer
    }
  | ({ readonly kind: 'end' } & ExportEnd)

/** Whether a file begins as an export does. */
export async function isExport(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const bytes = Buffer.alloc(2)
    await file.read(bytes, 0, 2, 0)
    return bytes.readUInt16BE() === 0x1f8b
  } finally {
    await file.close()
  }
}

/**
 * Reads an export from end to end; its last entry is `end`, by which all before it is proven whole. Throws MA_CAPTURE_LOG,
 * with the byte of what is unpacked, where the file is damaged or not whole. Memory is one record.
 */
export async function* readExport(path: string): AsyncGenerator<ExportEntry> {
  const packed = createReadStream(path)
  const chunks = packed.pipe(createGunzip())
  packed.on('error', (error) => chunks.destroy(error))
  const taker = new Taker(chunks)
  try {
    yield* entries(taker, path)
  } catch (error) {
    if (error instanceof MigrationError) throw error
    if (isMissing(error)) throw missingError(path)
    throw damaged(
      {
        ...{ file: path, offset: taker.position, expected: 'a whole export' },
        found: `what cannot be unpacked (${error instanceof Error ? error.message : String(error)})`,
      },
      error,
    )
  } finally {
    packed.destroy()
    chunks.destroy()
  }
}

async function* entries(taker: Taker, file: string): AsyncGenerator<ExportEntry> {
  let stream: string | undefined
  let [records, bytes, checksum] = [0, 0, 0]
  for (let isFirst = true; ; isFirst = false) {
    const place = { file, offset: taker.position }
    const frame = await takeFrame(taker, file)
    const content = frame.subarray(frameHeadBytes)
    const kind = content[0]!
    if (isFirst !== (kind === exportKinds.begin)) {
      throw damaged({ ...place, expected: 'the beginning of an export', found: `kind ${kind}` })
    }
    if (kind === exportKinds.end) {
      const end = parseEnd(content, place)
      checkEnd(end, { records, bytes, checksum }, place)
      await expectEnd(taker, file)
      yield { kind: 'end', ...end }
      return
    }
    bytes += frame.length
    checksum = crc32(frame, checksum)
    if (kind === exportKinds.begin) {
      yield { kind: 'begin', ...parseBegin(content, place) }
    } else if (kind === exportKinds.stream) {
      stream = parseStream(content, place)
      yield { kind: 'stream', stream }
    } else if (stream === undefined) {
      throw damaged({ ...place, expected: 'the name of a stream', found: 'a record' })
    } else {
      records++
      yield { kind: 'record', stream, record: decodeContent(content, place), frame }
    }
  }
}

async function takeFrame(taker: Taker, file: string): Promise<Buffer> {
  const offset = taker.position
  const head = await taker.take(frameHeadBytes)
  const length = head?.readUInt32BE(4) ?? 0
  const isPossible = length >= 2 && length <= contentBytesMax
  const content = isPossible ? await taker.take(length) : undefined
  if (head === undefined || (isPossible && content === undefined)) {
    const found = 'the end: the export was broken off'
    throw damaged({ file, offset, expected: 'the rest of the export', found })
  }
  const frame = Buffer.concat([head, content ?? Buffer.alloc(0)])
  if (content === undefined || !isWhole(frame)) {
    throw damaged({ file, offset, expected: 'a record that fits its checksum', found: 'another' })
  }
  return frame
}

async function expectEnd(taker: Taker, file: string): Promise<void> {
  const offset = taker.position
  if ((await taker.take(1)) === undefined) return
  throw damaged({ file, offset, expected: 'the end of the export', found: 'more bytes' })
}

function checkEnd(
  told: ExportEnd,
  found: ExportEnd,
  place: { file: string; offset: number },
): void {
  const text = ({ records, bytes, checksum }: ExportEnd): string =>
    `${records} records in ${bytes} bytes with checksum ${checksum.toString(16)}`
  if (text(told) === text(found)) return
  throw damaged({ ...place, expected: text(told), found: text(found) })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function missingError(path: string): MigrationError {
  return new MigrationError('MA_CONFIG', `there is no file ${path}`, { details: { path } })
}
