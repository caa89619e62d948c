import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { murmur3, shardOf, type Placing } from '../base/shard-of.ts'
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
const tellingSought = 2000

/**
 * The routing shards of an index of a live cluster before 7, which tells them nowhere: not in its settings, not in the
 * cluster state. It does tell in which shard a routing value lies, so that a few values show by which number it divides: one
 * request where it is the number of shards, as mostly; else one
 * value after the other, some ten. Two numbers that agree on all of them are refused rather than guessed between; an
 * index that is closed does not tell. Throws MA_SOURCE_INDEX then.
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
      `${cluster.url}: ${name} is closed, and so does not tell its number of routing shards, without which its ` +
        `documents could get into other shards. Open it on the source: snapshots of Elasticsearch ${cluster.version.text} hold no closed index either.`,
      { details: { index: name } },
    )
  }
  const index = { numberOfShards, routingPartitionSize }
  const ask = (routings: readonly string[]): Promise<Set<number>> =>
    shardsOfRouting(cluster, name, routings, signal)
  let candidates = candidatesOf(numberOfShards)
  if (await isNumber(numberOfShards, { index, among: candidates, ask })) return numberOfShards
  for (let probe = 0; probe < probes && candidates.length > 1; probe++) {
    const routing = probeOf(probe)
    const shards = await ask([routing])
    candidates = candidates.filter((numberOfRoutingShards) => {
      const expected = partitionOf(routing, { ...index, numberOfRoutingShards })
      return expected.size === shards.size && isWithin(expected, shards)
    })
  }
  const [found] = candidates
  if (candidates.length === 1 && (await isNumber(found!, { index, among: [], ask }))) return found!
  throw new MigrationError(
    'MA_SOURCE_INDEX',
    `${cluster.url}: the number of routing shards of ${name} could not be found out (${candidates.length} numbers would do). ` +
      'A snapshot of the index holds it: use that in the place of the live cluster.',
    { details: { index: name, candidates: candidates.slice(0, 10) } },
  )
}

/**
 * Whether documents of an open index lie where shardOfDocument() says. False where the engine places them in another way,
 * or does not tell: by fields of the documents (time series), or by a rule that came later.
 */
export async function placesAsComputed(
  cluster: Cluster,
  name: string,
  placing: Placing,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const ask = (routings: readonly string[]): Promise<Set<number>> =>
      shardsOfRouting(cluster, name, routings, signal)
    const { numberOfRoutingShards } = placing
    return await isNumber(numberOfRoutingShards, { index: placing, among: [], ask })
  } catch (error) {
    if (error instanceof MigrationError && error.code === 'MA_CLUSTER_RESPONSE') return false
    throw error
  }
}

/**
 * Whether an index has this number of routing shards: one request for several routing values that would then lie in one
 * place, and of which every other number of `among` would put one elsewhere.
 */
async function isNumber(
  numberOfRoutingShards: number,
  {
    index,
    among,
    ask,
  }: {
    index: Omit<Placing, 'numberOfRoutingShards'>
    among: readonly number[]
    ask: (routings: readonly string[]) => Promise<Set<number>>
  },
): Promise<boolean> {
  const home = partitionOf(probeOf(0), { ...index, numberOfRoutingShards })
  let others = among.filter((one) => one !== numberOfRoutingShards)
  const telling: string[] = []
  const enough = (): boolean => others.length === 0 && telling.length >= probes
  for (let probe = 0; !enough() && probe < tellingSought; probe++) {
    const routing = probeOf(probe)
    const isHome = (number: number): boolean =>
      isWithin(partitionOf(routing, { ...index, numberOfRoutingShards: number }), home)
    if (!isHome(numberOfRoutingShards)) continue
    const left = others.filter(isHome)
    if (others.length > 0 && left.length === others.length) continue
    others = left
    telling.push(routing)
  }
  return others.length === 0 && isWithin(await ask(telling), home)
}

function candidatesOf(numberOfShards: number): number[] {
  return Array.from({ length: factorMost }, (_, i) => (i + 1) * numberOfShards)
}

function probeOf(probe: number): string {
  return `probe-${probe}`
}

function isWithin(shards: ReadonlySet<number>, others: ReadonlySet<number>): boolean {
  return [...shards].every((shard) => others.has(shard))
}

async function shardsOfRouting(
  cluster: Cluster,
  index: string,
  routings: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Set<number>> {
  const { body } = await cluster.request<JsonObject>(
    'GET',
    `/${encodeURIComponent(index)}/_search_shards`,
    { query: { routing: routings.join(',') }, ...(signal && { signal }) },
  )
  const copies = (Array.isArray(body.shards) ? body.shards : []).flat()
  return new Set(copies.map((copy) => Number(objectOf(copy).shard)))
}

/** The shards that documents of one routing value are spread over: one, or as many as the partition has. */
function partitionOf(routing: string, index: Placing): Set<number> {
  const hash = murmur3(routing)
  const offsets = Array.from({ length: index.routingPartitionSize }, (_, offset) => offset)
  return new Set(offsets.map((offset) => shardOf(hash + offset, index)))
}
