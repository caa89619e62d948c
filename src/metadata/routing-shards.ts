import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import { objectOf } from './json-objects.ts'

type Shards = Pick<
  IndexMetadata,
  'name' | 'state' | 'createdVersion' | 'numberOfShards' | 'routingPartitionSize'
>

/** Indices could not have more routing shards than shards before. */
const firstVersion = 5_000_000
/** `index.number_of_routing_shards` cannot be more than this many times the number of shards. */
const factorMost = 1024
const probes = 24

/**
 * The routing shards of an index of a live cluster before 7, which tells them nowhere: not in its settings, not in the
 * cluster state. It does tell in which shard a routing value lies, so that a few values show by which number it divides.
 * Two numbers that agree on all of them would place nearly every document alike, and are refused rather than guessed
 * between; an index that is closed does not tell. Throws MA_SOURCE_INDEX then.
 */
export async function findRoutingShards(
  cluster: Cluster,
  { name, state, createdVersion, numberOfShards, routingPartitionSize }: Shards,
  signal?: AbortSignal,
): Promise<number> {
  if (createdVersion < firstVersion || numberOfShards === 1) return numberOfShards
  if (state === 'close') {
    throw new MigrationError(
      'MA_SOURCE_INDEX',
      `${cluster.url}: ${name} is closed, and so does not tell its number of routing shards. ` +
        'Open it, or use a snapshot in the place of the live cluster: that holds the number.',
      { details: { index: name } },
    )
  }
  let candidates = Array.from({ length: factorMost }, (_, i) => (i + 1) * numberOfShards)
  for (let probe = 0; probe < probes; probe++) {
    const routing = `probe-${probe}`
    const shards = await shardsOfRouting(cluster, name, routing, signal)
    candidates = candidates.filter((numberOfRoutingShards) => {
      const expected = partitionOf(routing, {
        numberOfShards,
        numberOfRoutingShards,
        routingPartitionSize,
      })
      return expected.size === shards.size && [...expected].every((shard) => shards.has(shard))
    })
  }
  // Multiples of one another are the common case: 5 shards and 5 routing shards, not 10.
  const [least] = candidates
  if (least === numberOfShards || (least !== undefined && candidates.length === 1)) return least
  throw new MigrationError(
    'MA_SOURCE_INDEX',
    `${cluster.url}: the number of routing shards of ${name} could not be found out (${candidates.length} numbers would do). ` +
      'A snapshot of the index holds it: use that in the place of the live cluster.',
    { details: { index: name, candidates: candidates.slice(0, 10) } },
  )
}

async function shardsOfRouting(
  cluster: Cluster,
  index: string,
  routing: string,
  signal: AbortSignal | undefined,
): Promise<Set<number>> {
  const { body } = await cluster.request<JsonObject>(
    'GET',
    `/${encodeURIComponent(index)}/_search_shards`,
    { query: { routing }, ...(signal && { signal }) },
  )
  const copies = (Array.isArray(body.shards) ? body.shards : []).flat()
  return new Set(copies.map((copy) => Number(objectOf(copy).shard)))
}

/** The shards that documents of one routing value are spread over: one, or as many as the partition has. */
function partitionOf(
  routing: string,
  index: Pick<IndexMetadata, 'numberOfShards' | 'numberOfRoutingShards' | 'routingPartitionSize'>,
): Set<number> {
  const hash = murmur3(routing)
  const offsets = Array.from({ length: index.routingPartitionSize }, (_, offset) => offset)
  return new Set(offsets.map((offset) => shardOf(hash + offset, index)))
}

/** Where a document with this hash of its routing lies, as Elasticsearch's OperationRouting computes it. */
export function shardOf(
  hash: number,
  {
    numberOfShards,
    numberOfRoutingShards,
  }: Pick<IndexMetadata, 'numberOfShards' | 'numberOfRoutingShards'>,
): number {
  const place = ((hash % numberOfRoutingShards) + numberOfRoutingShards) % numberOfRoutingShards
  return Math.floor(place / (numberOfRoutingShards / numberOfShards))
}

/** MurmurHash3 (x86, 32 bits, seed 0) of the text as UTF-16, little endian: a signed number, as engines since 2.0 route by. */
export function murmur3(text: string): number {
  const bytes = Buffer.from(text, 'utf16le')
  let hash = 0
  const blocks = bytes.length & ~3
  for (let at = 0; at < blocks; at += 4) {
    hash = rotate(hash ^ mix(bytes.readInt32LE(at)), 13)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  // UTF-16 leaves two bytes or none.
  if (blocks < bytes.length) hash ^= mix(bytes.readUInt16LE(blocks))
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function mix(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
