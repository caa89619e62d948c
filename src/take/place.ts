import { fileURLToPath } from 'node:url'
import { MigrationError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import { settingText } from '../cluster/settings.ts'

/** The kinds of repositories that a source can write snapshots to. */
export type RepositoryType = 'fs' | 's3' | 'gcs' | 'azure'

/** Where a repository is, as its engine names the parts of it. */
export interface RepositoryPlace {
  readonly type: RepositoryType
  /** As given. */
  readonly location: string
  /** What names the place in the engine's settings: two repositories with equal ones are one place. */
  readonly identity: { readonly [setting: string]: string }
}

const forms =
  '/PATH, file:///PATH, s3://BUCKET/PATH, gs://BUCKET/PATH or azure://ACCOUNT/CONTAINER/PATH'

/**
 * Reads the location of a repository as the source sees it:
 *
 *   /PATH | file:///PATH               fs     { location }
 *   s3://BUCKET[/PATH]                 s3     { bucket, base_path }
 *   gs://BUCKET[/PATH]                 gcs    { bucket, base_path }
 *   azure://ACCOUNT/CONTAINER[/PATH]   azure  { container, base_path }; the account is in the keystore of the source
 *
 * Throws MA_CONFIG for anything else.
 */
export function repositoryPlace(location: string): RepositoryPlace {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(location) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      if (location.startsWith('/')) return folderPlace(location, location)
      break
    case 'file':
      return folderPlace(location, filePath(location))
    case 's3':
      return bucketPlace('s3', location, rest)
    case 'gs':
      return bucketPlace('gcs', location, rest)
    case 'azure':
      return containerPlace(location, rest)
  }
  throw wrongLocation(location)
}

function folderPlace(location: string, path: string): RepositoryPlace {
  return { type: 'fs', location, identity: { location: withoutEndSlash(path) } }
}

function filePath(location: string): string {
  try {
    return fileURLToPath(location)
  } catch {
    throw wrongLocation(location)
  }
}

function bucketPlace(type: 's3' | 'gcs', location: string, rest: string): RepositoryPlace {
  const [, bucket = '', path = ''] = /^([^/@]+)(?:\/+(.*))?$/s.exec(rest) ?? []
  if (bucket === '') throw wrongLocation(location)
  return { type, location, identity: { bucket, base_path: withoutEndSlash(path) } }
}

function containerPlace(location: string, rest: string): RepositoryPlace {
  const [, container = '', path = ''] = /^[^/@]+\/([^/]+)(?:\/+(.*))?$/s.exec(rest) ?? []
  if (container === '') throw wrongLocation(location)
  return { type: 'azure', location, identity: { container, base_path: withoutEndSlash(path) } }
}

function wrongLocation(location: string): MigrationError {
  // What stands before an @ may be a secret that does not belong there.
  const given = location.includes('@') ? 'something with an @' : location
  return new MigrationError(
    'MA_CONFIG',
    `a snapshot can be made in ${forms}, as the source's nodes see it; given: ${given}. ` +
      'Where the source sees the place elsewhere than this machine does, say so with --source-location',
    { details: { location: given } },
  )
}

function withoutEndSlash(path: string): string {
  return path.replace(/(.)\/+$/s, '$1')
}

/** How the source is to write there; all of it optional. */
export interface RepositoryOptions {
  /** Limit of one node's reading for snapshots, in MB/s (1 MB = 1,048,576 bytes, as the engine counts). */
  readonly rateMbPerNode?: number
  /** Whether the engine compresses the metadata of the snapshot; documents are not touched by it. */
  readonly compress: boolean
  /** Region, endpoint and path style of an S3 service. */
  readonly s3?: {
    readonly region?: string
    readonly endpoint?: string
    readonly pathStyle?: boolean
  }
  /** Further settings of the repository, by the engine's names: `client`, `role_arn`, `server_side_encryption` … */
  readonly settings?: { readonly [name: string]: Json }
}

/**
 * The body that registers the place as a repository. Credentials are never part of it: everybody who may read the
 * cluster's settings could read them there, and snapshots keep them.
 */
export function repositoryBody(
  place: RepositoryPlace,
  options: RepositoryOptions,
  version: EngineVersion,
): JsonObject {
  const { rateMbPerNode, compress, settings = {} } = options
  refuseSecrets(settings)
  return {
    type: place.type,
    settings: {
      ...Object.fromEntries(Object.entries(place.identity).filter(([, value]) => value !== '')),
      ...(place.type === 's3' ? s3Settings(options, version) : {}),
      // Else OpenSearch 3 puts shards outside of the base path, which the keys of the reader may not reach.
      ...(place.type !== 'fs' && version.flavour === 'opensearch' && { shard_path_type: 'fixed' }),
      compress,
      ...(rateMbPerNode !== undefined && { max_snapshot_bytes_per_sec: `${rateMbPerNode}mb` }),
      ...settings,
    },
  }
}

/**
 * Engines from 6.0 on take the settings of the S3 client in the repository's settings; those before split an endpoint
 * into its protocol and the rest, and plugins before 5.0 know of regions only those of their time, not with an endpoint.
 */
function s3Settings({ s3 = {} }: RepositoryOptions, version: EngineVersion): JsonObject {
  const { endpoint, pathStyle = endpoint !== undefined } = s3
  const splits = version.flavour === 'elasticsearch' && version.major < 6
  const url = endpoint === undefined ? undefined : new URL(endpoint)
  // Services that are not Amazon's have no regions, and the SDK of newer plugins does nothing without one.
  const region = s3.region ?? (url && regionOfOthers)
  return {
    ...(region !== undefined && !(splits && url) && { region }),
    ...(url && { endpoint: splits ? url.host : endpoint! }),
    ...(url && splits && { protocol: url.protocol.slice(0, -1) }),
    ...(pathStyle && { path_style_access: true }),
  }
}

const regionOfOthers = 'us-east-1'

/** Names of settings that hold secrets in some version of the plugins. */
const secretNames =
  /(^|[._])(access_key|secret_key|session_token|sas_token|key|token|password|secret|credentials_file|service_account)$/i

function refuseSecrets(settings: { readonly [name: string]: Json }): void {
  const name = Object.keys(settings).find((one) => secretNames.test(one))
  if (name === undefined) return
  throw new MigrationError(
    'MA_CONFIG',
    `snapshot.repositorySettings: ${name} is a secret, and settings of a repository can be read by many and are kept in snapshots. ` +
      'Put it into the keystore of every node of the source (elasticsearch-keystore or opensearch-keystore, e.g. add s3.client.default.access_key; then POST /_nodes/reload_secure_settings), or give the nodes a role',
    { details: { setting: name } },
  )
}

function settingOf(settings: JsonObject, name: string): string {
  const found = settings[name]
  return found === undefined ? '' : settingText(found)
}

/** True when a registered repository (`{ type, settings }`) writes to that place. */
export function isAt(place: RepositoryPlace, type: string, settings: JsonObject): boolean {
  if (type !== place.type) return false
  return Object.entries(place.identity).every(([name, value]) => {
    const found = withoutEndSlash(settingOf(settings, name))
    // The engine takes a relative location from one of its path.repo.
    const isRelative = name === 'location' && found !== '' && !found.startsWith('/')
    return isRelative ? value.endsWith(`/${found}`) : found === value
  })
}
