import { join } from 'node:path'
import type { ImportTarget } from './import.ts'
import { openLocalLog } from './local-log.ts'
import { openLocalLogReader } from './local-log-reader.ts'
import { checkStreamName } from './log-folder.ts'

/** Streams of the local log in `folder`, of `bytesMax` bytes each, as targets of an import. */
export function localImportTarget(
  folder: string,
  bytesMax: number,
): (stream: string) => ImportTarget {
  return (stream) => {
    checkStreamName(stream)
    return {
      existing: () => framesOf(folder, stream),
      open: () => openLocalLog({ folder: join(folder, stream), stream, bytesMax }),
    }
  }
}

async function* framesOf(folder: string, stream: string): AsyncGenerator<Buffer> {
  const reader = openLocalLogReader(folder)
  for await (const found of reader.frames({ stream, offset: 0 }, { follow: false })) {
    if ('frame' in found) yield found.frame
  }
}
