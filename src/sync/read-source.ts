import { createHash } from 'node:crypto'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { Apart, StreamIndices } from '../base/select-indices.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import { routedByMapping } from '../metadata/mappings.ts'
import { flattenSettings } from '../metadata/settings.ts'
import { addressOf, evenClosed, inAddresses } from './addresses.ts'

/**
 * What the view of the source reads, each with one request for many indices, and only what it needs of the answer. All of
 * it is in the cluster state, which every version has; needs the right to monitor the cluster.
 */

/** Where the cluster state stands: another text means that anything may have changed. */
export async function readStateVersion(
  source: Cluster,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { status, body } = await source.request('GET', '/_cluster/state/version', {
    query: { filter_path: 'version,state_uuid' },
    // Some managed services let no one read it.
    accept: [400, 401, 403, 404, 405],
    ...(signal && { signal }),
  })
  return status === 200 ? stateVersionOf(body) : undefined
}

function stateVersionOf({ version, state_uuid: uuid }: JsonObject): string | undefined {
  return version === undefined ? undefined : `${textOf(version)} ${textOf(uuid ?? '')}`
}

/** An index as the list has it. */
export interface ListedIndex {
  readonly name: string
  readonly uuid: string
  readonly isOpen: boolean
  readonly createdVersion: number
  readonly numberOfShards: number
  /** undefined: the engine does not tell (before 7). */
  readonly numberOfRoutingShards: number | undefined
  readonly routingPartitionSize: number
  readonly runsPipeline: boolean
  readonly aliasNames: readonly string[]
  readonly primaryTerms: readonly (number | null)[]
  /** Grows with each change of its metadata; undefined where the engine does not tell (before 6). */
  readonly version: string | undefined
}

export interface SourceList {
  readonly stateVersion: string | undefined
  /** Of the cluster; undefined where there is none (before 2.0). */
  readonly clusterUuid: string | undefined
  readonly indices: ReadonlyMap<string, ListedIndex>
  readonly apart: ReadonlyMap<string, Apart>
  readonly streams: readonly StreamIndices[]
}

const indexParts = [
  ...['state', 'system', 'routing_num_shards', 'primary_terms', 'aliases', 'version'],
  ...['uuid', 'hidden', 'number_of_shards', 'routing_partition_size', 'version.created'].map(
    settingPart,
  ),
  ...['default_pipeline', 'final_pipeline'].map(settingPart),
].map((part) => `metadata.indices.*.${part}`)

const streamParts = ['indices.index_name', 'hidden', 'system'].map(
  (part) => `metadata.data_stream.data_stream.*.${part}`,
)

const listParts = [
  ...['version', 'state_uuid', 'metadata.cluster_uuid', 'blocks.global'],
  ...indexParts,
  ...streamParts,
].join()

export function settingPart(name: string): string {
  return `settings.index.${name}`
}

/** All indices, selected or not: some 300 bytes each. Throws MA_CLUSTER_RESPONSE while the cluster has not recovered them. */
export async function readList(source: Cluster, signal?: AbortSignal): Promise<SourceList> {
  const { body } = await source.request('GET', '/_cluster/state/version,metadata,blocks', {
    query: { filter_path: listParts, expand_wildcards: 'all' },
    ...(signal && { signal }),
  })
  const metadata = objectOf(body.metadata)
  const clusterUuid =
    metadata.cluster_uuid === undefined ? undefined : textOf(metadata.cluster_uuid)
  if (notRecovered in objectOf(objectOf(body.blocks).global) || clusterUuid === '_na_') {
    throw new MigrationError(
      'MA_CLUSTER_RESPONSE',
      `${source.url} has not recovered its indices yet: it lists none of them. Wait until it has`,
      { retryable: true },
    )
  }
  const listed = Object.entries(objectOf(metadata.indices))
  const indices = listed.map(([name, index]) => parseListed(name, objectOf(index)))
  return {
    stateVersion: stateVersionOf(body),
    clusterUuid,
    indices: new Map(indices.map((index) => [index.name, index])),
    apart: new Map(
      listed.flatMap(([name, index]) => {
        const apart = apartOf(objectOf(index))
        return apart === undefined ? [] : [[name, apart]]
      }),
    ),
    streams: parseStreams(objectOf(objectOf(metadata.data_stream).data_stream)),
  }
}

/** The block that stands until the state is recovered (GatewayService.STATE_NOT_RECOVERED_BLOCK). */
const notRecovered = '1'

