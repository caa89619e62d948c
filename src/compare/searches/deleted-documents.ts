import type { JsonObject } from '../../base/json.ts'
import { isJsonObject } from '../../base/json.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { answerDefaults } from './answer-difference.ts'

/**
 * How near scores can be compared. A score depends on how many documents a shard holds (N) and how many of them have the
 * word (n), and engines count deleted documents in both until a merge drops them. So two clusters that hold the same score
 * otherwise, each the same way every time, and the source's second answer does not show it.
 *
 * With d deleted documents for each that lives, of `live` documents in the smallest shard, one word's part of a score
 * (BM25's idf, ln(1 + (N - n + 0.5) / (n + 0.5))) is off by at most
 *   d / (1 + d)                                                      for a word in most documents, by N
 *   1 - ln(1 + live / (1.5 + q)) / ln(1 + live / 1.5)                for a word in one document, by n
 * where q = d + 4 √d is how often that one may stand in the shard deleted (four standard deviations). Scores are sums of
 * such parts. On two clusters the one may be off by N and the other by n: the tolerance is the sum of both.
 */
export function scoreTolerance({ live, deletedShare: d }: ShardDocuments): number {
  if (d === 0) return answerDefaults.scoreTolerance
  const byCount = d / (1 + d)
  const q = d + 4 * Math.sqrt(d)
  const byWord = 1 - Math.log(1 + live / (1.5 + q)) / Math.log(1 + live / 1.5)
  return Math.max(answerDefaults.scoreTolerance, Math.min(1, byCount + byWord))
}

/** Of the shard where they weigh most. */
export interface ShardDocuments {
  readonly live: number
  /** Deleted documents for each that lives. */
  readonly deletedShare: number
}

const namesMax = 200
/** Statistics are asked anew when they are older than this, and so many times the time that it took. */
const ageMsMax = 1000
const ageFactor = 50

/** Looks how many deleted documents there are in what a request searches; asks seldom. */
export class DeletedDocuments {
  readonly #cluster: Cluster
  readonly #signal: AbortSignal
  readonly #known = new Map<string, { until: number; before: number; now: Promise<number> }>()

  constructor(cluster: Cluster, signal: AbortSignal) {
    this.#cluster = cluster
    this.#signal = signal
  }

  /**
   * The tolerance for scores of these indices (none: all). Merges go on meanwhile: of what was found the last two times
   * the greater counts. Where the cluster does not tell, scores are compared as if nothing was deleted.
   */
  async tolerance(indices: readonly string[] | undefined): Promise<number> {
    const names = indices?.join(',') ?? '_all'
    const known = this.#known.get(names)
    if (known !== undefined && performance.now() < known.until)
      return Math.max(known.before, await known.now)
    if (this.#known.size >= namesMax) this.#known.clear()
    const before = (await known?.now) ?? 0
    const startedAt = performance.now()
    const entry = { until: Infinity, before, now: this.#ask(names) }
    this.#known.set(names, entry)
    const tolerance = await entry.now
    const took = performance.now() - startedAt
    entry.until = performance.now() + Math.max(ageMsMax, ageFactor * took)
    return Math.max(before, tolerance)
  }

  async #ask(names: string): Promise<number> {
    const path = `/${names.split(',').map(encodeURIComponent).join(',')}/_stats/docs`
    const { status, body } = await this.#cluster.request('GET', path, {
      query: {
        ...{ level: 'shards', ignore_unavailable: true, expand_wildcards: 'open' },
        filter_path: 'indices.*.shards.*.docs',
      },
      ...{ accept: 'any', attemptsMax: 1, signal: this.#signal },
    })
    return status === 200 ? Math.max(0, ...shardsOf(body).map(scoreTolerance)) : 0
  }
}

function shardsOf({ indices }: JsonObject): ShardDocuments[] {
  return Object.values(isJsonObject(indices) ? indices : {}).flatMap((index) => {
    const shards = isJsonObject(index) && isJsonObject(index.shards) ? index.shards : {}
    return Object.values(shards).flatMap((copies) =>
      (Array.isArray(copies) ? copies : []).flatMap((copy) => {
        const docs = isJsonObject(copy) && isJsonObject(copy.docs) ? copy.docs : {}
        const { count, deleted } = docs
        if (typeof count !== 'number' || typeof deleted !== 'number' || count === 0) return []
        return [{ live: count, deletedShare: deleted / count }]
      }),
    )
  })
}
