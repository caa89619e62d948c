import { objectOf, textOf } from '../json-objects.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'

/** Runtime fields, which are derived fields where the target has them. */
export const runtimeRules: readonly RootRule[] = [
  {
    kind: 'root',
    name: 'runtime-without-script',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    matches: ({ runtime }) => Object.values(objectOf(runtime)).some(isWithoutScript),
    does: (mapping) => {
      for (const [name, field] of Object.entries(objectOf(mapping.get('runtime')))) {
        if (!isWithoutScript(field) || !mappedTypes.includes(textOf(objectOf(field).type))) continue
        const properties = objectOf(mapping.get('properties'))
        if (name in properties) {
          const why = 'a field of that name is mapped: it answers in its place'
          mapping.dropWithin('runtime', [name], { why, loses: 'meaning' })
        } else {
          mapping.dropWithin('runtime', [name])
          mapping.set('properties', { ...properties, [name]: mappedField(objectOf(field)) })
        }
      }
    },
    loses: 'nothing',
    why: 'a runtime field without a script reads the value of its name from the document: it becomes a field that is indexed',
    link: `${es}/8.19/runtime-mapping-fields.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          runtime: { 'day.name': { type: 'keyword' }, at: { type: 'date', format: 'yyyy' } },
        },
        after: {
          properties: {
            'day.name': { type: 'keyword', ignore_above: 8191 },
            at: { type: 'date', format: 'yyyy' },
          },
        },
        changes: [
          'runtime.day.name dropped',
          'properties added',
          'runtime.at dropped',
          'properties changed',
        ],
      },
      {
        on: '8.19 > 1.3',
        before: { runtime: { n: { type: 'long' } }, properties: { n: { type: 'keyword' } } },
        after: { properties: { n: { type: 'keyword' } } },
        changes: ['runtime.n dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'runtime-fields',
    source: elasticsearch({ from: '7.11' }),
    target: { from: '2.15' },
    matches: (mapping) => 'runtime' in mapping,
    does: (mapping) => toDerived(mapping),
    loses: 'meaning',
    why: 'runtime fields became derived fields, which are found by queries and not by every aggregation, and whose names documents may not hold: try each script',
    link: `${os}/field-types/supported-field-types/derived/`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          runtime: { x: { type: 'long', script: { source: 'emit(1L)', lang: 'painless' } } },
        },
        after: {
          derived: { x: { type: 'long', script: { source: 'emit(1L)', lang: 'painless' } } },
        },
        changes: ['runtime changed !'],
      },
      {
        on: '8.19 > 2.19',
        before: {
          runtime: {
            'a.b': { type: 'ip', script: { source: "emit('::1')" } },
            c: { type: 'ip', script: { source: "emit('::1')" } },
          },
        },
        after: { derived: { c: { type: 'ip', script: { source: "emit('::1')" } } } },
        changes: ['runtime.a.b dropped !', 'runtime changed !'],
      },
      {
        on: '8.19 > 3.6',
        before: {
          runtime: {
            y: { type: 'lookup', target_index: 'o' },
            x: { type: 'date', format: 'yyyy', script: { source: 'emit(1L)' } },
          },
        },
        after: { derived: { x: { type: 'date', format: 'yyyy', script: { source: 'emit(1L)' } } } },
        changes: ['runtime.y dropped !', 'runtime changed !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'runtime-fields-before-2.15',
    source: elasticsearch({ from: '7.11' }),
    target: { before: '2.15' },
    matches: (mapping) => 'runtime' in mapping,
    does: (mapping) => mapping.drop('runtime'),
    loses: 'dropped',
    why: 'OpenSearch has derived fields in their place from 2.15 on',
    link: `${os}/field-types/supported-field-types/derived/`,
    cases: [
      {
        on: '8.19 > 1.3',
        before: { runtime: { x: { type: 'long', script: { source: 'emit(1L)' } } } },
        after: {},
        changes: ['runtime dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'runtime-templates',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    matches: ({ dynamic_templates: templates }) =>
      Array.isArray(templates) && templates.some(isRuntimeTemplate),
    does: (mapping) => {
      const templates = mapping.get('dynamic_templates')
      if (!Array.isArray(templates)) return
      mapping.set(
        'dynamic_templates',
        templates.filter((template) => !isRuntimeTemplate(template)),
      )
    },
    loses: 'dropped',
    why: 'OpenSearch makes no runtime fields of new fields',
    link: `${es}/8.19/dynamic-templates.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          dynamic_templates: [
            { a: { match: 'a*', runtime: { type: 'ip' } } },
            { b: { match: 'b*', mapping: { type: 'ip' } } },
          ],
        },
        after: { dynamic_templates: [{ b: { match: 'b*', mapping: { type: 'ip' } } }] },
        changes: ['dynamic_templates changed !'],
      },
    ],
  },
]

const derivedTypes = [
  'boolean',
  'date',
  'double',
  'float',
  'geo_point',
  'ip',
  'keyword',
  'long',
  'text',
]

function toDerived(mapping: Edit): void {
  const runtime = objectOf(mapping.get('runtime'))
  const derived: JsonObject = {}
  for (const [name, field] of Object.entries(runtime)) {
    const why = whyNotDerived(name, objectOf(field))
    if (why === undefined) derived[name] = objectOf(field)
    else mapping.dropWithin('runtime', [name], { why, loses: 'dropped' })
  }
  if (Object.keys(derived).length > 0) mapping.rename('runtime', 'derived', derived)
}

/** An index with a dotted name among its derived fields is taken by OpenSearch, and its shards then never start. */
function whyNotDerived(name: string, { type }: JsonObject): string | undefined {
  if (name.includes('.')) return 'a derived field can have no dot in its name'
  if (!derivedTypes.includes(textOf(type))) return 'derived fields have no such type'
  return undefined
}

function isWithoutScript(field: Json | undefined): boolean {
  return isJsonObject(field) && field.script === undefined
}

const mappedTypes = ['boolean', 'date', 'double', 'geo_point', 'ip', 'keyword', 'long']

/** A runtime keyword had no limit; a term of Lucene has 32766 bytes, and UTF-8 takes up to four a character. */
function mappedField(field: JsonObject): JsonObject {
  return field.type === 'keyword' ? { ...field, ignore_above: 8191 } : field
}

function isRuntimeTemplate(template: unknown): boolean {
  return (
    isJsonObject(template) &&
    Object.values(template).some((body) => isJsonObject(body) && 'runtime' in body)
  )
}
