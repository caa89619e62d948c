import { crc32 } from 'node:zlib'
import type { ExportEntry } from './export-read.ts'
import { readKnownExport } from './known-stream.ts'
import { encodeRecord } from './record-encode.ts'

/** All of a file of the known tool is one stream here: its connections come from several proxies, mixed. */
const stream = 'known'

/** A file that the known tool has exported (known-stream.ts), as an export of ours would have it. */
export async function* knownEntries(file: string): AsyncGenerator<ExportEntry> {
  let [records, bytes, checksum] = [0, 0, 0]
  yield { kind: 'stream', stream }
  for await (const record of readKnownExport(file)) {
    const frame = encodeRecord(record)
    records++
    bytes += frame.length
    checksum = crc32(frame, checksum)
    yield { kind: 'record', stream, record, frame }
  }
  yield { kind: 'end', records, bytes, checksum }
}
