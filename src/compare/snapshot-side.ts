import type { Snapshot } from '../snapshot/snapshot.ts'
import type { CanonicalDigest } from './canonical.ts'
import type { BlockChange } from './hit-blocks.ts'
import type { SideScan } from './side-scan.ts'
import { scanSnapshotShard } from './snapshot-scan.ts'
import type { Throttle } from './throttle.ts'
import type { VersionRule } from './version-rule.ts'

/** What a small document takes on disk, with what is searched by. */
const storedBytesLeast = 100

/** The documents of an index as a snapshot holds them, shard by shard. Errors: those of reading a snapshot. */
export async function snapshotSide(parts: {
  snapshot: Snapshot
  index: string
  digest: CanonicalDigest
  rule: VersionRule | undefined
  change: BlockChange | undefined
  throttle: Throttle
}): Promise<SideScan> {
  const { snapshot, index, digest, rule, change, throttle } = parts
  const metadata = await snapshot.readIndexMetadata(index)
  let byteLength = 0
  for (let shard = 0; shard < metadata.numberOfShards; shard++) {
    byteLength += (await snapshot.openShard(index, shard)).byteLength
  }
  return {
    side: 'source',
    slices: metadata.numberOfShards,
    identity: `snapshot ${snapshot.uuid} index ${metadata.uuid}`,
    documents: undefined,
    documentsAbout: Math.ceil(byteLength / storedBytesLeast),
    scanSlice: (shard, visit, signal) =>
      scanSnapshotShard(
        {
          ...{ snapshot, index, digest, rule, signal, verify: 'touched', transform: change },
          onBlock: ({ bytes }) => throttle.take(bytes.length, signal),
        },
        shard,
        visit,
      ),
  }
}
