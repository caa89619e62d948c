import { CorruptData, FormatTooNew, Unsupported, type MigrationError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { Fields } from './fields.ts'
import { repositoryFormats } from './formats.ts'
import type { RepositoryFormat } from './formats.ts'
import { parseJson } from './metadata-blob.ts'
import type { SnapshotBlobs } from './snapshot-blobs.ts'
import { versionOf } from './snapshot-info.ts'

/**
 * The root of a repository, blob index-N: JSON without frame or checksum, so what is read from it is compared with
 * the checked blobs that it points to. Specified in Elasticsearch's RepositoryData.
 *
 *   root     = { snapshots: [snapshot], indices: { <name>: index }, min_version?, index_metadata_identifiers?,
 *                uuid?, cluster_id? }
 *   snapshot = { name, uuid, state?: 0-4, version?: text | number, index_version?: number (8.9+), index_metadata_lookup?:
 *                { <index id>: <identifier> } }
 *   index    = { id, snapshots: [<uuid> | { name, uuid }], shard_generations?, shard_path_type? (OpenSearch 2.17+) }
 *                                                                   (objects in snapshots before 5.4.1)
 *   index_metadata_identifiers = { <identifier>: <id of the blob meta-<id>.dat> }
 */
export interface Root {
  readonly format: RepositoryFormat
  readonly snapshots: readonly RootSnapshot[]
}

export interface RootSnapshot {
  readonly name: string
  readonly uuid: string
  readonly state: string
  readonly engineVersion?: string
  /** By index name. */
  readonly indices: ReadonlyMap<string, RootIndex>
  /** framedBlobs unless said. */
  readonly blobs?: SnapshotBlobs
  /** Why it cannot be opened, where that is known. */
  readonly damage?: MigrationError
}

/**
 * OpenSearch's repository setting `shard_path_type`: indices/<id>/<shard>; or below a hash, which in the second form
 * stands before the repository's base_path, in the third behind it.
 */
const shardPathTypes = ['fixed', 'hashed-prefix', 'hashed-infix'] as const
export type ShardPaths = (typeof shardPathTypes)[number]

export interface RootIndex {
  /** Folder under indices/. */
  readonly id: string
  /** <id> of meta-<id>.dat in that folder. */
  readonly metadataId: string
  /** Where the folders of the shards lie. */
  readonly shardPaths: ShardPaths
}

const states = ['IN_PROGRESS', 'SUCCESS', 'FAILED', 'PARTIAL', 'INCOMPATIBLE']

export function parseRoot(bytes: Buffer, file: string): Root {
  const root = new Fields(file, '', parseJson(bytes, file))
  const format = findFormat(root)
  const identifiers = format.metadataByContent
    ? parseIdentifiers(root.fields('index_metadata_identifiers'))
    : new Map<string, string>()
  const indices = parseIndices(root.fields('indices'))
  const uuids = new Set<string>()
  const snapshots = root.each('snapshots').map((snapshot) => {
    const uuid = snapshot.pathSegment('uuid')
    if (uuids.has(uuid)) throw snapshot.wrong('uuid', 'one snapshot of each uuid', uuid)
    uuids.add(uuid)
    return parseSnapshot(snapshot, uuid, { format, identifiers, indices })
  })
  checkReferences(file, indices, uuids)
  return { format, snapshots }
}

/** The snapshots that the blob `incompatible-snapshots` lists. */
export function parseIncompatible(bytes: Buffer, file: string): RootSnapshot[] {
  const list = new Fields(file, '', parseJson(bytes, file)).list('incompatible-snapshots')
  return list.map((item, i) => {
    const fields = new Fields(file, `incompatible-snapshots[${i}]`, item)
    return {
      name: fields.text('name'),
      uuid: fields.text('uuid'),
      state: 'INCOMPATIBLE',
      indices: new Map(),
    }
  })
}

function findFormat(root: Fields): RepositoryFormat {
  const minVersion = root.object['min_version']
  const rows = repositoryFormats.filter((row) => row.minVersion === minVersion)
  const fields = Object.keys(root.object)
  const format = rows.find(({ rootFields }) => fields.every((name) => rootFields.includes(name)))
  if (format !== undefined) return format
  const nearest = rows.at(-1)
  if (nearest === undefined) {
    const known = new Set(repositoryFormats.map((row) => row.minVersion ?? 'none'))
    throw new FormatTooNew({
      file: root.file,
      offset: 0,
      expected: `min_version ${[...known].join(', ')}`,
      found: `min_version ${JSON.stringify(minVersion).slice(0, 40)}`,
    })
  }
  const unknown = fields.find((name) => !nearest.rootFields.includes(name)) ?? ''
  throw new Unsupported({
    file: root.file,
    offset: 0,
    expected: `the root of a repository as written since ${nearest.writtenSince} (${nearest.rootFields.join(', ')})`,
    found: `field ${JSON.stringify(unknown.slice(0, 80))}`,
  })
}

function parseIdentifiers(fields: Fields): Map<string, string> {
  return new Map(Object.keys(fields.object).map((name) => [name, fields.pathSegment(name)]))
}

interface ListedIndex {
  readonly name: string
  readonly id: string
  readonly shardPaths: ShardPaths
  readonly snapshots: ReadonlySet<string>
}

function parseIndices(fields: Fields): ListedIndex[] {
  const ids = new Set<string>()
  return Object.keys(fields.object).map((name) => {
    const index = fields.fields(name)
    const id = index.pathSegment('id')
    if (ids.has(id)) throw index.wrong('id', 'one index of each id', id)
    ids.add(id)
    const snapshots = index.list('snapshots').map((item, i) => snapshotUuid(index, item, i))
    return { name, id, shardPaths: parseShardPaths(index), snapshots: new Set(snapshots) }
  })
}

function parseShardPaths(index: Fields): ShardPaths {
  const number = index.optionalCount('shard_path_type') ?? 0
  const type = shardPathTypes[number]
  if (type === undefined) throw index.wrong('shard_path_type', '0, 1 or 2', number)
  return type
}

function snapshotUuid(index: Fields, item: Json, i: number): string {
  if (typeof item === 'string') return item
  return new Fields(index.file, `${index.at('snapshots')}[${i}]`, item).text('uuid')
}

function checkReferences(
  file: string,
  indices: readonly ListedIndex[],
  uuids: ReadonlySet<string>,
): void {
  for (const index of indices) {
    for (const uuid of index.snapshots) {
      if (uuids.has(uuid)) continue
      throw new CorruptData({
        file,
        offset: 0,
        expected: `index ${index.name} to be in snapshots that the root lists`,
        found: `uuid ${JSON.stringify(uuid.slice(0, 80))}`,
      })
    }
  }
}

interface RootContext {
  readonly format: RepositoryFormat
  readonly identifiers: ReadonlyMap<string, string>
  readonly indices: readonly ListedIndex[]
}

function parseSnapshot(fields: Fields, uuid: string, context: RootContext): RootSnapshot {
  const { format, identifiers } = context
  const lookup =
    format.metadataByContent && fields.has('index_metadata_lookup')
      ? fields.fields('index_metadata_lookup')
      : undefined
  const indices = new Map<string, RootIndex>()
  for (const index of context.indices) {
    if (!index.snapshots.has(uuid)) continue
    const identifier = lookup?.optionalText(index.id)
    const metadataId = identifier === undefined ? uuid : identifiers.get(identifier)
    if (metadataId === undefined) {
      throw fields.wrong(
        `index_metadata_lookup.${index.id}`,
        'one of index_metadata_identifiers',
        identifier,
      )
    }
    const { id, shardPaths } = index
    indices.set(index.name, { id, metadataId, shardPaths })
  }
  checkLookup(lookup, indices)
  const engineVersion = parseVersion(fields)
  return {
    name: fields.text('name'),
    uuid,
    state: parseState(fields),
    ...(engineVersion !== undefined && { engineVersion }),
    indices,
  }
}

function parseVersion(fields: Fields): string | undefined {
  // Then `version` is 8.11.0, for the sake of older readers.
  const index = fields.optionalCount('index_version')
  if (index !== undefined) return versionOf(index).version
  const isNumber = typeof fields.object['version'] === 'number'
  return isNumber ? versionOf(fields.count('version')).version : fields.optionalText('version')
}

/** A lookup names the very indices of its snapshot: a flipped id would silently lead to the old rule. */
function checkLookup(lookup: Fields | undefined, indices: ReadonlyMap<string, RootIndex>): void {
  if (lookup === undefined) return
  const ids = new Set([...indices.values()].map((index) => index.id))
  const foreign = Object.keys(lookup.object).find((id) => !ids.has(id))
  if (foreign !== undefined) throw lookup.wrong(foreign, 'ids of indices of this snapshot', foreign)
}

function parseState(fields: Fields): string {
  const number = fields.optionalCount('state')
  if (number === undefined) return 'UNKNOWN'
  const state = states[number]
  if (state === undefined) {
    throw fields.wrong('state', `a number below ${states.length}`, number)
  }
  return state
}
