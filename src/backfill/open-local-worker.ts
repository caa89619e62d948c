import { deliverBulk, type BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { LocalLane } from './lane.ts'
import type { BackfillOptions } from './options.ts'
import { stoppableFiles } from './stoppable-files.ts'

export interface LaneInput {
  snapshot: Snapshot
  target: Cluster
  options: BackfillOptions
  onWait: (wait: BulkWait) => void
}

/** A lane in this thread, over the real snapshot and target. */
export function openLocalLane({ snapshot, target, options, onWait }: LaneInput): LocalLane {
  return new LocalLane({
    bulkBytesMax: options.bulkBytesMax,
    bulksInFlightMax: options.bulksInFlightMax,
    openShardReader: async ({ index, shard }, signal) => {
      const files = await snapshot.openShard(index, shard)
      return openShardReader(stoppableFiles(files, signal), { verify: options.verify })
    },
    deliver: (alias, body, signal) =>
      deliverBulk(target, {
        alias,
        body,
        gzip: options.gzip,
        waitMaxMs: options.bulkWaitMax,
        signal,
        onWait,
      }),
  })
}
