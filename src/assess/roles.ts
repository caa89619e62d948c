import type { JsonObject } from '../base/json.ts'
import { regexPrefix } from '../base/select.ts'
import type { Side } from '../cluster/cluster.ts'
import type { MetadataOptions } from '../metadata/options.ts'
import { newNames } from '../metadata/rename.ts'

/** The least that a user needs, in the words of one security system; `body` is what its API takes. */
export interface Role {
  readonly system: 'OpenSearch security' | 'Elasticsearch security'
  /** Where to put it. */
  readonly request: string
  readonly body: JsonObject
  /** What is in it for what, and what more is wanted for what is not in it. */
  readonly notes: readonly string[]
}

const roleName = (side: Side): string => `osmigrate-${side}`

/**
 * The least roles for one side. `include` are the indices that take part, as the selection has them, which may have other
 * names on the target. A source may be of either engine; a target is an OpenSearch.
 */
export function leastRoles(
  side: Side,
  include: readonly string[],
  { rename, types }: Partial<Pick<MetadataOptions, 'rename' | 'types'>> = {},
): Role[] {
  const name = roleName(side)
  const ofTypes = types === 'split' ? include.map(namesOfTypes) : []
  const others = side === 'target' ? [...ofTypes, ...newNames(rename ?? [])] : []
  const patterns = [...include.map(rolePattern), ...others]
  const openSearch: Role = {
    system: 'OpenSearch security',
    request: `PUT /_plugins/_security/api/roles/${name}`,
    body: openSearchRole(side, patterns),
    notes: side === 'source' ? sourceNotes : targetNotes,
  }
  if (side === 'target') return [openSearch]
  return [
    {
      system: 'Elasticsearch security',
      request: `PUT /_security/role/${name}`,
      body: elasticsearchRole(patterns),
      notes: [
        ...sourceNotes,
        'Before Elasticsearch 7 the path is /_xpack/security/role, before 5 /_shield/role.',
      ],
    },
    openSearch,
  ]
}

const sourceNotes = [
  'Enough for: assess, metadata evaluate, snapshot create, status and delete.',
  'Reading a snapshot repository needs no rights on any cluster.',
]
const targetNotes = [
  'Enough for: metadata, backfill, compare, deadletters, settings restore, close.',
  'With cluster:monitor/state and cluster:admin/settings/update besides, deleted indices are fenced off by a cluster setting in the place of an index template, which is one thing less to see among the templates.',
]

/** The indices of single types, INDEX-TYPE. */
function namesOfTypes(pattern: string): string {
  return pattern.startsWith(regexPrefix)
    ? `/(${pattern.slice(regexPrefix.length)})-.*/`
    : `${pattern}-*`
}

/** Both security systems write a regular expression between slashes. */
function rolePattern(pattern: string): string {
  return pattern.startsWith(regexPrefix) ? `/${pattern.slice(regexPrefix.length)}/` : pattern
}

function openSearchRole(side: Side, patterns: readonly string[]): JsonObject {
  const [cluster, indices] = side === 'source' ? openSearchSource : openSearchTarget
  return {
    description: `osmigrate, ${side}`,
    cluster_permissions: [...cluster],
    index_permissions: [
      { index_patterns: indexPatterns(side, patterns), allowed_actions: [...indices] },
      { index_patterns: ['*'], allowed_actions: [ofAllIndices[side]] },
      // metadata evaluate --probe
      ...(side === 'target'
        ? [{ index_patterns: ['osmigrate-probe-*'], allowed_actions: ['indices:admin/delete'] }]
        : []),
    ],
  }
}

/** Documents are written to aliases `osmigrate-…`, and to indices behind data streams by their names. */
function indexPatterns(side: Side, patterns: readonly string[]): string[] {
  if (side === 'source' || patterns.includes('*')) return [...patterns]
  const streams = patterns.filter((pattern) => /^[^./]/.test(pattern))
  return [...patterns, 'osmigrate-*', ...streams.map((pattern) => `.ds-${pattern}-*`)]
}

/**
 * What is asked of all indices at once: how large shards are and what is written, on the source; on the target the
 * aliases, since a name that an alias has already cannot be an index's.
 */
const ofAllIndices = { source: 'indices:monitor/stats', target: 'indices:admin/aliases/get' }

/** Cluster and index permissions by their actions. */
type Permissions = readonly [readonly string[], readonly string[]]

const openSearchSource: Permissions = [
  [
    'cluster:monitor/main',
    'cluster:monitor/state',
    'cluster:monitor/shards',
    'cluster:monitor/nodes/info',
    'cluster:monitor/nodes/stats',
    'cluster:monitor/nodes/usage',
    'cluster:admin/repository/get',
    'cluster:admin/repository/put',
    'cluster:admin/repository/verify',
    'cluster:admin/repository/delete',
    'cluster:admin/snapshot/create',
    'cluster:admin/snapshot/get',
    'cluster:admin/snapshot/status*',
    'cluster:admin/snapshot/delete',
  ],
  ['indices:admin/aliases/get', 'indices:data/read/search'],
]

const openSearchTarget: Permissions = [
  [
    'cluster:monitor/main',
    'cluster:admin/component_template/*',
    'cluster:admin/ingest/pipeline/*',
    'cluster:admin/script/get',
    'cluster:admin/script/put',
    'cluster:admin/script_language/get',
    'cluster:admin/search/pipeline/*',
    'cluster:monitor/nodes/info',
    'indices:admin/index_template/*',
    'indices:admin/template/*',
    'indices:data/write/bulk',
    'indices:data/read/mget',
    'indices:data/read/scroll*',
  ],
  [
    'indices:admin/aliases*',
    'indices:admin/create',
    'indices:admin/data_stream/create',
    'indices:admin/data_stream/get',
    'indices:admin/get',
    'indices:admin/refresh*',
    'indices:admin/rollover',
    'indices:admin/settings/update',
    'indices:admin/shards/search_shards',
    'indices:data/read/mget*',
    'indices:data/read/search',
    'indices:data/write/bulk*',
    'indices:data/write/delete',
    'indices:data/write/index',
    'indices:data/write/update',
    'indices:monitor/settings/get',
    'indices:monitor/stats',
  ],
]

/** In the privileges that Elasticsearch names: these are coarser than actions, and the same in every version. */
function elasticsearchRole(patterns: readonly string[]): JsonObject {
  return {
    cluster: [
      'monitor',
      'cluster:admin/repository/*',
      'cluster:admin/snapshot/*',
      'cluster:admin/ingest/pipeline/get',
      // Part of `monitor` since 7 alone.
      'indices:admin/template/get',
    ],
    indices: [{ names: [...patterns], privileges: ['monitor', 'view_index_metadata', 'read'] }],
  }
}
