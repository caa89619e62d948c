import { sourceIndexOf } from '../base/document-types.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { TransformSpec } from '../transform/spec.ts'
import { Transform } from '../usercode/transform.ts'
import { deliverBatch } from './deliver-batch.ts'
import { LocalWorker } from './local-worker.ts'
import type { BackfillOptions } from './options.ts'
import { stoppableFiles } from './stoppable-files.ts'

export interface WorkerInput {
  snapshot: Snapshot
  target: Cluster
  options: BackfillOptions
  /** What is done to documents, where anything is. */
  transform?: TransformSpec | undefined
  onWait: (wait: BulkWait) => void
}

/** A worker in this thread, over the real snapshot and target. */
export function openLocalWorker(input: WorkerInput): LocalWorker {
  const { snapshot, target, options, transform, onWait } = input
  return new LocalWorker({
    ...(transform && { transform: new Transform(transform) }),
    bulkBytesMax: options.bulkBytesMax,
    bulksInFlightMax: options.bulksInFlightMax,
    openShardReader: async ({ index, shard }, { checked, signal }) => {
      const files = await snapshot.openShard(sourceIndexOf(index), shard)
      return openShardReader(stoppableFiles(files, signal), {
        verify: options.verify,
        checked,
      })
    },
    deliver: (place, batch, signal) => {
      const { gzip, bulkWaitMax: waitMaxMs } = options
      return deliverBatch(target, place, batch, { gzip, waitMaxMs, signal, onWait })
    },
  })
}
