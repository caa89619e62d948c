import { MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { documentAt, type DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import { CanonicalDigest } from './canonical.ts'
import { prepareScan } from './cluster-scan.ts'
import { blockOf, type BlockChange } from './hit-blocks.ts'
import { HitPageReader, type Hit } from './hit-page.ts'

/** A document of one side as it is compared. */
export interface ShownDocument {
  readonly id: string
  readonly routing: string | null
  /** JSON text; undefined: the index keeps none. */
  readonly source: string | undefined
}

const hitsMax = 10_000

/** All documents of this id in an index of a cluster: several where they have other routings. */
export async function documentsInCluster(
  cluster: Cluster,
  index: string,
  id: string,
  options: { change?: BlockChange | undefined; signal: AbortSignal },
): Promise<ShownDocument[]> {
  const { change, signal } = options
  const path = `/${encodeURIComponent(index)}`
  const shape = await prepareScan(cluster, index, signal)
  if (shape === undefined) return []
  const { body } = await cluster.requestRaw('POST', `${path}/_search`, {
    body: { query: { ids: { values: [id] } }, size: Math.min(hitsMax, shape.pageDocumentsMax) },
    repeatable: true,
    signal,
  })
  const hits: Hit[] = []
  const reader = new HitPageReader(new CanonicalDigest())
  reader.read(body, `${cluster.url}: search of ${index}`, () => void hits.push(reader.hit()))
  return documentsOf(changed(one(blockOf(hits)), change), () => true)
}

/** All documents of this id, which they have after the change, in an index of a snapshot: it is read until its end. */
export async function documentsInSnapshot(
  snapshot: Snapshot,
  index: string,
  id: string,
  options: { change?: BlockChange | undefined; signal: AbortSignal },
): Promise<ShownDocument[]> {
  const found: ShownDocument[] = []
  const { numberOfShards } = await snapshot.readIndexMetadata(index)
  for (let shard = 0; shard < numberOfShards; shard++) {
    const reader = await openShardReader(await snapshot.openShard(index, shard), {
      verify: 'touched',
    })
    try {
      for (const { name } of reader.segments) {
        const blocks = changed(stoppable(reader.readBlocks(name), options.signal), options.change)
        found.push(...(await documentsOf(blocks, (one) => one === id)))
      }
    } finally {
      await reader.close()
    }
  }
  return found
}

function changed(
  blocks: AsyncIterable<DocumentBlock>,
  change: BlockChange | undefined,
): AsyncIterable<DocumentBlock & Partial<TransformedBlock>> {
  return change?.(blocks) ?? blocks
}

async function* one(block: DocumentBlock): AsyncIterable<DocumentBlock> {
  if (block.count > 0) yield block
}

async function* stoppable(
  blocks: AsyncIterable<DocumentBlock>,
  signal: AbortSignal,
): AsyncIterable<DocumentBlock> {
  for await (const block of blocks) {
    if (signal.aborted) throw new MigrationError('MA_STOPPED', 'stopped on request')
    yield block
  }
}

async function documentsOf(
  blocks: AsyncIterable<DocumentBlock & Partial<TransformedBlock>>,
  isWanted: (id: string) => boolean,
): Promise<ShownDocument[]> {
  const found: ShownDocument[] = []
  for await (const block of blocks) {
    for (let i = 0; i < block.count; i++) {
      if (block.unsent?.has(i)) continue
      if (!isWanted(block.bytes.toString('utf8', block.idStart[i], block.idEnd[i]))) continue
      const { id, routing = null, source } = documentAt(block, i)
      found.push({ id, routing, source: source && Buffer.from(source).toString('utf8') })
    }
  }
  return found
}
