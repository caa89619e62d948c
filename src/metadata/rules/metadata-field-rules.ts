import { isJsonObject } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'

/** Metadata fields, which begin with `_`. */
export const metadataFieldRules: readonly RootRule[] = [
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

const internalRoots = ['_inference_fields', '_tier', '_ignored', '_ignored_source']

/** What was off loses nothing by going. */
function dropSwitch(mapping: Edit, name: string): void {
  const value = mapping.get(name)
  const on = isJsonObject(value) && (value.enabled === true || value.enabled === 'true')
  mapping.drop(name, on ? {} : { loses: 'nothing' })
}
