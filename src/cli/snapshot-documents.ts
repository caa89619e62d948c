import type { DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import { openConfiguredSnapshot, selectedIndices } from '../migration/open-snapshot.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import type { Invocation } from './command.ts'
import { isOutputClosed, writeOut } from './output.ts'
import { lacksShard } from './snapshot-views.ts'

/** NDJSON on stdout, one document a line, as fast as the reader of stdout takes it. */
export async function printDocuments(invocation: Invocation): Promise<void> {
  const { config } = await invocation.loadConfig()
  const snapshot = await openConfiguredSnapshot(config)
  const { verify } = config.backfill
  for (const index of await selectedIndices(config, snapshot, true)) {
    const metadata = await snapshot.readIndexMetadata(index)
    const lines = new DocumentLines(index, onlyTypeOf(metadata))
    for (let shard = 0; shard < metadata.numberOfShards; shard++) {
      if (lacksShard(snapshot, index, shard)) continue
      const reader = await openShardReader(await snapshot.openShard(index, shard), { verify })
      try {
        for (const segment of reader.segments) {
          for await (const block of reader.readBlocks(segment.name)) {
            for (const chunk of lines.of(block)) await writeOut(chunk)
            if (isOutputClosed()) return
          }
        }
      } finally {
        await reader.close()
      }
    }
  }
}

/**
 * The type of all documents of an index made by 6.x: there a document does not hold it, since an index has but one.
 * undefined for later indices, which have none, and for earlier ones, whose documents name theirs.
 */
function onlyTypeOf({ createdVersion, mappings }: IndexMetadata): string | undefined {
  if (createdVersion >= 7_000_000 || createdVersion < 6_000_000) return undefined
  return Object.keys(mappings)[0]
}

/** Bytes of lines written at once. */
const chunkBytes = 256 * 1024

/**
 *   line = {"index":…,"id":…[,"routing":…][,"type":…][,"seqNo":N][,"version":N][,"source":SOURCE]}\n
 *
 * SOURCE is copied as it lies in the block; everything else is short.
 */
class DocumentLines {
  readonly #head: string
  readonly #onlyType: string

  constructor(index: string, onlyType: string | undefined) {
    this.#head = `{"index":${JSON.stringify(index)},"id":`
    this.#onlyType = onlyType === undefined ? '' : `,"type":${JSON.stringify(onlyType)}`
  }

  /** The lines of a block in pieces of about chunkBytes. Each piece is a buffer of its own: stdout keeps it for a while. */
  *of(block: DocumentBlock): Iterable<Buffer> {
    let parts: Buffer[] = []
    let byteLength = 0
    for (let i = 0; i < block.count; i++) {
      const head = Buffer.from(this.#headOf(block, i))
      const start = block.sourceStart[i]!
      parts.push(head)
      byteLength += head.length
      if (start >= 0) {
        const source = block.bytes.subarray(start, block.sourceEnd[i])
        parts.push(source)
        byteLength += source.length
      }
      parts.push(lineEnd)
      byteLength += lineEnd.length
      if (byteLength >= chunkBytes) {
        yield Buffer.concat(parts, byteLength)
        parts = []
        byteLength = 0
      }
    }
    if (byteLength > 0) yield Buffer.concat(parts, byteLength)
  }

  #headOf(block: DocumentBlock, i: number): string {
    const text = (start: number, end: number): string =>
      JSON.stringify(block.bytes.toString('utf8', start, end))
    let head = this.#head + text(block.idStart[i]!, block.idEnd[i]!)
    const routing = block.routingStart[i]!
    if (routing >= 0) head += `,"routing":${text(routing, block.routingEnd[i]!)}`
    const type = block.typeStart[i]!
    head += type >= 0 ? `,"type":${text(type, block.typeEnd[i]!)}` : this.#onlyType
    const seqNo = block.seqNo[i]!
    if (seqNo >= 0) head += `,"seqNo":${seqNo}`
    const version = block.version[i]!
    if (version >= 0) head += `,"version":${version}`
    return block.sourceStart[i]! >= 0 ? `${head},"source":` : head
  }
}

const lineEnd = Buffer.from('}\n')
