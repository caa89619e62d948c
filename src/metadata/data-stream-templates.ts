import { isJsonObject, type JsonObject } from '../base/json.ts'
import { matcher } from '../base/select.ts'
import type { DataStream, GlobalMetadata } from '../snapshot/snapshot.ts'
import { timestampFieldOf, type Backing } from './data-streams.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { objectOf, textOf, without } from './json-objects.ts'
import type { PlannedTemplates } from './plan-templates.ts'
import type { PlannedChange } from './plan.ts'

type Templates = { readonly [name: string]: JsonObject }

/**
 * A data stream that becomes an alias is rolled over like any alias: the next index has its name from the one before,
 * `.ds-NAME-…`, which the template of the data stream does not fit. So each gets a second template for these names, that
 * makes what the first one would. `global` with these, and their names.
 */
export function withRolloverTemplates(
  { options }: EvaluateInput,
  global: GlobalMetadata,
  backings: ReadonlyMap<string, Backing>,
): { readonly global: GlobalMetadata; readonly added: ReadonlyMap<string, string> } {
  const added = new Map<string, string>()
  if (options.dataStreams !== 'alias') return { global, added }
  const indexTemplates: { [name: string]: JsonObject } = { ...global.indexTemplates }
  for (const stream of new Set([...backings.values()].map((backing) => backing.stream))) {
    const name = `${stream.name}-rollover`
    const body = firstOf(global.indexTemplates, stream.name)
    if (body === undefined || name in indexTemplates) continue
    indexTemplates[name] = rolloverTemplate(stream, body, global.componentTemplates)
    added.set(name, stream.name)
  }
  return { global: { ...global, indexTemplates }, added }
}

/** The templates as planned, with what is to be said of those that the source has not. */
export function notedAsAdded(
  templates: PlannedTemplates,
  added: ReadonlyMap<string, string>,
): PlannedTemplates {
  const indexTemplates = templates.indexTemplates.map((template) => {
    const stream = added.get(template.name)
    if (stream === undefined) return template
    const reason = `for the indices that a rollover of ${stream} makes, which the template of the data stream does not fit`
    const change: PlannedChange = { path: 'index_patterns', what: 'added', reason, loss: false }
    return { ...template, changes: [change, ...template.changes] }
  })
  return { ...templates, indexTemplates }
}

/** The template that the data stream lives by. */
function firstOf(templates: Templates, stream: string): JsonObject | undefined {
  const priority = (template: JsonObject): number => Number(template.priority ?? 0)
  return Object.values(templates)
    .filter((template) => isJsonObject(template.data_stream))
    .filter(({ index_patterns: patterns }) =>
      matcher((Array.isArray(patterns) ? patterns : [patterns ?? '']).map(textOf))(stream),
    )
    .sort((a, b) => priority(b) - priority(a))[0]
}

function rolloverTemplate(
  stream: DataStream,
  template: JsonObject,
  components: Templates,
): JsonObject {
  const { name, aliases } = stream
  const field = timestampFieldOf(stream)
  const content = objectOf(template.template)
  const mappings = objectOf(content.mappings)
  const names = Array.isArray(template.composed_of) ? template.composed_of.map(textOf) : []
  const isMapped = [content, ...names.map((one) => objectOf(components[one]?.template))].some(
    (part) => field in objectOf(objectOf(part.mappings).properties),
  )
  return {
    ...without(template, ['data_stream', '_meta']),
    index_patterns: [`.ds-${name}-*`],
    // Names of streams may begin with those of others: the longer one comes first, and no two are equal.
    priority: Number(template.priority ?? 0) + name.length,
    template: {
      ...content,
      settings: { ...objectOf(content.settings), 'index.hidden': true },
      mappings: {
        ...mappings,
        // As in the indices that were moved: documents need a time.
        _data_stream_timestamp: { enabled: true },
        ...(!isMapped && {
          properties: { [field]: { type: 'date' }, ...objectOf(mappings.properties) },
        }),
      },
      aliases: { ...objectOf(content.aliases), ...readingAliases(aliases) },
    },
  }
}

/** The stream's own name is taken along by the rollover. */
function readingAliases(aliases: DataStream['aliases']): JsonObject {
  return Object.fromEntries(
    Object.entries(aliases).map(([alias, options]) => [
      alias,
      without(options, ['is_write_index']),
    ]),
  )
}
