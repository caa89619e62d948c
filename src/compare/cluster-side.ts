import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { CanonicalDigest } from './canonical.ts'
import { prepareScan, scanShard } from './cluster-scan.ts'
import { HitBlockReader, type BlockChange } from './hit-blocks.ts'
import { HitPageReader } from './hit-page.ts'
import type { SideScan } from './side-scan.ts'
import { BlockVisitor } from './snapshot-scan.ts'
import type { Throttle } from './throttle.ts'
import { askedForVersion, type VersionRule } from './version-rule.ts'

export interface ClusterSideInput {
  readonly cluster: Cluster
  readonly index: string
  readonly digest: CanonicalDigest
  /** Versions alone are compared: no `_source` is fetched. */
  readonly rule: VersionRule | undefined
  /** What is done to the documents before they are compared. */
  readonly change?: BlockChange | undefined
  readonly pageBytesMax: number
  readonly throttle: Throttle
  readonly signal: AbortSignal
}

const idPageDocuments = 10_000
/** An engine makes a page whole before it sends it, however large the documents are that come next. */
const pageDocumentsMax = 1000
const sampleDocuments = 50
/** What an answer says of a hit besides `_source`: names of index, id and routing, sort value. */
const hitOverheadBytes = 512
/** A page so many times larger than it was meant to be has the slice read anew, in smaller ones. */
const tooLarge = 4

/**
 * The documents of a live index, shard by shard, each by a scroll of its own over the primary. It is refreshed first, so that
 * nothing that was written before is left out. undefined: there is no such index. Errors: those of the cluster.
 */
export async function clusterSide(input: ClusterSideInput): Promise<SideScan | undefined> {
  const { cluster, index, digest, rule, change, throttle } = input
  const shape = await prepareScan(cluster, index, input.signal)
  if (shape === undefined) return undefined
  const documents = await countDocuments(input)
  const asked = rule === undefined ? {} : askedForVersion(rule.from, cluster.version)
  let pageDocuments =
    rule === undefined ? await firstPageDocuments(input, shape.pageDocumentsMax) : idPageDocuments
  const where = `_source in index ${index} of ${cluster.url}`
  return {
    side: cluster.side,
    slices: shape.shards,
    identity: `${index} ${shape.uuid} ${shape.shards}`,
    documents,
    scanSlice: async (shard, visit, signal) => {
      let dropped = 0
      const hits = new HitPageReader(digest, rule)
      const visitor = new BlockVisitor({ digest, rule, where })
      const reader =
        change === undefined
          ? hits
          : new HitBlockReader({
              ...{ hits, change },
              visit: (block) => void (dropped += visitor.visit(block, visit)),
            })
      const asking = pageDocuments
      const onPage = (bytes: number): Promise<void> => {
        if (bytes > tooLarge * input.pageBytesMax && asking > 1) {
          pageDocuments = Math.max(1, Math.floor(asking / tooLarge))
          throw pageTooLarge(bytes, index)
        }
        return throttle.take(bytes, signal)
      }
      const scan = { cluster, index, pageDocuments: asking, slices: 1, asked, onPage, signal }
      await scanShard({ ...scan, reader }, shape, shard, visit)
      return dropped
    },
  }
}

function pageTooLarge(bytes: number, index: string): MigrationError {
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `a page of ${index} has ${bytes} bytes: its documents are of very different sizes; set compare.pageBytesMax lower`,
    { retryable: true },
  )
}

async function countDocuments({ cluster, index, signal }: ClusterSideInput): Promise<number> {
  const path = `/${encodeURIComponent(index)}/_count`
  const { body } = await cluster.request('GET', path, { accept: [404], signal })
  return typeof body['count'] === 'number' ? body['count'] : 0
}

/** By the size of a few documents, and by that of all as they are stored, compressed: whichever is larger. */
async function firstPageDocuments(input: ClusterSideInput, windowMax: number): Promise<number> {
  const { cluster, index, pageBytesMax, signal } = input
  const path = `/${encodeURIComponent(index)}`
  const sample = await cluster.requestRaw('POST', `${path}/_search`, {
    body: { size: Math.min(sampleDocuments, windowMax), sort: ['_doc'] },
    repeatable: true,
    signal,
  })
  const { body } = await cluster.request('GET', `${path}/_stats/docs,store`, { signal })
  let bytes = 0
  const { hits } = new HitPageReader(input.digest).read(
    sample.body,
    `sample of ${index}`,
    ({ sourceBytes }) => void (bytes += sourceBytes),
  )
  const average = Math.max(bytes / Math.max(1, hits), averageStored(body)) + hitOverheadBytes
  return Math.max(1, Math.min(pageDocumentsMax, Math.floor(pageBytesMax / average)))
}

/** Bytes on disk for each document, indices and all; 0: not known. */
function averageStored({ _all: all }: JsonObject): number {
  const primaries = isJsonObject(all) && isJsonObject(all.primaries) ? all.primaries : {}
  const count = isJsonObject(primaries.docs) ? Number(primaries.docs.count) : 0
  const bytes = isJsonObject(primaries.store) ? Number(primaries.store.size_in_bytes) : 0
  return count > 0 && bytes > 0 ? bytes / count : 0
}