function apartOf({ system, settings }: JsonObject): Apart | undefined {
  if (system === true) return 'system'
  return textOf(objectOf(objectOf(settings).index).hidden ?? '') === 'true' ? 'hidden' : undefined
}

function parseListed(name: string, index: JsonObject): ListedIndex {
  const settings = flattenSettings(objectOf(index.settings))
  const setting = (key: string): string | undefined => {
    const value = settings[`index.${key}`]
    return value === undefined ? undefined : textOf(value)
  }
  const numberOfShards = Number(setting('number_of_shards'))
  const routing = index.routing_num_shards
  return {
    name,
    uuid: setting('uuid') ?? '',
    isOpen: index.state !== 'close',
    createdVersion: Number(setting('version.created') ?? 0),
    numberOfShards,
    numberOfRoutingShards: routing === undefined ? undefined : Number(routing),
    routingPartitionSize: Number(setting('routing_partition_size') ?? 1),
    runsPipeline: ['default_pipeline', 'final_pipeline'].some(
      (key) => (setting(key) ?? '_none') !== '_none',
    ),
    aliasNames: Array.isArray(index.aliases) ? index.aliases.map(textOf) : [],
    primaryTerms: primaryTermsOf(index, numberOfShards),
    version: index.version === undefined ? undefined : textOf(index.version),
  }
}

function parseStreams(streams: JsonObject): StreamIndices[] {
  return Object.entries(streams).map(([name, stream]) => {
    const { indices, hidden, system } = objectOf(stream)
    const list = Array.isArray(indices) ? indices : []
    return {
      name,
      indices: list.map((index) => textOf(objectOf(index).index_name)),
      hidden: hidden === true,
      system: system === true,
    }
  })
}

/** What of an index is looked at only when it has changed. Hashes in the place of mapping, settings and aliases. */
export interface IndexDetails {
  readonly mayRoute: boolean
  readonly aliases: ReadonlyMap<string, { readonly indexRouting: string | null }>
  readonly mapping: string
  readonly settings: string
  readonly aliasHash: string
}

/** Details of these indices; one that was deleted meanwhile is not among them. Memory: one request's answer. */
export async function readDetails(
  source: Cluster,
  indices: readonly ListedIndex[],
  signal?: AbortSignal,
): Promise<Map<string, IndexDetails>> {
  const details = new Map<string, IndexDetails>()
  for (const some of inAddresses(indices)) {
    const names = addressOf(some)
    const answer = await source.request('GET', `/_cluster/state/metadata/${names}`, {
      query: {
        filter_path: 'metadata.indices.*.mappings,metadata.indices.*.settings',
        ...evenClosed,
      },
      accept: [404],
      ...(signal && { signal }),
    })
    const states = objectOf(objectOf(answer.body.metadata).indices)
    const aliased = some.filter(({ aliasNames }) => aliasNames.length > 0)
    const aliases = aliased.length === 0 ? {} : await readAliases(source, aliased, signal)
    for (const { name } of some) {
      const state = states[name]
      if (isJsonObject(state)) details.set(name, detailsOf(state, objectOf(aliases[name]).aliases))
    }
  }
  return details
}

async function readAliases(
  source: Cluster,
  indices: readonly ListedIndex[],
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { body } = await source.request('GET', `/${addressOf(indices)}/_alias`, {
    query: evenClosed,
    accept: [404],
    ...(signal && { signal }),
  })
  return body
}

function detailsOf(state: JsonObject, aliases: Json | undefined): IndexDetails {
  const mappings = Object.values(objectOf(state.mappings)).map(objectOf)
  const entries = Object.entries(objectOf(aliases))
  return {
    mayRoute: mappings.some((mapping) => routedByMapping(mapping).length > 0),
    aliases: new Map(
      entries.map(([alias, options]) => {
        const { index_routing: routing } = objectOf(options)
        return [alias, { indexRouting: routing === undefined ? null : textOf(routing) }]
      }),
    ),
    mapping: hashOf(state.mappings ?? null),
    settings: hashOf(state.settings ?? null),
    aliasHash: hashOf(aliases ?? null),
  }
}

function hashOf(value: Json): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64').slice(0, 16)
}

/** By number of the shard; null where the engine does not tell. */
export function primaryTermsOf(
  { primary_terms: terms }: JsonObject,
  shards: number,
): (number | null)[] {
  return Array.from({ length: shards }, (_, shard) => {
    const term = objectOf(terms)[String(shard)]
    return term === undefined ? null : Number(term)
  })
}
