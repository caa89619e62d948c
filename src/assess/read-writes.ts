import { setTimeout as wait } from 'node:timers/promises'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf } from '../metadata/json-objects.ts'
import { isUnknown, type OrUnknown, type Writes } from './assessment.ts'
import { orUnknown } from './or-unknown.ts'

/** Counters of the primary shards at one time. */
interface WriteCounters {
  readonly atMs: number
  /** Documents indexed and deleted, by index, since their shards were opened. */
  readonly byIndex: ReadonlyMap<string, number>
  /** Bytes and operations that the translogs hold. */
  readonly translogBytes: number
  readonly translogOperations: number
}

const busiestMax = 1000
/** With fewer operations the heads of the translog's files weigh more than what is in them. */
const operationsMin = 100

/**
 * Begins to measure the writes of a live cluster: looks at the counters now; the function that it gives looks again,
 * when at least `measureMs` have passed, and calculates. Other work can be done in between. Counters that shrink (an
 * index made anew, a shard that has moved) count as none.
 */
export async function beginMeasuringWrites(
  cluster: Cluster,
  about: {
    readonly measureMs: number
    readonly signal?: AbortSignal | undefined
  },
): Promise<(indices: ReadonlySet<string>) => Promise<OrUnknown<Writes>>> {
  const { measureMs, signal } = about
  const first = await orUnknown(() => readCounters(cluster, signal))
  return async (indices) => {
    if (isUnknown(first)) return first
    const restMs = first.atMs + measureMs - performance.now()
    if (restMs > 0) await wait(restMs, undefined, signal ? { signal } : {})
    const second = await orUnknown(() => readCounters(cluster, signal))
    return isUnknown(second) ? second : writesBetween(first, second, indices)
  }
}

async function readCounters(cluster: Cluster, signal?: AbortSignal): Promise<WriteCounters> {
  const { body } = await cluster.request('GET', '/_stats/indexing,translog', {
    query: {
      filter_path: [
        'indices.*.primaries.indexing.index_total',
        'indices.*.primaries.indexing.delete_total',
        '_all.primaries.translog',
      ].join(','),
    },
    ...(signal && { signal }),
  })
  const byIndex = new Map<string, number>()
  for (const [index, stats] of Object.entries(objectOf(body.indices))) {
    const { index_total: indexed, delete_total: deleted } = part(stats, 'indexing')
    byIndex.set(index, numberOf(indexed) + numberOf(deleted))
  }
  const translog = part(body._all, 'translog')
  return {
    atMs: performance.now(),
    byIndex,
    translogBytes: numberOf(translog.size_in_bytes),
    translogOperations: numberOf(translog.operations),
  }
}

function part(stats: unknown, name: string): JsonObject {
  return objectOf(objectOf(objectOf(stats).primaries)[name])
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** What happened to these indices between two looks. */
export function writesBetween(
  first: WriteCounters,
  second: WriteCounters,
  selected: ReadonlySet<string>,
): Writes {
  const seconds = (second.atMs - first.atMs) / 1000
  const indices: { index: string; writesPerSecond: number }[] = []
  let writes = 0
  for (const [index, count] of second.byIndex) {
    if (!selected.has(index)) continue
    const added = Math.max(0, count - (first.byIndex.get(index) ?? 0))
    if (added === 0) continue
    writes += added
    indices.push({ index, writesPerSecond: added / seconds })
  }
  indices.sort((a, b) => b.writesPerSecond - a.writesPerSecond)
  const writesPerSecond = writes / seconds
  const { translogBytes, translogOperations } = second
  const bytesPerWrite: OrUnknown<number> =
    translogOperations >= operationsMin
      ? translogBytes / translogOperations
      : {
          unknown: `the translogs hold ${translogOperations} operations, too few to tell the size of one`,
        }
  return {
    seconds,
    writesPerSecond,
    bytesPerWrite,
    bytesPerWriteBasis: 'the translogs of the primary shards: bytes by operations',
    bytesPerSecond: isUnknown(bytesPerWrite)
      ? writes === 0
        ? 0
        : bytesPerWrite
      : bytesPerWrite * writesPerSecond,
    indices: indices.slice(0, busiestMax),
  }
}
