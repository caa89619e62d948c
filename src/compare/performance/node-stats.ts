import { MigrationError } from '../../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ResourcePoint, SideResources } from './record.ts'

/** Sums over the nodes of a cluster; what a version or service does not tell is null. */
interface Counters {
  readonly nodes: number
  readonly cpuMs: number | null
  readonly gcMs: number | null
  readonly gcCount: number | null
  readonly diskReadBytes: number | null
  readonly diskWriteBytes: number | null
  /** Of the node with the most. */
  readonly cpuPercent: number | null
  readonly heapPercent: number | null
}

const pointsMost = 150
const apartMs = 2000

/** Looks at `_nodes/stats` of one side between turns: counters from begin to end, and points on the way. */
export class ResourceWatch {
  readonly points: ResourcePoint[] = []
  readonly #cluster: Cluster
  #first: Counters | undefined
  #last: Counters | undefined
  #lastAt = -Infinity
  #apartMs = apartMs
  #cpuPercentMost: number | null = null
  #heapPercentMost: number | null = null
  #unknown: string | null = null

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Looks, if it is time to. */
  async look(signal: AbortSignal, always = false): Promise<void> {
    const now = performance.now()
    if (!always && now - this.#lastAt < this.#apartMs) return
    this.#lastAt = now
    const counters = await this.#read(signal)
    if (counters === undefined) return
    this.#note(counters)
  }

  summary(requests: number): SideResources {
    const first = this.#first
    const last = this.#last
    const grown = (name: 'cpuMs' | 'gcMs' | 'gcCount' | 'diskReadBytes' | 'diskWriteBytes') => {
      const from = first?.[name] ?? null
      const to = last?.[name] ?? null
      // A node that was started again counts from zero.
      return from === null || to === null || to < from ? null : to - from
    }
    const cpuMs = grown('cpuMs')
    return {
      nodes: last?.nodes ?? 0,
      cpuMs,
      cpuMsPerRequest: cpuMs === null || requests === 0 ? null : cpuMs / requests,
      cpuPercentMost: this.#cpuPercentMost,
      heapPercentMost: this.#heapPercentMost,
      gcMs: grown('gcMs'),
      gcCount: grown('gcCount'),
      diskReadBytes: grown('diskReadBytes'),
      diskWriteBytes: grown('diskWriteBytes'),
      unknown: this.#unknown,
    }
  }

  #note(counters: Counters): void {
    const before = this.#last
    this.#first ??= counters
    this.#last = counters
    this.#cpuPercentMost = greater(this.#cpuPercentMost, counters.cpuPercent)
    this.#heapPercentMost = greater(this.#heapPercentMost, counters.heapPercent)
    const { cpuPercent, heapPercent, gcMs } = counters
    const since = before?.gcMs ?? null
    this.points.push({
      at: new Date().toISOString(),
      side: this.#cluster.side,
      cpuPercent,
      heapPercent,
      gcMs: since === null || gcMs === null || gcMs < since ? null : gcMs - since,
    })
    if (this.points.length <= pointsMost) return
    // Every other one goes, and from now on half as many come.
    this.points.splice(0, this.points.length, ...this.points.filter((_, i) => i % 2 === 0))
    this.#apartMs *= 2
  }

  async #read(signal: AbortSignal): Promise<Counters | undefined> {
    if (this.#unknown !== null) return undefined
    try {
      const { body } = await this.#cluster.request('GET', '/_nodes/stats/os,process,jvm,fs', {
        attemptsMax: 2,
        timeoutMs: 10_000,
        signal,
      })
      return readCounters(body)
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code === 'MA_STOPPED') throw error
      this.#unknown = error.message
      return undefined
    }
  }
}

function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}

/**
 *     { "nodes": { ID: { "os": { "cpu": { "percent" } }, "process": { "cpu": { "total_in_millis" } },
 *         "jvm": { "mem": { "heap_used_percent" }, "gc": { "collectors": { NAME: { "collection_count",
 *         "collection_time_in_millis" } } } }, "fs": { "io_stats": { "total": { "read_kilobytes", … } } } } } }
 */
export function readCounters(body: JsonObject): Counters {
  const nodes = Object.values(objectAt(body, 'nodes')).filter(isJsonObject)
  const collectors = nodes.flatMap((node) =>
    Object.values(objectAt(node, 'jvm', 'gc', 'collectors')).filter(isJsonObject),
  )
  const each = (...path: string[]) => nodes.map((node) => numberAt(node, ...path))
  const kilobytes = (name: string) => sum(each('fs', 'io_stats', 'total', name), 1024)
  return {
    nodes: nodes.length,
    cpuMs: sum(each('process', 'cpu', 'total_in_millis')),
    gcMs: sum(collectors.map((one) => numberAt(one, 'collection_time_in_millis'))),
    gcCount: sum(collectors.map((one) => numberAt(one, 'collection_count'))),
    diskReadBytes: kilobytes('read_kilobytes'),
    diskWriteBytes: kilobytes('write_kilobytes'),
    cpuPercent: most(each('os', 'cpu', 'percent')),
    heapPercent: most(each('jvm', 'mem', 'heap_used_percent')),
  }
}

/** Null where one of them is not told: a part of a sum is no sum. */
function sum(values: readonly (number | null)[], factor = 1): number | null {
  if (values.length === 0 || values.includes(null)) return null
  return values.reduce<number>((all, value) => all + value! * factor, 0)
}

function most(values: readonly (number | null)[]): number | null {
  return values.reduce(greater, null)
}

function objectAt(value: Json, ...path: string[]): JsonObject {
  let at: Json | undefined = value
  for (const name of path) at = isJsonObject(at) ? at[name] : undefined
  return isJsonObject(at) ? at : {}
}

function numberAt(value: Json, ...path: string[]): number | null {
  const found = objectAt(value, ...path.slice(0, -1))[path.at(-1)!]
  // Minus one stands for what the machine does not tell.
  return typeof found === 'number' && found >= 0 ? found : null
}
