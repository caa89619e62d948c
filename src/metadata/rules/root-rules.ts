import { textOf } from '../json-objects.ts'
import { isJsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, isFrom, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'

/** The root of a mapping: metadata fields, and what holds for all fields. */
export const rootRules: readonly RootRule[] = [
  {
    kind: 'root',
    name: 'all-field',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (mapping) => '_all' in mapping,
    does: (mapping) => {
      const all = mapping.get('_all')
      const off = isJsonObject(all) && (all.enabled === false || all.enabled === 'false')
      mapping.drop('_all', {
        loses: off || !isJsonObject(all) || all.enabled === undefined ? 'nothing' : 'meaning',
      })
    },
    loses: 'nothing',
    why: 'the field _all is gone since 7; queries without a field look at all fields',
    link: `${es}/6.8/mapping-all-field.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { _all: { enabled: false } },
        after: {},
        changes: ['_all dropped'],
      },
      {
        on: '2.4 > 1.3',
        before: { _all: { enabled: true, store: true } },
        after: {},
        changes: ['_all dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'timestamp-field',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (mapping) => '_timestamp' in mapping,
    does: (mapping) => dropSwitch(mapping, '_timestamp'),
    loses: 'dropped',
    why: '_timestamp is gone since 5: its times are not in the documents and do not go over',
    link: `${es}/5.0/breaking_50_mapping_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { _timestamp: { enabled: true } },
        after: {},
        changes: ['_timestamp dropped !'],
      },
      {
        on: '1.7 > 3.6',
        before: { _timestamp: { enabled: false } },
        after: {},
        changes: ['_timestamp dropped'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'ttl-field',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (mapping) => '_ttl' in mapping,
    does: (mapping) => dropSwitch(mapping, '_ttl'),
    loses: 'dropped',
    why: '_ttl is gone since 5: documents do not expire on the target',
    link: `${es}/5.0/breaking_50_mapping_changes.html`,
    cases: [
      {
        on: '2.4 > 2.19',
        before: { _ttl: { enabled: true, default: '7d' } },
        after: {},
        changes: ['_ttl dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'size-field',
    source: anyVersion,
    target: anyVersion,
    matches: (mapping) => '_size' in mapping,
    does: (mapping) => dropSwitch(mapping, '_size'),
    loses: 'dropped',
    why: '_size needs the plugin mapper-size: where the target has it, put it into the mapping by hand',
    link: `${es}/7.17/mapper-size.html`,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { _size: { enabled: true } },
        after: {},
        changes: ['_size dropped !'],
      },
      {
        on: '2.4 > 1.3',
        before: { _size: { enabled: false } },
        after: {},
        changes: ['_size dropped'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'field-names',
    source: anyVersion,
    target: anyVersion,
    matches: (mapping) => '_field_names' in mapping,
    does: (mapping) => mapping.drop('_field_names'),
    loses: 'nothing',
    why: 'whether a field exists is answered by doc values and norms; the switch is deprecated and costs nothing any more',
    link: `${es}/7.17/mapping-field-names-field.html`,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { _field_names: { enabled: false } },
        after: {},
        changes: ['_field_names dropped'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'root',
    name: 'fixed-fields',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (mapping) => fixedFields.some((name) => name in mapping),
    does: (mapping) => mapping.dropAll(fixedFields),
    loses: 'nothing',
    why: 'how the engine keeps it cannot be set since Elasticsearch 2',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: {
          _id: { index: 'not_analyzed' },
          _type: { store: true },
          _index: { enabled: true },
        },
        after: {},
        changes: ['_id dropped', '_type dropped', '_index dropped'],
      },
      { on: '1.7 > 2.19', before: { _uid: { store: true } }, after: {}, changes: ['_uid dropped'] },
    ],
  },
  {
    kind: 'root',
    name: 'values-from-fields',
    source: elasticsearch({ before: '3' }),
    target: anyVersion,
    matches: (mapping) => ['_analyzer', '_boost', 'transform'].some((name) => name in mapping),
    does: (mapping) => mapping.dropAll(['_analyzer', '_boost', 'transform']),
    loses: 'dropped',
    why: 'gone since Elasticsearch 2: a document cannot say by which analyser, boost or script it is indexed',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { _analyzer: { path: 'lang' }, _boost: { name: 'b', null_value: 1 } },
        after: {},
        changes: ['_analyzer dropped !', '_boost dropped !'],
      },
      {
        on: '1.7 > 1.3',
        before: { transform: { script: 'x' } },
        after: {},
        changes: ['transform dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'routing-path',
    source: elasticsearch({ before: '3' }),
    target: anyVersion,
    matches: ({ _routing: routing }) =>
      isJsonObject(routing) && Object.keys(routing).some((key) => key !== 'required'),
    does: (mapping) => {
      const routing = mapping.get('_routing')
      const { required, path } = isJsonObject(routing) ? routing : {}
      mapping.set(
        '_routing',
        { required: required === true || required === 'true' },
        {
          loses: path === undefined ? 'nothing' : 'meaning',
        },
      )
    },
    loses: 'nothing',
    why: 'routing is said by each request since Elasticsearch 2, not taken from a field; the documents keep theirs',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { _routing: { required: true, path: 'user' } },
        after: { _routing: { required: true } },
        changes: ['_routing changed !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'source-options',
    source: anyVersion,
    target: anyVersion,
    matches: ({ _source: source }) =>
      isJsonObject(source) &&
      Object.entries(source).some(
        ([key, value]) =>
          !['enabled', 'includes', 'excludes'].includes(key) ||
          (key !== 'enabled' && typeof value === 'string'),
      ),
    does: (mapping) => {
      const source = mapping.get('_source')
      if (!isJsonObject(source)) return
      const { enabled, includes, excludes } = source
      const off = source.mode === 'disabled' ? false : enabled
      const kept = {
        ...(off !== undefined && { enabled: off }),
        ...(includes !== undefined && { includes: [includes].flat() }),
        ...(excludes !== undefined && { excludes: [excludes].flat() }),
      }
      if (Object.keys(kept).length === 0) mapping.drop('_source')
      else mapping.set('_source', kept)
    },
    loses: 'nothing',
    why: 'the target knows enabled, includes and excludes of _source; what the source kept of it is named by itself',
    link: `${es}/8.19/mapping-source-field.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { _source: { mode: 'synthetic' } },
        after: {},
        changes: ['_source dropped'],
      },
      {
        on: '1.7 > 3.6',
        before: { _source: { compress: true, excludes: 'a' } },
        after: { _source: { excludes: ['a'] } },
        changes: ['_source changed'],
      },
      {
        on: '8.19 > 1.3',
        before: { _source: { mode: 'disabled' } },
        after: { _source: { enabled: false } },
        changes: ['_source changed'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'default-analyzers',
    source: elasticsearch({ before: '3' }),
    target: anyVersion,
    matches: (mapping) => typeAnalyzers.some((name) => name in mapping),
    does: (mapping) => mapping.dropAll(typeAnalyzers),
    loses: 'meaning',
    why: "a type's own default analysers are gone since Elasticsearch 2: give the fields theirs",
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { index_analyzer: 'simple', search_analyzer: 'simple' },
        after: {},
        changes: ['index_analyzer dropped !', 'search_analyzer dropped !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'root-switches',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    matches: (mapping) => rootSwitches.some((key) => looseFlag(mapping[key]) !== undefined),
    does: (mapping) => {
      for (const key of rootSwitches) {
        const strict = looseFlag(mapping.get(key))
        if (strict !== undefined) mapping.set(key, strict)
      }
    },
    loses: 'nothing',
    why: 'yes, no, on, off, 0 and 1 are true and false since Elasticsearch 6',
    link: `${es}/6.8/breaking-changes-6.0.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { date_detection: 'no', numeric_detection: 'yes', dynamic: 'no' },
        after: { date_detection: false, numeric_detection: true, dynamic: false },
        changes: ['date_detection changed', 'numeric_detection changed', 'dynamic changed'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'dynamic-runtime',
    source: elasticsearch({ from: '7.11' }),
    target: anyVersion,
    matches: ({ dynamic }) => dynamic === 'runtime',
    does: (mapping) => mapping.set('dynamic', 'false'),
    loses: 'meaning',
    why: 'OpenSearch makes no runtime fields of new fields: they are kept in the documents and not searched',
    link: `${es}/8.19/dynamic.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { dynamic: 'runtime' },
        after: { dynamic: 'false' },
        changes: ['dynamic changed !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'dynamic-allow-templates',
    source: anyVersion,
    target: { before: '2.8' },
    matches: ({ dynamic }) =>
      ['strict_allow_templates', 'false_allow_templates'].includes(textOf(dynamic)),
    does: (mapping) => mapping.set('dynamic', textOf(mapping.get('dynamic')).split('_')[0]!),
    loses: 'meaning',
    why: 'that form of dynamic came with OpenSearch 2.8: dynamic templates are not asked any more',
    link: `${os}/field-types/mapping-parameters/dynamic/`,
    cases: [
      {
        on: 'os2.19 > 1.3',
        before: { dynamic: 'strict_allow_templates' },
        after: { dynamic: 'strict' },
        changes: ['dynamic changed !'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'root-include-in-all',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: (mapping) => 'include_in_all' in mapping,
    does: (mapping) => mapping.drop('include_in_all'),
    loses: 'nothing',
    why: 'the field _all is gone since 7',
    link: `${es}/6.8/mapping-all-field.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { include_in_all: false },
        after: {},
        changes: ['include_in_all dropped'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'root',
    name: 'root-subobjects',
    source: elasticsearch({ from: '8.3' }),
    target: anyVersion,
    matches: (mapping) => 'subobjects' in mapping,
    does: (mapping, { target }) => subobjects(mapping, isFrom(target, '3.6')),
    loses: 'meaning',
    why: 'the target makes objects of dots in names: a document may not hold a.b beside a value of a',
    link: `${es}/8.19/subobjects.html`,
    cases: [
      {
        on: '8.19 > 2.19',
        before: { subobjects: false, properties: { 'a.b': { type: 'long' } } },
        after: { properties: { 'a.b': { type: 'long' } } },
        changes: ['subobjects dropped !'],
      },
      {
        on: '8.19 > 3.6',
        before: { subobjects: false, properties: { a: { type: 'long' }, 'a.b': { type: 'long' } } },
        after: {
          disable_objects: true,
          properties: { a: { type: 'long' }, 'a.b': { type: 'long' } },
        },
        changes: ['subobjects changed'],
      },
      {
        on: '8.19 > 3.6',
        before: { subobjects: true },
        after: {},
        changes: ['subobjects dropped'],
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
  {
    kind: 'root',
    name: 'template-with-several-types',
    source: elasticsearch({ from: '8' }),
    target: anyVersion,
    matches: ({ dynamic_templates: templates }) =>
      Array.isArray(templates) && templates.some(hasTypeLists),
    does: (mapping) => {
      const templates = mapping.get('dynamic_templates')
      if (!Array.isArray(templates)) return
      mapping.set(
        'dynamic_templates',
        templates.flatMap((template) =>
          hasTypeLists(template) ? oneByType(template) : [template],
        ),
      )
    },
    loses: 'nothing',
    why: 'OpenSearch takes one match_mapping_type a dynamic template: one template becomes several',
    link: `${es}/8.19/dynamic-templates.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          dynamic_templates: [
            { n: { match_mapping_type: ['long', 'double'], mapping: { type: 'float' } } },
          ],
        },
        after: {
          dynamic_templates: [
            { n_long: { match_mapping_type: 'long', mapping: { type: 'float' } } },
            { n_double: { match_mapping_type: 'double', mapping: { type: 'float' } } },
          ],
        },
        changes: ['dynamic_templates changed'],
      },
    ],
  },
  {
    kind: 'root',
    name: 'old-template-fields',
    source: elasticsearch({ from: '8' }),
    target: anyVersion,
    matches: (mapping) => internalRoots.some((name) => name in mapping),
    does: (mapping) => mapping.dropAll(internalRoots),
    loses: 'nothing',
    why: "the engine's own, for what OpenSearch does not have",
    link: `${es}/8.19/mapping-fields.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { _inference_fields: {}, _tier: {} },
        after: {},
        changes: ['_inference_fields dropped', '_tier dropped'],
      },
    ],
  },
]

const fixedFields = ['_id', '_type', '_uid', '_index']
const typeAnalyzers = ['index_analyzer', 'search_analyzer', 'analyzer']
const rootSwitches = ['date_detection', 'numeric_detection', 'dynamic']
const internalRoots = ['_inference_fields', '_tier', '_ignored', '_ignored_source']

function looseFlag(value: unknown): boolean | undefined {
  if (['yes', 'on', '1', 1].includes(value as string)) return true
  if (['no', 'off', '0', 0].includes(value as string)) return false
  return undefined
}

/** What was off loses nothing by going. */
function dropSwitch(mapping: Edit, name: string): void {
  const value = mapping.get(name)
  const on = isJsonObject(value) && (value.enabled === true || value.enabled === 'true')
  mapping.drop(name, on ? {} : { loses: 'nothing' })
}

/** `subobjects: false` is `disable_objects: true` where the target has it. */
export function subobjects(edit: Edit, hasDisableObjects: boolean): void {
  if (edit.get('subobjects') === true || edit.get('subobjects') === 'true') {
    edit.drop('subobjects', { loses: 'nothing' })
  } else if (hasDisableObjects) {
    edit.rename('subobjects', 'disable_objects', true, { loses: 'nothing' })
  } else edit.drop('subobjects')
}

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

function hasTypeLists(template: unknown): boolean {
  return (
    isJsonObject(template) &&
    Object.values(template).some(
      (body) => isJsonObject(body) && Array.isArray(body.match_mapping_type),
    )
  )
}

function oneByType(template: unknown): { [name: string]: never }[] {
  return Object.entries(template as object).flatMap(
    ([name, body]: [string, { match_mapping_type: string[] }]) =>
      body.match_mapping_type.map((type) => ({
        [`${name}_${type}`]: { ...body, match_mapping_type: type } as never,
      })),
  )
}
