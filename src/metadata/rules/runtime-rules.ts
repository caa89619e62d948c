import { textOf } from '../json-objects.ts'
import { isJsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'

/** Runtime fields, which are derived fields where the target has them. */
export const runtimeRules: readonly RootRule[] = [
  {
    kind: 'root',
    name: 'runtime-fields',
    source: elasticsearch({ from: '7.11' }),
    target: { from: '2.15' },
    matches: (mapping) => 'runtime' in mapping,
    does: (mapping) => toDerived(mapping),
    loses: 'meaning',
    why: 'runtime fields became derived fields, which are found by queries and not by every aggregation: try each script',
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
        before: { runtime: { 'day.name': { type: 'keyword' } } },
        after: {
          derived: {
            'day.name': {
              type: 'keyword',
              script: {
                source:
                  "def v = params._source; for (k in ['day', 'name']) { v = v == null ? null : v[k] } if (v != null) emit(v.toString())",
              },
            },
          },
        },
        changes: ['runtime changed !'],
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
        before: { runtime: { x: { type: 'long' } } },
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
  const runtime = mapping.get('runtime')
  if (!isJsonObject(runtime)) return mapping.drop('runtime')
  const kept = Object.entries(runtime).filter(
    ([, field]) => isJsonObject(field) && derivedTypes.includes(textOf(field.type)),
  )
  const lost = Object.keys(runtime).filter((name) => !kept.some(([other]) => other === name))
  if (lost.length > 0) {
    mapping.dropWithin('runtime', lost, {
      why: 'derived fields have no such type',
      loses: 'dropped',
    })
    if (kept.length === 0) return
  }
  mapping.rename(
    'runtime',
    'derived',
    Object.fromEntries(kept.map(([name, field]) => [name, derivedField(name, field)])),
  )
}

/** Without a script a runtime field reads the value of its name from the document; a derived field must be told so. */
function derivedField(name: string, field: unknown): { [key: string]: never } {
  if (!isJsonObject(field) || field.script !== undefined) return field as never
  const keys = name.split('.').map((key) => `'${key.replace(/['\\]/g, '\\$&')}'`)
  const source = `def v = params._source; for (k in [${keys.join(', ')}]) { v = v == null ? null : v[k] } if (v != null) emit(${emitted(textOf(field.type))})`
  return { ...field, script: { source } } as never
}

function emitted(type: string): string {
  switch (type) {
    case 'long':
      return '((Number) v).longValue()'
    case 'double':
      return '((Number) v).doubleValue()'
    case 'boolean':
      return '(boolean) v'
    default:
      return 'v.toString()'
  }
}

function isRuntimeTemplate(template: unknown): boolean {
  return (
    isJsonObject(template) &&
    Object.values(template).some((body) => isJsonObject(body) && 'runtime' in body)
  )
}
