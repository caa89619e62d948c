import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { routedByMapping } from './mappings.ts'
import type { PlannedChange } from './plan.ts'
import type { FlatSettings } from './settings.ts'
import type { SourceDocuments } from './source-documents.ts'

export interface PlannedShards {
  readonly settings: FlatSettings
  readonly targetShards: number
  readonly mayHoldRouted: boolean
  readonly routedBy: readonly string[]
  readonly changes: readonly PlannedChange[]
  readonly refused?: string
}

export interface ShardQuestion {
  readonly index: IndexMetadata
  readonly mapping: IndexMetadata['mappings'][string]
  /** undefined: as on the source. */
  readonly wantedShards: number | undefined
  readonly documents: Pick<SourceDocuments, 'findRouted'>
}

/**
 * How many shards the target index gets. Numbers of two shards cannot be compared, so every write of one id must meet
 * the same shard on both sides: an index that holds routed documents gets the source's shards, routing shards (from
 * the metadata; engines before 7 have others than the target would choose) and partition size. Another count is
 * allowed only where nothing is routed, for then a document's place follows from its id alone. So is an index made
 * before 2.0: engines hashed otherwise then, so that documents of one id that were in two shards may meet in one.
 */
export async function planShards(question: ShardQuestion): Promise<PlannedShards> {
  const { index, wantedShards } = question
  const same = wantedShards === undefined || wantedShards === index.numberOfShards
  if (same && !isHashedOtherwise(index)) return sameShards(index)
  const evidence = routedByMetadata(index, question.mapping)
  const routedBy = evidence.length > 0 ? evidence : await routedByDocuments(question)
  if (routedBy.length > 0) {
    return {
      ...sameShards(index),
      routedBy,
      refused: same
        ? `${index.name} was made before Elasticsearch 2.0, which spread documents over its ${index.numberOfShards} shards by ` +
          `another hash, and may hold routed documents, of which several with one id could overwrite each other: ` +
          `${routedBy.join('; ')}. Reindex it on the source with an engine since 2.0, or exclude it`
        : `${index.name} cannot get ${wantedShards} shards instead of ${index.numberOfShards}, since it may hold routed documents: ` +
          `${routedBy.join('; ')}. Leave it out of metadata.shards`,
    }
  }
  return same ? { ...sameShards(index), mayHoldRouted: false } : otherShards(index, wantedShards)
}

const firstMurmurVersion = 2_000_000

function isHashedOtherwise({ createdVersion, numberOfShards }: IndexMetadata): boolean {
  return createdVersion < firstMurmurVersion && numberOfShards > 1
}

function sameShards(index: IndexMetadata): PlannedShards {
  return {
    settings: {
      'index.number_of_shards': String(index.numberOfShards),
      'index.number_of_routing_shards': String(index.numberOfRoutingShards),
      ...(index.routingPartitionSize > 1 && {
        'index.routing_partition_size': String(index.routingPartitionSize),
      }),
    },
    targetShards: index.numberOfShards,
    mayHoldRouted: true,
    routedBy: [],
    changes: [],
  }
}

function otherShards(index: IndexMetadata, targetShards: number): PlannedShards {
  const fits = index.numberOfRoutingShards % targetShards === 0
  return {
    settings: {
      'index.number_of_shards': String(targetShards),
      ...(fits && { 'index.number_of_routing_shards': String(index.numberOfRoutingShards) }),
    },
    targetShards,
    mayHoldRouted: false,
    routedBy: [],
    changes: [
      {
        path: 'settings.index.number_of_shards',
        what: 'changed',
        from: String(index.numberOfShards),
        to: String(targetShards),
        reason: 'asked for by metadata.shards; no document of the index is routed',
        loss: false,
      },
      ...(fits
        ? []
        : [
            {
              path: 'settings.index.number_of_routing_shards',
              what: 'dropped' as const,
              from: String(index.numberOfRoutingShards),
              reason: `it is not a multiple of ${targetShards}: the target chooses its own`,
              loss: false,
            },
          ]),
    ],
  }
}

function routedByMetadata(index: IndexMetadata, mapping: ShardQuestion['mapping']): string[] {
  const aliases = Object.entries(index.aliases)
    .filter(([, alias]) => alias.routing ?? alias.index_routing ?? alias.search_routing)
    .map(([name]) => `alias "${name}" has a routing`)
  return [
    ...(index.routingPartitionSize > 1
      ? [`routing_partition_size is ${index.routingPartitionSize}`]
      : []),
    ...routedByMapping(mapping),
    ...aliases,
  ]
}

async function routedByDocuments({ index, documents }: ShardQuestion): Promise<string[]> {
  const found = await documents.findRouted(index)
  return found === undefined ? [] : [found]
}
