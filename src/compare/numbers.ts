import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { isNumbered } from './version-rule.ts'

/**
 * Where an index stands, as a text that is another one when it was written to, or is another index by now: its UUID, and of
 * each shard the highest number that its primary gave out; before 6.0, which number nothing, its counts. null: there is no
 * such index, or it cannot be asked now (closed).
 */
export async function readNumbers(
  cluster: Cluster,
  index: string,
  signal: AbortSignal,
): Promise<string | null> {
  const numbered = isNumbered(cluster.version)
  const { status, body } = await cluster.request(
    'GET',
    `/${encodeURIComponent(index)}/_stats/docs,indexing`,
    { query: numbered ? { level: 'shards' } : {}, accept: [400, 403, 404], signal },
  )
  if (status !== 200) return null
  const [one, ...others] = Object.values(objectOf(body.indices)).map(objectOf)
  if (one === undefined || others.length > 0) return null
  const uuid = typeof one.uuid === 'string' ? one.uuid : ''
  if (!numbered) return `${uuid} ${JSON.stringify(objectOf(one.primaries).docs ?? null)}`
  const shards = Object.entries(objectOf(one.shards)).map(([shard, copies]) => {
    const primary = (Array.isArray(copies) ? copies : []).map(objectOf).find(isPrimary)
    return `${shard}:${JSON.stringify(objectOf(primary?.seq_no).max_seq_no ?? null)}`
  })
  return `${uuid} ${shards.sort().join(' ')}`
}

function isPrimary({ routing }: JsonObject): boolean {
  return objectOf(routing).primary === true
}

function objectOf(value: Json | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {}
}
