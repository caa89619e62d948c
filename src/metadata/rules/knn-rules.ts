import { isJsonObject, type JsonObject } from '../../base/json.ts'
import { objectOf, textOf, without } from '../json-objects.ts'
import { anyVersion, openSearch, type FieldRule, type SettingRule } from './rule.ts'

const os = 'https://docs.opensearch.org/latest'
const methods = `${os}/mappings/supported-field-types/knn-methods-engines/`

const levelSettings = [
  'index.knn.space_type',
  'index.knn.algo_param.m',
  'index.knn.algo_param.ef_construction',
]

/** Vectors of OpenSearch before 3. */
export const knnRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'knn-index-level',
    source: openSearch({ before: '3' }),
    target: { from: '3' },
    matches: (field, { settings }) =>
      field.type === 'knn_vector' &&
      !('method' in field || 'model_id' in field || 'mode' in field) &&
      levelSettings.some((name) => name in settings),
    does: (field, { settings }) => {
      const space = textOf(settings['index.knn.space_type'] ?? 'l2')
      const m = settings['index.knn.algo_param.m']
      const construction = settings['index.knn.algo_param.ef_construction']
      field.set(
        'method',
        {
          name: 'hnsw',
          engine: 'faiss',
          space_type: faissSpace(space),
          parameters: {
            ...(m !== undefined && { m: Number(m) }),
            ...(construction !== undefined && { ef_construction: Number(construction) }),
          },
        },
        { loses: faissSpace(space) === space ? 'nothing' : 'meaning' },
      )
    },
    loses: 'nothing',
    why: 'how vectors are indexed is said by each field since OpenSearch 3',
    link: `${os}/breaking-changes/`,
    cases: [
      {
        on: 'os2.19 > 3.6',
        before: { type: 'knn_vector', dimension: 4 },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'faiss',
            space_type: 'cosinesimil',
            parameters: { m: 8, ef_construction: 64 },
          },
        },
        settings: [
          {
            'index.knn': 'true',
            'index.knn.space_type': 'cosinesimil',
            'index.knn.algo_param.m': '8',
            'index.knn.algo_param.ef_construction': '64',
            'index.knn.algo_param.ef_search': '100',
          },
          { 'index.knn': 'true', 'index.knn.algo_param.ef_search': '100' },
        ],
        changes: [
          'method added',
          'index.knn.algo_param.ef_construction dropped',
          'index.knn.algo_param.m dropped',
          'index.knn.space_type dropped',
        ],
      },
      {
        on: 'os1.3 > 3.6',
        before: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'l2' },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'l2' },
        },
        settings: [{ 'index.knn': 'true', 'index.knn.space_type': 'l1' }, { 'index.knn': 'true' }],
        changes: ['index.knn.space_type dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'nmslib',
    source: openSearch({ before: '3' }),
    target: { from: '3' },
    matches: ({ type, method }) => type === 'knn_vector' && objectOf(method).engine === 'nmslib',
    does: (field) => {
      const method = objectOf(field.get('method'))
      const space = textOf(method.space_type ?? 'l2')
      field.set(
        'method',
        { ...method, engine: 'faiss', space_type: faissSpace(space) },
        {
          loses: faissSpace(space) === space ? 'nothing' : 'meaning',
        },
      )
    },
    loses: 'nothing',
    why: 'nmslib is gone since OpenSearch 3; faiss builds the same graph, and knows no l1 and linf',
    link: `${os}/breaking-changes/`,
    cases: [
      {
        on: 'os2.19 > 3.6',
        before: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'nmslib',
            space_type: 'cosinesimil',
            parameters: { m: 16, ef_construction: 100 },
          },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'faiss',
            space_type: 'cosinesimil',
            parameters: { m: 16, ef_construction: 100 },
          },
        },
        settings: [{ 'index.knn': 'true' }, { 'index.knn': 'true' }],
        changes: ['method changed'],
      },
      {
        on: 'os1.3 > 3.6',
        before: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'nmslib', space_type: 'linf' },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'faiss', space_type: 'l2' },
        },
        settings: [{ 'index.knn': 'true' }, { 'index.knn': 'true' }],
        changes: ['method changed !'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'encoder-bits',
    source: openSearch({ before: '3.6' }),
    target: { from: '3.6' },
    matches: (field) => field.type === 'knn_vector' && encoderWithoutBits(field) !== undefined,
    does: (field) => {
      const method = objectOf(field.get('method'))
      const parameters = objectOf(method.parameters)
      const encoder = objectOf(parameters.encoder)
      const rest = without(objectOf(encoder.parameters), ['type'])
      const bits = method.engine === 'lucene' ? 7 : 16
      field.set('method', {
        ...method,
        parameters: { ...parameters, encoder: { ...encoder, parameters: { ...rest, bits } } },
      })
    },
    loses: 'nothing',
    why: 'the encoder sq wants its bits said since OpenSearch 3.6; the number is what it was',
    link: methods,
    cases: [
      {
        on: 'os2.19 > 3.6',
        before: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'l2',
            parameters: { encoder: { name: 'sq' } },
          },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'l2',
            parameters: { encoder: { name: 'sq', parameters: { bits: 7 } } },
          },
        },
        settings: [{ 'index.knn': 'true' }, { 'index.knn': 'true' }],
        changes: ['method changed'],
      },
      {
        on: 'os2.19 > 3.6',
        before: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'faiss',
            space_type: 'l2',
            parameters: { encoder: { name: 'sq', parameters: { type: 'fp16', clip: true } } },
          },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'faiss',
            space_type: 'l2',
            parameters: { encoder: { name: 'sq', parameters: { clip: true, bits: 16 } } },
          },
        },
        settings: [{ 'index.knn': 'true' }, { 'index.knn': 'true' }],
        changes: ['method changed'],
      },
    ],
  },
]

/** What was said of vectors by the index. */
export const knnSettingRules: readonly SettingRule[] = [
  {
    kind: 'setting',
    name: 'knn-settings',
    source: anyVersion,
    target: { from: '3' },
    names: levelSettings,
    does: 'drop',
    loses: 'nothing',
    why: 'how vectors are indexed is said by each field since OpenSearch 3',
    link: `${os}/breaking-changes/`,
    cases: [
      {
        on: 'os2.19 > 3.6',
        before: { 'index.knn': 'true', 'index.knn.algo_param.m': '16' },
        after: { 'index.knn': 'true' },
        changes: ['index.knn.algo_param.m dropped'],
      },
    ],
  },
]

/** faiss knows neither l1 nor linf. */
function faissSpace(space: string): string {
  return space === 'l1' || space === 'linf' ? 'l2' : space
}

function encoderWithoutBits(field: JsonObject): JsonObject | undefined {
  const encoder = objectOf(objectOf(field.method).parameters).encoder
  if (!isJsonObject(encoder) || encoder.name !== 'sq') return undefined
  return 'bits' in objectOf(encoder.parameters) ? undefined : encoder
}
