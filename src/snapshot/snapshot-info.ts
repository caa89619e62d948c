import type { Json } from '../base/json.ts'
import { Fields } from './fields.ts'

/**
 * A snapshot's own blob, snap-<uuid>.dat, specified in Elasticsearch's SnapshotInfo:
 *
 *   { snapshot: { name, uuid, version_id, indices: [name], state, reason?, start_time, end_time, total_shards,
 *                 successful_shards, include_global_state?, failures: [{ index, shard_id, reason, ... }], ... } }
 */
export interface SnapshotInfo {
  readonly name: string
  readonly uuid: string
  readonly engineVersion: string
  readonly engineMajor: number
  readonly state: string
  readonly indices: readonly string[]
  /** False where the snapshot was made without; then there is still a global blob, which holds nothing. */
  readonly includeGlobalState: boolean
  readonly startTimeMs: number
  readonly endTimeMs: number
  readonly shardFailures: readonly { index: string; shard: number; reason: string }[]
}

/** OpenSearch sets this bit in its version ids, to tell them from Elasticsearch's. */
const openSearchBit = 0x0800_0000

export function parseSnapshotInfo(json: Json, file: string): SnapshotInfo {
  const fields = new Fields(file, '', json).fields('snapshot')
  const name = fields.text('name')
  const id = fields.count('version_id') & ~openSearchBit
  return {
    name,
    // Before 5.0 the name was the only id.
    uuid: fields.optionalText('uuid') ?? name,
    engineVersion: versionText(id),
    engineMajor: Math.floor(id / 1_000_000),
    state: fields.text('state'),
    indices: fields.texts('indices'),
    includeGlobalState: fields.object['include_global_state'] !== false,
    startTimeMs: fields.count('start_time'),
    endTimeMs: fields.count('end_time'),
    shardFailures: fields.has('failures') ? fields.each('failures').map(parseFailure) : [],
  }
}

/** 7100299 → 7.10.2: two digits each for minor, patch and build. */
export function versionText(id: number): string {
  const part = (unit: number): number => Math.floor(id / unit) % 100
  return `${Math.floor(id / 1_000_000)}.${part(10_000)}.${part(100)}`
}

function parseFailure(fields: Fields): { index: string; shard: number; reason: string } {
  return {
    index: fields.text('index'),
    shard: fields.count('shard_id'),
    reason: fields.optionalText('reason') ?? 'no reason given',
  }
}
