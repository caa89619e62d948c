import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import type { ShardSize } from './assessment.ts'

/** What the source tells of its shards: a row each, of numbers and names. */
export interface ShardTable {
  readonly indices: ReadonlyMap<string, IndexBytes>
  /** Primary shards that have a size. */
  readonly primaries: readonly ShardSize[]
}

export interface IndexBytes {
  primaryBytes: number
  /** With replicas. */
  totalBytes: number
  documents: number
  /** Primary shards without a size. */
  unknownShards: number
}

/** Sizes of all shards of a live cluster, by one request. */
export async function readShardTable(cluster: Cluster, signal?: AbortSignal): Promise<ShardTable> {
  const { body } = await cluster.request<unknown>('GET', '/_cat/shards', {
    query: { format: 'json', h: 'index,shard,prirep,state,docs,store', bytes: 'b' },
    ...(signal && { signal }),
  })
  const indices = new Map<string, IndexBytes>()
  const primaries: ShardSize[] = []
  for (const row of (Array.isArray(body) ? body : []).map(objectOf)) {
    const index = textOf(row.index)
    const sizes = indices.get(index) ?? nothing()
    indices.set(index, sizes)
    const bytes = countOf(row.store)
    const documents = countOf(row.docs)
    const isPrimary = row.prirep === 'p'
    if (bytes === undefined) {
      if (isPrimary) sizes.unknownShards++
      continue
    }
    sizes.totalBytes += bytes
    if (!isPrimary) continue
    sizes.primaryBytes += bytes
    sizes.documents += documents ?? 0
    primaries.push({
      index,
      shard: Number(row.shard),
      bytes,
      documents: documents ?? { unknown: 'documents of a closed index are not counted' },
    })
  }
  return { indices, primaries }
}

function nothing(): IndexBytes {
  return { primaryBytes: 0, totalBytes: 0, documents: 0, unknownShards: 0 }
}

/** Numbers come as text; null, or nothing, where the engine does not know. */
function countOf(value: unknown): number | undefined {
  if (value === null || value === undefined || value === '') return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
