import type { Json, JsonObject } from '../base/json.ts'
import { Fields } from './fields.ts'
import { parseMappings, parseObjects } from './index-metadata.ts'
import type { GlobalMetadata } from './snapshot.ts'

/**
 * The cluster's metadata, meta-<snapshot uuid>.dat in the root, specified in Elasticsearch's Metadata:
 *
 *   { "meta-data": { templates: { <name>: {...} }, index_template: { index_template: { <name>: {...} } },
 *                    component_template: { component_template: { <name>: {...} } }, ... } }
 */
export function parseGlobalMetadata(json: Json, file: string): GlobalMetadata {
  const fields = new Fields(file, '', json).fields('meta-data')
  const legacy = parseObjects(fields, 'templates')
  return {
    legacyTemplates: Object.fromEntries(
      Object.entries(legacy).map(([name, template]) => [
        name,
        legacyTemplate(new Fields(file, fields.at(`templates.${name}`), template)),
      ]),
    ),
    componentTemplates: nestedObjects(fields, 'component_template'),
    indexTemplates: nestedObjects(fields, 'index_template'),
    raw: fields.object,
  }
}

function legacyTemplate(fields: Fields): JsonObject {
  return { ...fields.object, mappings: parseMappings(fields.object['mappings'] ?? [], fields) }
}

function nestedObjects(fields: Fields, name: string): { [name: string]: JsonObject } {
  return fields.has(name) ? parseObjects(fields.fields(name), name) : {}
}
