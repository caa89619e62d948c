import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { objectOf, textOf, without } from './json-objects.ts'
import type { PlannedChange, PlannedPipeline } from './plan.ts'

/** A stored script, an ingest pipeline or a search pipeline, as the target's API takes it. */
export interface TranslatedPipeline {
  readonly kind: PlannedPipeline['kind']
  readonly name: string
  readonly body: JsonObject
  readonly changes: readonly PlannedChange[]
}

/** The pipelines of a cluster: `ingest: { pipeline: [{ id, config }] }` of its metadata. */
export function translatePipelines(global: GlobalMetadata): TranslatedPipeline[] {
  const { pipeline } = objectOf(partOf(global, 'ingest'))
  return (Array.isArray(pipeline) ? pipeline : [])
    .filter(isJsonObject)
    .map(({ id, config }) => translatePipeline(textOf(id), objectOf(config)))
}

function translatePipeline(name: string, config: JsonObject): TranslatedPipeline {
  const changes = unknownToOpenSearch
    .filter(({ key }) => config[key] !== undefined)
    .map(({ key, reason, isLost }): PlannedChange => {
      const from = config[key] ?? null
      return { path: key, what: 'dropped', from, reason, loss: isLost(from) }
    })
  const body = without(
    config,
    unknownToOpenSearch.map(({ key }) => key),
  )
  return { kind: 'ingest-pipeline', name, body, changes }
}

/** What a pipeline of Elasticsearch may say of itself, and one of OpenSearch may not. */
const unknownToOpenSearch: readonly {
  readonly key: string
  readonly reason: string
  readonly isLost: (value: Json) => boolean
}[] = [
  {
    key: '_meta',
    reason: 'OpenSearch keeps no notes with a pipeline',
    isLost: (value) => Object.keys(objectOf(value)).length > 0,
  },
  {
    key: 'deprecated',
    reason: 'OpenSearch does not know deprecated pipelines',
    isLost: (value) => value === true,
  },
  {
    key: 'field_access_pattern',
    reason: 'OpenSearch knows the classic way to name fields only',
    isLost: (value) => value !== 'classic',
  },
  ...['created_date_millis', 'modified_date_millis', 'created_date', 'modified_date'].map(
    (key) => ({ key, reason: 'when it was made on the source', isLost: () => false }),
  ),
]

/** The search pipelines of an OpenSearch: `search_pipeline: { pipeline: [{ id, config }] }` of its metadata. */
export function translateSearchPipelines(global: GlobalMetadata): TranslatedPipeline[] {
  const { pipeline } = objectOf(partOf(global, 'search_pipeline'))
  return (Array.isArray(pipeline) ? pipeline : []).filter(isJsonObject).map(({ id, config }) => ({
    kind: 'search-pipeline',
    name: textOf(id),
    body: objectOf(config),
    changes: [],
  }))
}

/** The processors of a search pipeline, by the list that they stand in: `request_processors` and the like. */
export function searchProcessors(pipeline: JsonObject): { list: string; type: string }[] {
  return Object.entries(pipeline).flatMap(([list, processors]) =>
    (Array.isArray(processors) ? processors : [])
      .filter(isJsonObject)
      .flatMap((processor) => Object.keys(processor).map((type) => ({ list, type }))),
  )
}

/** Types of all processors of a pipeline, however deep: in `foreach`, and in `on_failure` of each. */
export function processorTypes(pipeline: JsonObject): string[] {
  return [...new Set(processorsOf(pipeline).map(([type]) => type))]
}

/** Pipelines that this one hands documents to, by the name that stands there (one with `{{` is made of the document). */
export function pipelinesCalled(pipeline: JsonObject): string[] {
  const names = processorsOf(pipeline)
    .filter(([type]) => type === 'pipeline')
    .map(([, processor]) => textOf(processor.name))
  return [...new Set(names)].filter((name) => !name.includes('{{'))
}

function processorsOf(part: JsonObject): [string, JsonObject][] {
  const lists = [part.processors, part.on_failure].filter((list) => Array.isArray(list)).flat()
  const inner = isJsonObject(part.processor) ? [part.processor] : []
  return [...lists, ...inner].filter(isJsonObject).flatMap((entry) =>
    Object.entries(entry).flatMap(([type, settings]): [string, JsonObject][] => {
      const processor = objectOf(settings)
      return [[type, processor], ...processorsOf(processor)]
    }),
  )
}

/**
 * The stored scripts of a cluster: `stored_scripts: { ID: { lang, source, options? } }` of its metadata. Elasticsearch
 * before 5.6 has `LANG#ID` for the id, and `code` or `script`, or the text alone, for the source.
 */
export function translateScripts(global: GlobalMetadata): TranslatedPipeline[] {
  const scripts = Object.entries(objectOf(partOf(global, 'stored_scripts'))).map(
    ([key, stored]): TranslatedPipeline => {
      const at = key.indexOf('#')
      const script = objectOf(stored)
      const source = script.source ?? script.code ?? script.script ?? stored
      const options = objectOf(script.options)
      const body: JsonObject = {
        script: {
          lang: script.lang ?? (at < 0 ? 'painless' : key.slice(0, at)),
          source: textOf(source),
          ...(Object.keys(options).length > 0 && { options }),
        },
      }
      return { kind: 'stored-script', name: key.slice(at + 1), body, changes: [] }
    },
  )
  // 5.6 has each under both ids.
  return [...new Map(scripts.map((one) => [one.name, one])).values()]
}

// The file's one root key is `meta-data`, with `metadata` in newer engines.
function partOf({ raw }: GlobalMetadata, part: string): Json | undefined {
  const inner = raw['meta-data'] ?? raw.metadata
  return (isJsonObject(inner) ? inner : raw)[part]
}
