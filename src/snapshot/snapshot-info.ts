import type { Json } from '../base/json.ts'
import { Fields } from './fields.ts'

/**
 * A snapshot's own blob, snap-<uuid>.dat, specified in Elasticsearch's SnapshotInfo:
 *
 *   { snapshot: { name, uuid, version_id, indices: [name], state, reason?, start_time, end_time, total_shards,
 *                 successful_shards, include_global_state?, failures: [{ index, shard_id, reason, ... }],
 *                 data_streams?: [name] (since 7.9),
 *                 remote_store_index_shallow_copy?: boolean (OpenSearch), ... } }
 */
export interface SnapshotInfo {
  readonly name: string
  readonly uuid: string
  readonly engine: 'elasticsearch' | 'opensearch'
  readonly engineVersion: string
  readonly engineMajor: number
  /** True: the files of the shards lie in a remote store, not in the repository. */
  readonly shallow: boolean
  readonly state: string
  readonly indices: readonly string[]
  /** Names of data streams. */
  readonly dataStreams: readonly string[]
  /** False where the snapshot was made without; then there is still a global blob, with data streams at most. */
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
  const {
    engine,
    version: engineVersion,
    major: engineMajor,
  } = versionOf(fields.count('version_id'))
  return {
    name,
    // Before 5.0 the name was the only id.
    uuid: fields.optionalText('uuid') ?? name,
    engine,
    engineVersion,
    engineMajor,
    shallow: fields.object['remote_store_index_shallow_copy'] === true,
    state: fields.text('state'),
    indices: fields.texts('indices'),
    dataStreams: fields.has('data_streams') ? fields.texts('data_streams') : [],
    includeGlobalState: fields.object['include_global_state'] !== false,
    startTimeMs: fields.count('start_time'),
    endTimeMs: fields.count('end_time'),
    shardFailures: fields.has('failures') ? fields.each('failures').map(parseFailure) : [],
  }
}

/** Since 8.9 Elasticsearch counts versions of its index format, from here on, and no longer those of itself. */
const indexVersionMin = 8_500_000

/** The first that each release wrote, as IndexVersions.csv in Elasticsearch's source has them, and fixtures after 8.17. */
const releases: readonly (readonly [first: number, release: string])[] = [
  [9_039_000, '9.2'],
  [9_000_000, '9.0'],
  [8_536_000, '8.19'],
  [8_525_000, '8.18'],
  [8_521_000, '8.17'],
  [8_518_000, '8.16'],
  [8_512_000, '8.15'],
  [8_505_000, '8.14'],
  [8_503_000, '8.13'],
  [8_500_008, '8.12'],
  [indexVersionMin, '8.11'],
]

/**
 * 7100299 → 7.10.2: two digits each for minor, patch and build. Of the index format's versions the release is known that
 * wrote it, or one that is older: 8537000 → 8.19.
 */
export function versionOf(id: number): {
  engine: 'elasticsearch' | 'opensearch'
  version: string
  major: number
} {
  const engine = (id & openSearchBit) === 0 ? 'elasticsearch' : 'opensearch'
  const own = id & ~openSearchBit
  const major = Math.floor(own / 1_000_000)
  if (engine === 'elasticsearch' && own >= indexVersionMin) {
    const known = releases.find(([first]) => first <= own)
    return { engine, version: known?.[1].startsWith(`${major}.`) ? known[1] : `${major}.0`, major }
  }
  const part = (unit: number): number => Math.floor(own / unit) % 100
  return { engine, version: `${major}.${part(10_000)}.${part(100)}`, major }
}

function parseFailure(fields: Fields): { index: string; shard: number; reason: string } {
  return {
    index: fields.text('index'),
    shard: fields.count('shard_id'),
    reason: fields.optionalText('reason') ?? 'no reason given',
  }
}
