/** (a) Decodes every document of a corpus, as often as asked, and throws it away. Started by measured.ts. */
import { countingStore } from '../src/blob/counting-store.ts'
import { openBlobStore } from '../src/blob/open.ts'
import type { DocumentBlock } from '../src/document/document-block.ts'
import { openShardReader } from '../src/document/open-shard-reader.ts'
import type { Snapshot } from '../src/snapshot/snapshot.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import type { Corpus } from './corpus.ts'
import { reportFigures } from './measured.ts'
import { OutputHash } from './output-hash.ts'

export interface DecodeRequest {
  readonly corpus: Corpus
  readonly passes: number
  /** Hashes what comes out (in another run than the measured one, since it costs as much again). */
  readonly withHash: boolean
}

export interface DecodeFound {
  readonly documents: number
  readonly sourceBytes: number
  readonly hash: string
  readonly bytesRead: number
  /** CPU of each pass alone: the first includes what the compiler needs to get warm. */
  readonly passCpuSeconds: number[]
}

async function decode(request: DecodeRequest): Promise<DecodeFound> {
  const { corpus, passes, withHash } = request
  const store = countingStore(openBlobStore(corpus.repository))
  const snapshot = await (await openRepository(store)).openSnapshot(corpus.snapshot)
  const passCpuSeconds: number[] = []
  let output = new OutputHash()
  let bytesRead = 0
  for (let pass = 0; pass < passes; pass++) {
    output = new OutputHash()
    const before = process.cpuUsage()
    const readBefore = store.bytesReadTotal
    await decodeOnce(snapshot, corpus, (block) => take(block, output, withHash))
    const spent = process.cpuUsage(before)
    passCpuSeconds.push((spent.user + spent.system) / 1e6)
    bytesRead = store.bytesReadTotal - readBefore
  }
  const { documents, sourceBytes } = output
  return { documents, sourceBytes, hash: output.text(), bytesRead, passCpuSeconds }
}

async function decodeOnce(
  snapshot: Snapshot,
  corpus: Corpus,
  visit: (block: DocumentBlock) => void,
): Promise<void> {
  for (let shard = 0; shard < corpus.shards; shard++) {
    const files = await snapshot.openShard(corpus.index, shard)
    const reader = await openShardReader(files, { verify: 'touched' })
    for (const segment of reader.segments)
      for await (const block of reader.readBlocks(segment.name)) visit(block)
    await reader.close()
  }
}

function take(block: DocumentBlock, output: OutputHash, withHash: boolean): void {
  for (let i = 0; i < block.count; i++) {
    const source = { start: block.sourceStart[i]!, end: block.sourceEnd[i]! }
    if (withHash)
      output.add(block.bytes, { start: block.idStart[i]!, end: block.idEnd[i]! }, source)
    else {
      output.documents++
      output.sourceBytes += source.end - source.start
    }
  }
}

if (process.send && import.meta.main)
  reportFigures(await decode(JSON.parse(process.argv[2]!) as DecodeRequest))
