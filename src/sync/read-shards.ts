import type { Json, JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import { addressOf, evenClosed, inAddresses } from './addresses.ts'
import { primaryTermsOf, settingPart, type ListedIndex } from './read-source.ts'
import type { SourceShard } from './source-index.ts'

/** The primaries of these open indices; an index is not among them while one of its primaries is not started. */
export async function readShards(
  source: Cluster,
  indices: readonly Pick<ListedIndex, 'name' | 'numberOfShards' | 'primaryTerms'>[],
  signal?: AbortSignal,
): Promise<Map<string, SourceShard[]>> {
  const found = new Map<string, SourceShard[]>()
  for (const some of inAddresses(indices)) {
    const { body } = await source.request('GET', `/${addressOf(some)}/_stats/docs`, {
      query: { level: 'shards', ignore_unavailable: true, filter_path: shardParts },
      accept: [404],
      ...(signal && { signal }),
    })
    for (const index of some) {
      const { shards } = objectOf(objectOf(body.indices)[index.name])
      const primaries = Array.from({ length: index.numberOfShards }, (_, shard) =>
        primaryOf(objectOf(shards)[String(shard)], index.primaryTerms[shard] ?? null),
      )
      if (primaries.every((primary) => primary !== undefined)) found.set(index.name, primaries)
    }
  }
  return found
}

const shardParts = ['routing.primary', 'routing.state', 'seq_no', 'commit.user_data.history_uuid']
  .map((part) => `indices.*.shards.*.${part}`)
  .join()

function primaryOf(copies: Json | undefined, primaryTerm: number | null): SourceShard | undefined {
  const list = (Array.isArray(copies) ? copies : []).map(objectOf)
  const primary = list.find(({ routing }) => {
    const { primary: isPrimary, state } = objectOf(routing)
    return isPrimary === true && (state === 'STARTED' || state === 'RELOCATING')
  })
  if (primary === undefined) return undefined
  const numbers = objectOf(primary.seq_no)
  const numberOf = (value: Json | undefined): number | null =>
    typeof value === 'number' && Number.isSafeInteger(value) ? value : null
  const history = objectOf(objectOf(primary.commit).user_data).history_uuid
  return {
    historyUuid: typeof history === 'string' ? history : null,
    primaryTerm,
    maxSeqNo: numberOf(numbers.max_seq_no),
    localCheckpoint: numberOf(numbers.local_checkpoint),
    globalCheckpoint: numberOf(numbers.global_checkpoint),
  }
}

/** The history of a shard that was not restored, of engines that name none (before 6). */
export const ownHistory = 'own'

/**
 * As readShards() for engines before 6, which have no numbers and no histories: that a shard was restored they tell by its
 * last recovery, until the node that holds it is started again.
 */
export async function readRestores(
  source: Cluster,
  indices: readonly Pick<ListedIndex, 'name' | 'numberOfShards' | 'primaryTerms'>[],
  signal?: AbortSignal,
): Promise<Map<string, SourceShard[]>> {
  const found = new Map<string, SourceShard[]>()
  const parts = ['id', 'type', 'stage', 'primary', 'start_time_in_millis']
  for (const some of inAddresses(indices)) {
    const { body } = await source.request('GET', `/${addressOf(some)}/_recovery`, {
      query: {
        ignore_unavailable: true,
        filter_path: parts.map((part) => `*.shards.${part}`).join(),
      },
      accept: [404],
      ...(signal && { signal }),
    })
    for (const { name, numberOfShards, primaryTerms } of some) {
      const { shards } = objectOf(body[name])
      const started = (Array.isArray(shards) ? shards : [])
        .map(objectOf)
        .filter(({ primary, stage }) => primary === true && stage === 'DONE')
      const primaries = Array.from({ length: numberOfShards }, (_, shard) => {
        const primary = started.find(({ id }) => id === shard)
        return primary && { ...noNumbers, ...restoreOf(primary), primaryTerm: primaryTerms[shard]! }
      })
      if (primaries.every((primary) => primary !== undefined)) found.set(name, primaries)
    }
  }
  return found
}

export const noNumbers = {
  historyUuid: null,
  primaryTerm: null,
  maxSeqNo: null,
  localCheckpoint: null,
  globalCheckpoint: null,
} as const

function restoreOf({
  type,
  start_time_in_millis: start,
}: JsonObject): Pick<SourceShard, 'historyUuid'> {
  return { historyUuid: type === 'SNAPSHOT' ? `restored ${textOf(start)}` : ownHistory }
}

/** Primary terms by shard; without indices that are gone or have another UUID by now. */
export async function readPrimaryTerms(
  source: Cluster,
  indices: readonly Pick<ListedIndex, 'name' | 'uuid' | 'numberOfShards'>[],
  signal?: AbortSignal,
): Promise<Map<string, (number | null)[]>> {
  const found = new Map<string, (number | null)[]>()
  const parts = ['primary_terms', settingPart('uuid')]
  for (const some of inAddresses(indices)) {
    const { body } = await source.request('GET', `/_cluster/state/metadata/${addressOf(some)}`, {
      query: {
        filter_path: parts.map((part) => `metadata.indices.*.${part}`).join(),
        ...evenClosed,
      },
      accept: [404],
      ...(signal && { signal }),
    })
    const states = objectOf(objectOf(body.metadata).indices)
    for (const { name, uuid, numberOfShards } of some) {
      const state = objectOf(states[name])
      if (objectOf(objectOf(state.settings).index).uuid !== uuid) continue
      found.set(name, primaryTermsOf(state, numberOfShards))
    }
  }
  return found
}
