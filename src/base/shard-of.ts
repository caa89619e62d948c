/** What decides in which shard of an index a document lies. */
export interface Placing {
  readonly numberOfShards: number
  readonly numberOfRoutingShards: number
  readonly routingPartitionSize: number
}

/**
 * The shard of a document, as engines since 2.0 route: by its routing, or its id where it has none; in a partitioned
 * index by both. null where it has no routing.
 */
export function shardOfDocument(id: string, routing: string | null, placing: Placing): number {
  if (placing.numberOfShards === 1) return 0
  const hash = murmur3(routing ?? id)
  if (placing.routingPartitionSize <= 1) return shardOf(hash, placing)
  // A routed document lies in one of the partition's shards, by its id.
  const of = placing.routingPartitionSize
  return shardOf((hash + (((murmur3(id) % of) + of) % of)) | 0, placing)
}

/** Where a document with this hash of its routing lies, as Elasticsearch's OperationRouting computes it. */
export function shardOf(
  hash: number,
  { numberOfShards, numberOfRoutingShards }: Omit<Placing, 'routingPartitionSize'>,
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
