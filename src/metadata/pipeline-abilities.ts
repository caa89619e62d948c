import type { JsonObject } from '../base/json.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import { clusterOf, type PlanTarget } from './evaluate-input.ts'
import { objectOf, textOf } from './json-objects.ts'
import { isFrom } from './rules/rule.ts'
import { processorTypes, searchProcessors, type TranslatedPipeline } from './pipelines.ts'

/** What the target can run; undefined where it is not known. */
export interface Abilities {
  readonly processors: ReadonlySet<string> | undefined
  /** By list of a search pipeline, as `request_processors`; null where the target has no search pipelines. */
  readonly searchProcessors: ReadonlyMap<string, ReadonlySet<string>> | undefined | null
  readonly languages: ReadonlySet<string> | undefined
}

export function hasSearchPipelines(target: EngineVersion): boolean {
  return isFrom(target, '2.9')
}

export async function readAbilities(
  planTarget: PlanTarget,
  signal: AbortSignal | undefined,
): Promise<Abilities> {
  const target = clusterOf(planTarget)
  if (target === undefined) {
    return {
      processors: undefined,
      searchProcessors: hasSearchPipelines(planTarget.version) ? undefined : null,
      languages: ofEveryOpenSearch,
    }
  }
  const read = async (path: string): Promise<JsonObject | undefined> => {
    const answer = await target.request('GET', path, { accept: [403], ...(signal && { signal }) })
    return answer.status === 403 ? undefined : answer.body
  }
  const nodesOf = async (part: string): Promise<JsonObject[]> =>
    Object.values(objectOf((await read(`/_nodes/${part}`))?.nodes)).map((node) =>
      objectOf(objectOf(node)[part]),
    )
  const languages = namesIn((await read('/_script_language'))?.language_contexts, 'language')
  return {
    processors: onEveryNode(await nodesOf('ingest'), 'processors'),
    searchProcessors: hasSearchPipelines(planTarget.version)
      ? byList(await nodesOf('search_pipelines'))
      : null,
    languages: languages.length > 0 ? new Set(languages) : undefined,
  }
}

/** A pipeline is refused unless every node can run it. */
function onEveryNode(nodes: readonly JsonObject[], list: string): ReadonlySet<string> | undefined {
  const [first, ...others] = nodes.map((node) => namesIn(node[list], 'type'))
  return first && new Set(first.filter((type) => others.every((types) => types.includes(type))))
}

function byList(nodes: readonly JsonObject[]): Abilities['searchProcessors'] {
  const [first] = nodes
  if (first === undefined) return undefined
  return new Map(Object.keys(first).map((list) => [list, onEveryNode(nodes, list) ?? new Set()]))
}

function namesIn(list: unknown, key: string): string[] {
  return Array.isArray(list) ? list.map((item) => textOf(objectOf(item)[key])) : []
}

const ofEveryOpenSearch: ReadonlySet<string> = new Set(['painless', 'expression', 'mustache'])

/** Processors of Elasticsearch alone, for plans without a target to ask. */
const ofElasticsearch: ReadonlySet<string> = new Set([
  'circle',
  'enrich',
  'geo_grid',
  'inference',
  'ip_location',
  'network_direction',
  'redact',
  'registered_domain',
  'reroute',
  'set_security_user',
  'terminate',
  'uri_parts',
])

/** Why the target cannot run it, with what to do; undefined where it can. */
export function whatIsLacking(one: TranslatedPipeline, abilities: Abilities): string | undefined {
  const { processors, searchProcessors: ofSearch, languages } = abilities
  switch (one.kind) {
    case 'stored-script': {
      const lang = textOf(objectOf(one.body.script).lang)
      if (languages === undefined || languages.has(lang)) return undefined
      return `the target has no scripts in ${lang}: write it anew in painless, and store it there under this name`
    }
    case 'ingest-pipeline':
      return lacking(
        processorTypes(one.body).filter((type) =>
          processors === undefined ? ofElasticsearch.has(type) : !processors.has(type),
        ),
      )
    case 'search-pipeline':
      if (ofSearch === null) {
        return 'the target has no search pipelines: OpenSearch has them since 2.9'
      }
      return lacking(
        searchProcessors(one.body)
          .filter(({ list, type }) => ofSearch && !ofSearch.get(list)?.has(type))
          .map(({ type }) => type),
      )
  }
}

function lacking(missing: readonly string[]): string | undefined {
  if (missing.length === 0) return undefined
  return `the target has no processor ${missing.join(', ')}: install the plugin that brings it, or write the pipeline anew there`
}
