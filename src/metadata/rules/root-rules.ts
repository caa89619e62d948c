import { textOf } from '../json-objects.ts'
import { isJsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, isFrom, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'

/** What holds for all fields of a mapping. */
export const rootRules: readonly RootRule[] = [
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
]

const typeAnalyzers = ['index_analyzer', 'search_analyzer', 'analyzer']

const rootSwitches = ['date_detection', 'numeric_detection', 'dynamic']

function looseFlag(value: unknown): boolean | undefined {
  if (['yes', 'on', '1', 1].includes(value as string)) return true
  if (['no', 'off', '0', 0].includes(value as string)) return false
  return undefined
}

/** `subobjects: false` is `disable_objects: true` where the target has it. */
export function subobjects(edit: Edit, hasDisableObjects: boolean): void {
  if (edit.get('subobjects') === true || edit.get('subobjects') === 'true') {
    edit.drop('subobjects', { loses: 'nothing' })
  } else if (hasDisableObjects) {
    edit.rename('subobjects', 'disable_objects', true, { loses: 'nothing' })
  } else edit.drop('subobjects')
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
