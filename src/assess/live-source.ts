import type { Cluster } from '../cluster/cluster.ts'
import type { Clients, NodeFacts, OrUnknown, PluginFacts, Writes } from './assessment.ts'
import { orUnknown } from './or-unknown.ts'
import { readClients, unknownClients } from './read-clients.ts'
import { readNodes } from './read-nodes.ts'
import { readShardTable, type ShardTable } from './read-shards.ts'
import { beginMeasuringWrites } from './read-writes.ts'

/** What only a running cluster tells; of a snapshot each of it is unknown. */
export interface LiveFacts {
  readonly nodes: OrUnknown<readonly NodeFacts[]>
  readonly plugins: OrUnknown<readonly PluginFacts[]>
  readonly clients: Clients
  readonly shards: OrUnknown<ShardTable>
  /** Waits until the writes to these indices were watched for long enough. */
  writes(indices: ReadonlySet<string>): Promise<OrUnknown<Writes>>
}

/** Asks a running cluster, and begins to watch its writes. Six requests, whatever its size. */
export async function beginLive(
  cluster: Cluster,
  about: {
    readonly measureMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<LiveFacts> {
  const { measureMs, signal } = about
  const writes = await beginMeasuringWrites(cluster, { measureMs, signal })
  const { nodes, plugins } = await readNodes(cluster, signal)
  const shards = await orUnknown(() => readShardTable(cluster, signal))
  const clients = await readClients(cluster, signal)
  return { nodes, plugins, clients, shards, writes }
}

/** For a source that is a snapshot. */
export function factsOfSnapshot(): LiveFacts {
  const unknown = 'a snapshot does not say; assess the live cluster (--source-url)'
  return {
    nodes: { unknown },
    plugins: { unknown },
    clients: unknownClients(unknown),
    shards: { unknown },
    writes: async () => ({ unknown }),
  }
}
