import { MigrationError } from '../../base/errors.ts'
import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { Cluster } from '../../cluster/cluster.ts'

/** What the names of indices begin with that are written to see how fast that is, and then deleted. */
export const scratchPrefix = 'osmigrate-scratch-'

/** Shards, copies and refreshes that both sides are to have alike. */
export interface ScratchForm {
  readonly shards: string
  readonly replicas: string
  readonly refreshInterval: string | undefined
}

/** An index as its cluster shows it. */
export interface ShownIndex {
  readonly settings: JsonObject
  readonly mappings: JsonObject
}

/** Where bulks go, and how. */
export interface ScratchPlace {
  /** Path with parameters. */
  readonly bulkPath: string
}

/** Reads settings and mapping of an index. Throws MA_SOURCE_INDEX or MA_TARGET_INDEX where the name is not one index. */
export async function showIndex(cluster: Cluster, index: string): Promise<ShownIndex> {
  const { status, body } = await cluster.request('GET', `/${encodeURIComponent(index)}`, {
    accept: [404],
  })
  const [shown, another] = status === 404 ? [] : Object.values(body).filter(isJsonObject)
  if (shown === undefined || another !== undefined) {
    const code = cluster.side === 'source' ? 'MA_SOURCE_INDEX' : 'MA_TARGET_INDEX'
    const found = shown === undefined ? 'it is not there' : 'it is several'
    throw new MigrationError(
      code,
      `${cluster.side}: ${index} is not one index (${found}), so writing cannot be compared with it. Name one with --writes INDEX and make it on the target first (osmigrate metadata migrate)`,
    )
  }
  const settings = objectAt(shown['settings'], 'index')
  return { settings, mappings: objectAt(shown, 'mappings') }
}

export function formOf({ settings }: ShownIndex): ScratchForm {
  const text = (name: string, otherwise: string): string => {
    const value = settings[name]
    return typeof value === 'string' ? value : otherwise
  }
  const refresh = settings['refresh_interval']
  return {
    shards: text('number_of_shards', '1'),
    replicas: text('number_of_replicas', '1'),
    refreshInterval: typeof refresh === 'string' ? refresh : undefined,
  }
}

/** Analysis and the like decide how much work a document is; what belongs to that one index stays behind. */
const keptSettings = ['analysis', 'similarity', 'mapping', 'codec', 'sort', 'knn', 'max_ngram_diff']
const keptToo = ['max_shingle_diff', 'mapper', 'queries']

/** The body that makes a scratch index like the one shown: its analysis and mapping, in the form that both sides share. */
export function scratchBody(
  { settings, mappings }: ShownIndex,
  form: ScratchForm,
  version: Cluster['version'],
): JsonObject {
  const kept = Object.entries(settings).filter(([name]) =>
    [...keptSettings, ...keptToo].includes(name),
  )
  const index: JsonObject = {
    ...Object.fromEntries(kept),
    number_of_shards: form.shards,
    number_of_replicas: form.replicas,
  }
  if (form.refreshInterval !== undefined) index['refresh_interval'] = form.refreshInterval
  if (isFrom(version, 7, 7)) index['hidden'] = true
  if (isFrom(version, 6, 5)) index['default_pipeline'] = '_none'
  if (isFrom(version, 7, 5)) index['final_pipeline'] = '_none'
  return { settings: { index }, mappings }
}

/** OpenSearch began where Elasticsearch 7.10 was. */
function isFrom({ flavour, major, minor }: Cluster['version'], from: number, fromMinor: number) {
  return flavour === 'opensearch' || major > from || (major === from && minor >= fromMinor)
}

/**
 * Makes a scratch index and says where to write. Where the engine can it is written by an alias that must be there, so that
 * a late bulk cannot make it anew. Throws MA_CONFIG where a template gives it an alias of clients.
 */
export async function makeScratch(
  cluster: Cluster,
  name: string,
  body: JsonObject,
): Promise<ScratchPlace> {
  const path = `/${encodeURIComponent(name)}`
  const alias = `${name}-write`
  await cluster.request('PUT', path, { body: { ...body, aliases: { [alias]: {} } } })
  const shown = await cluster.request('GET', `${path}/_alias`)
  const aliases = Object.keys(objectAt(shown.body[name], 'aliases'))
  const foreign = aliases.filter((one) => one !== alias)
  if (foreign.length > 0) {
    throw new MigrationError(
      'MA_CONFIG',
      `${cluster.side}: a template gives new indices the alias ${foreign.join(', ')}, by which clients would see what is written to ${name}; leave out --writes`,
    )
  }
  const type = isFrom(cluster.version, 7, 0)
    ? undefined
    : Object.keys(objectAt(body, 'mappings'))[0]
  const withType = type === undefined ? '' : `/${encodeURIComponent(type)}`
  const none = isFrom(cluster.version, 6, 5) ? '?pipeline=_none' : ''
  if (isFrom(cluster.version, 7, 10))
    return { bulkPath: `/${alias}/_bulk${none}&require_alias=true` }
  return { bulkPath: `/${alias}${withType}/_bulk${none}` }
}

function objectAt(value: unknown, name: string): JsonObject {
  const found = isJsonObject(value) ? value[name] : undefined
  return isJsonObject(found) ? found : {}
}
