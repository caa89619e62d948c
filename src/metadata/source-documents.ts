import { isUnreadable } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Answer, Cluster } from '../cluster/cluster.ts'
import type { ShardReader } from '../document/shard-reader.ts'
import type { SourceSample } from '../document/source-sample.ts'
import type { IndexMetadata, ShardFiles, Snapshot } from '../snapshot/snapshot.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { EqualIds } from './plan-types.ts'

/** What a plan asks about the documents of an index: of the shards of a snapshot, or of the live cluster. */
export interface SourceDocuments {
  /** What the first document that can be read tells of `_source`. */
  sample(index: IndexMetadata): Promise<SourceSample>
  /** How many are not deleted, nested ones counted too; undefined where nobody tells. */
  count(index: IndexMetadata): Promise<number | undefined>
  /** Where a document is, or may be, routed; undefined where none is. */
  findRouted(index: IndexMetadata): Promise<string | undefined>
  /** The ids that documents of several of these types (null: of all) have; undefined where nobody tells. */
  equalIds(index: IndexMetadata, types: readonly string[] | null): Promise<EqualIds | undefined>
}

/** How shards are looked at; given by the caller, since decoding belongs to the document folder. */
export interface ShardLook {
  sample(files: ShardFiles): Promise<SourceSample>
  count(files: ShardFiles): Promise<number>
  equalIds(
    files: ShardFiles,
    types: readonly string[] | null,
    signal?: AbortSignal,
  ): Promise<EqualIds>
  open(files: ShardFiles): Promise<Pick<ShardReader, 'hasField' | 'close'>>
}

/** For what reads all documents of an index. */
export interface LongLook {
  readonly signal?: AbortSignal
  /** Called before each shard, and after the last. */
  readonly onShard?: (index: string, done: number, total: number) => void
}

/** Looks into the shards of a snapshot. Of a shard that cannot be read the backfill will say so by name. */
export function snapshotDocuments(
  snapshot: Pick<Snapshot, 'shardFailures' | 'openShard'>,
  look: ShardLook,
  { signal, onShard }: LongLook = {},
): SourceDocuments {
  return {
    sample: async (index) => {
      for await (const sample of readable(snapshot, index, (files) => look.sample(files))) {
        if (sample !== 'unknown') return sample
      }
      return 'unknown'
    },
    count: async (index) => {
      let sum = 0
      for await (const count of readable(snapshot, index, (files) => look.count(files)))
        sum += count
      return sum
    },
    // Documents of one id lie in one shard, or are routed to several and stay so.
    equalIds: async (index, types) => {
      const sum = { count: 0, isLeast: false, examples: [] as string[] }
      let shard = 0
      const lookAt = (files: ShardFiles): Promise<EqualIds> => {
        onShard?.(index.name, shard++, index.numberOfShards)
        return look.equalIds(files, types, signal)
      }
      for await (const { count, isLeast, examples } of readable(snapshot, index, lookAt)) {
        sum.count += count
        sum.isLeast ||= isLeast
        sum.examples = [...sum.examples, ...examples].slice(0, equalIdsShown)
      }
      onShard?.(index.name, index.numberOfShards, index.numberOfShards)
      return sum
    },
    // A segment whose field infos know `_routing` has held a routed document. A shard that cannot be read may hold some.
    findRouted: async ({ name, numberOfShards }) => {
      for (let shard = 0; shard < numberOfShards; shard++) {
        const reader = await look.open(await snapshot.openShard(name, shard))
        try {
          if (reader.hasField('_routing')) return `shard ${shard} holds routed documents`
        } finally {
          await reader.close()
        }
      }
      return undefined
    },
  }
}

const equalIdsShown = 5

/** `look` at one shard after the other; those that the snapshot lacks or that cannot be read are left out. */
async function* readable<T>(
  snapshot: Pick<Snapshot, 'shardFailures' | 'openShard'>,
  { name, numberOfShards }: IndexMetadata,
  look: (files: ShardFiles) => Promise<T>,
): AsyncIterable<T> {
  for (let shard = 0; shard < numberOfShards; shard++) {
    if (snapshot.shardFailures.some((one) => one.index === name && one.shard === shard)) continue
    try {
      yield await look(await snapshot.openShard(name, shard))
    } catch (error) {
      if (!isUnreadable(error)) throw error
    }
  }
}

/**
 * Asks the live cluster, by searches that every version takes; a document that no refresh has shown yet is not seen.
 * A closed index tells nothing.
 */
export function liveDocuments(cluster: Cluster, signal?: AbortSignal): SourceDocuments {
  const ask = (
    method: string,
    { name }: IndexMetadata,
    api: string,
    body?: JsonObject,
  ): Promise<Answer> =>
    cluster.request(method, `/${encodeURIComponent(name)}/${api}`, {
      // Deleted since the list was read; a primary that is not started.
      accept: [400, 404, 503],
      ...(body && { body }),
      ...(signal && { signal }),
    })
  return {
    sample: async (index) => {
      if (index.state === 'close') return 'unknown'
      const { hits } = (await ask('POST', index, '_search', { size: 1 })).body
      const list = objectOf(hits).hits
      if (!Array.isArray(list) || list.length === 0) return 'unknown'
      return '_source' in objectOf(list[0]) ? 'whole' : 'none'
    },
    count: async (index) => {
      if (index.state === 'close') return undefined
      const { body } = await ask('GET', index, '_stats/docs')
      const { docs } = objectOf(objectOf(body._all).primaries)
      const { count } = objectOf(docs)
      return typeof count === 'number' ? count : undefined
    },
    // No search finds the same id in two types.
    equalIds: () => Promise.resolve(undefined),
    findRouted: async (index) => {
      if (index.state === 'close')
        return 'the index is closed, so that its documents cannot be looked at'
      // Not `exists`: where `_field_names` is switched off that one finds nothing. A routing has one character at least.
      const query = { wildcard: { _routing: '?*' } }
      const { status, body } = await ask('POST', index, '_count', { query })
      if (status === 200 && body.count === 0) return undefined
      return status === 200
        ? `${textOf(body.count)} documents are routed`
        : 'the source does not tell whether its documents are routed'
    },
  }
}
