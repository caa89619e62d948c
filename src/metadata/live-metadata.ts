import { CorruptData, MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Apart } from '../base/select-indices.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { parseDataStreams } from '../snapshot/data-streams.ts'
import { parseGlobalMetadata } from '../snapshot/global-metadata.ts'
import { parseIndexMetadata } from '../snapshot/index-metadata.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import type { ClusterMetadata } from './cluster-metadata.ts'
import { findRoutingShards } from './routing-shards.ts'
import { objectOf, textOf } from './json-objects.ts'
import { flattenSettings } from './settings.ts'

/** What a live cluster tells besides. */
export interface LiveMetadata extends ClusterMetadata {
  readonly apart: ReadonlyMap<string, Apart>
  readonly closed: ReadonlySet<string>
}

/**
 * The metadata of a live cluster, read from its cluster state, which every version has: a snapshot holds just that, in
 * another arrangement. Nothing is kept but the names; each index is asked for when it is read, so that memory does not
 * grow with the cluster. Needs the right to monitor the cluster. Throws MA_CLUSTER_*.
 */
export async function liveMetadata(cluster: Cluster, signal?: AbortSignal): Promise<LiveMetadata> {
  const listed = objectOf((await readState(cluster, '', listedParts, signal)).indices)
  const indices = Object.keys(listed).sort()
  return {
    indices,
    apart: new Map(
      indices.flatMap((name) => {
        const apart = apartOf(objectOf(listed[name]))
        return apart === undefined ? [] : [[name, apart]]
      }),
    ),
    closed: new Set(indices.filter((name) => objectOf(listed[name]).state === 'close')),
    engineVersion: cluster.version.text,
    flavour: cluster.version.flavour,
    readGlobalMetadata: async () => {
      const state = await readState(cluster, '', withoutIndices(cluster), signal)
      delete state.indices
      const settings = await readClusterSettings(cluster, signal)
      const templates = await readLegacyTemplates(cluster, state, signal)
      return answerOf(cluster, () =>
        parseGlobalMetadata({ 'meta-data': { ...state, settings, templates } }, statePath),
      )
    },
    readDataStreams: async () => {
      const state = await readState(cluster, '', 'metadata.data_stream', signal)
      return answerOf(cluster, () => parseDataStreams({ 'meta-data': state }, statePath))
    },
    readIndexMetadata: (index) => readIndex(cluster, index, signal),
  }
}

const statePath = '/_cluster/state/metadata'

const listedParts = ['state', 'system', 'settings.index.hidden']
  .map((part) => `metadata.indices.*.${part}`)
  .join(',')

function apartOf({ system, settings }: JsonObject): Apart | undefined {
  if (system === true) return 'system'
  const { hidden } = objectOf(objectOf(settings).index)
  return textOf(hidden) === 'true' ? 'hidden' : undefined
}

async function readIndex(
  cluster: Cluster,
  index: string,
  signal: AbortSignal | undefined,
): Promise<IndexMetadata> {
  const name = encodeURIComponent(index)
  const metadata = await readState(cluster, `/${name}`, undefined, signal)
  const state = objectOf(metadata.indices)[index]
  if (!isJsonObject(state)) throw noIndex(cluster, index)
  // The cluster state only names aliases here.
  const { body } = await cluster.request('GET', `/${name}/_alias`, { ...(signal && { signal }) })
  const aliases = objectOf(objectOf(body[index]).aliases)
  const settings = flattenSettings(objectOf(state.settings))
  const read = answerOf(cluster, () =>
    parseIndexMetadata(
      { [index]: { ...state, settings, aliases } },
      `${statePath}/${index}`,
      index,
    ),
  )
  if (state.routing_num_shards !== undefined) return read
  return { ...read, numberOfRoutingShards: await findRoutingShards(cluster, read, signal) }
}

/** Part of the cluster state's metadata. `indices` narrows it to one index, and then leaves all else out. */
async function readState(
  cluster: Cluster,
  indices: string,
  filterPath: string | undefined,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { body } = await cluster.request('GET', `${statePath}${indices}`, {
    query: { filter_path: filterPath, expand_wildcards: 'all' },
    ...(signal && { signal }),
  })
  return objectOf(body.metadata)
}

/** Engines before 5 cannot leave a part out: they send all of it. */
function withoutIndices({ version }: Cluster): string | undefined {
  const excludes = version.flavour === 'opensearch' || version.major >= 5
  return excludes ? 'metadata,-metadata.indices' : undefined
}

/** The cluster state that is asked for leaves the settings of the cluster out. Those until the next restart do not count. */
async function readClusterSettings(
  cluster: Cluster,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { body } = await cluster.request('GET', '/_cluster/settings', {
    query: { flat_settings: true },
    ...(signal && { signal }),
  })
  return objectOf(body.persistent)
}

/** The cluster state of engines before 7 leaves the aliases of templates out. */
async function readLegacyTemplates(
  cluster: Cluster,
  state: JsonObject,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { version } = cluster
  if (version.flavour === 'opensearch' || version.major >= 7) return objectOf(state.templates)
  const { body } = await cluster.request('GET', '/_template', { ...(signal && { signal }) })
  return body
}

function answerOf<T>({ url }: Cluster, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error
    throw new MigrationError(
      'MA_CLUSTER_RESPONSE',
      `${url} answers what cannot be used: ${error.message}`,
      { cause: error },
    )
  }
}

function noIndex({ url }: Cluster, index: string): MigrationError {
  return new MigrationError(
    'MA_SOURCE_INDEX',
    `${url} has no index ${index} any more: it was deleted since the list was read. Run again.`,
    { details: { index } },
  )
}
