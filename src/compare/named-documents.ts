import type { Cluster } from '../cluster/cluster.ts'
import { MigrationError } from '../base/errors.ts'
import type { CanonicalDigest } from './canonical.ts'
import { prepareScan } from './cluster-scan.ts'
import { HitBlockReader, type BlockChange } from './hit-blocks.ts'
import { HitPageReader } from './hit-page.ts'
import type { DocumentName, ScannedDocument } from './scanned-document.ts'
import { BlockVisitor } from './snapshot-scan.ts'
import { askedForVersion, type VersionRule } from './version-rule.ts'

/** A document that was looked for by its id. */
export interface NamedDocument {
  readonly name: DocumentName
  readonly whole1: number
  readonly whole2: number
}

/** Ids of one search. */
const idsMax = 50
const hitsMax = 10_000

/**
 * The documents of these ids as they are now, by the id that they have after the change; of one id there may be several, with
 * other routings. By a search after a refresh, which every version answers for every routing and type. An index that is not
 * there has none.
 */
export async function namedDocuments(input: {
  cluster: Cluster
  index: string
  ids: readonly string[]
  digest: CanonicalDigest
  rule: VersionRule | undefined
  change: BlockChange | undefined
  signal: AbortSignal
}): Promise<Map<string, NamedDocument[]>> {
  const { cluster, index, ids, digest, rule, change, signal } = input
  const found = new Map<string, NamedDocument[]>()
  const path = `/${encodeURIComponent(index)}`
  const shape = await prepareScan(cluster, index, signal)
  if (shape === undefined) return found
  const size = Math.min(hitsMax, shape.pageDocumentsMax)
  // Of one id there is one in each shard at most.
  const atOnce = Math.max(1, Math.min(idsMax, Math.floor(size / shape.shards)))
  const visit = ({ whole1, whole2, name: nameOf }: ScannedDocument): void => {
    const name = nameOf()
    const known = found.get(name.id)
    if (known === undefined) found.set(name.id, [{ name, whole1, whole2 }])
    else known.push({ name, whole1, whole2 })
  }
  const where = `${cluster.side} ${cluster.url}: search of ${index}`
  const hits = new HitPageReader(digest, rule)
  const visitor = new BlockVisitor({ digest, rule, where })
  const reader =
    change === undefined
      ? hits
      : new HitBlockReader({
          ...{ hits, change },
          visit: (block) => void visitor.visit(block, visit),
        })
  for (let at = 0; at < ids.length; at += atOnce) {
    const { body } = await cluster.requestRaw('POST', `${path}/_search`, {
      ...(copiesLag(cluster) && { query: { preference: '_primary' } }),
      body: {
        query: { ids: { values: ids.slice(at, at + atOnce) } },
        size,
        ...(rule !== undefined && askedForVersion(rule.from, cluster.version)),
      },
      repeatable: true,
      signal,
    })
    const { hits: shown, total = 0 } = await reader.read(body, where, visit)
    if (shown < total) {
      throw new MigrationError(
        'MA_CLUSTER_RESPONSE',
        `${where}: ${total} documents have these ids, and ${shown} are shown (index.max_result_window)`,
      )
    }
  }
  return found
}

/** With segment replication other copies lag behind what was acknowledged. */
function copiesLag({ version }: Cluster): boolean {
  return version.flavour === 'opensearch' && version.major >= 2
}
