/**
 * Vectors. Elasticsearch's dense_vector is Lucene's; of OpenSearch's engines so is `lucene`, which is there from 2.2
 * on. It keeps the scores: cosine and l2 have the same formula, and innerproduct is Lucene's maximum inner product.
 * dot_product of floats wants vectors of length 1, for which cosine is the same number. nmslib came before and went
 * with 3.0.
 */
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { EngineVersion } from '../../cluster/cluster.ts'
import { objectOf, textOf, without } from '../json-objects.ts'
import type { Edit, Remark } from './edit.ts'
import {
  anyVersion,
  elasticsearch,
  isFrom,
  openSearch,
  type FieldRule,
  type RuleContext,
  type SettingRule,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const os = 'https://docs.opensearch.org/latest'
const methods = `${os}/mappings/supported-field-types/knn-methods-engines/`
const noPlugin = 'the k-NN plugin for this version cannot be had'

export const vectorRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'dense-vector',
    source: elasticsearch({ from: '7' }),
    target: anyVersion,
    matches: ({ type }) => type === 'dense_vector',
    does: (field, context, place) => toKnn(field, context, place.settings),
    loses: 'nothing',
    why: 'dense_vector is knn_vector in OpenSearch',
    link: `${es}/8.19/dense-vector.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, index: true, similarity: 'cosine' },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index dropped',
          'similarity dropped',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4 },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: ['type changed', 'dims changed', 'method added', 'index.knn added'],
      },
      {
        on: '8.7 > 3.6',
        before: { type: 'dense_vector', dims: 4 },
        after: { type: 'knn_vector', dimension: 4 },
        changes: ['type changed', 'dims changed'],
      },
      {
        on: '7.10 > 3.6',
        before: { type: 'dense_vector', dims: 3 },
        after: { type: 'knn_vector', dimension: 3 },
        changes: ['type changed', 'dims changed'],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, index: false },
        after: { type: 'knn_vector', dimension: 4 },
        changes: ['type changed', 'dims changed', 'index dropped'],
      },
      {
        on: '8.19 > 3.6',
        before: {
          type: 'dense_vector',
          dims: 4,
          similarity: 'l2_norm',
          index_options: { type: 'hnsw', m: 8, ef_construction: 50 },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'l2',
            parameters: { m: 8, ef_construction: 50 },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'similarity dropped',
          'index_options dropped',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, similarity: 'max_inner_product' },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'innerproduct' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'similarity dropped',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, similarity: 'dot_product' },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'similarity dropped',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, element_type: 'byte', similarity: 'dot_product' },
        after: {
          type: 'knn_vector',
          dimension: 4,
          data_type: 'byte',
          method: { name: 'hnsw', engine: 'lucene', space_type: 'innerproduct' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'element_type changed',
          'similarity dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 16, element_type: 'bit' },
        after: {
          type: 'knn_vector',
          dimension: 16,
          data_type: 'binary',
          method: { name: 'hnsw', engine: 'faiss', space_type: 'hamming' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'element_type changed',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: {
          type: 'dense_vector',
          dims: 4,
          index_options: {
            type: 'int8_hnsw',
            m: 16,
            ef_construction: 100,
            confidence_interval: 0.95,
          },
        },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: {
              m: 16,
              ef_construction: 100,
              encoder: { name: 'sq', parameters: { bits: 7, confidence_interval: 0.95 } },
            },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, index_options: { type: 'int4_hnsw' } },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: { encoder: { name: 'sq', parameters: { bits: 7 } } },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: {
          type: 'dense_vector',
          dims: 64,
          index_options: { type: 'bbq_hnsw', rescore_vector: { oversample: 3 } },
        },
        after: {
          type: 'knn_vector',
          dimension: 64,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: { encoder: { name: 'sq', parameters: { bits: 1 } } },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, index_options: { type: 'flat' } },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 4, index_options: { type: 'int8_flat' } },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: { encoder: { name: 'sq', parameters: { bits: 7 } } },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector', dims: 64, index_options: { type: 'bbq_flat' } },
        after: {
          type: 'knn_vector',
          dimension: 64,
          method: { name: 'flat', engine: 'lucene', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '9.2 > 3.6',
        before: { type: 'dense_vector', dims: 64, index_options: { type: 'bbq_disk' } },
        after: {
          type: 'knn_vector',
          dimension: 64,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: { encoder: { name: 'sq', parameters: { bits: 1 } } },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
      },
      {
        on: '8.19 > 2.15',
        before: { type: 'dense_vector', dims: 4, index_options: { type: 'int8_hnsw', m: 16 } },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: {
            name: 'hnsw',
            engine: 'lucene',
            space_type: 'cosinesimil',
            parameters: { m: 16 },
          },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'index_options dropped !',
          'method added',
          'index.knn added',
        ],
        untried: noPlugin,
      },
      {
        on: '8.19 > 2.10',
        before: { type: 'dense_vector', dims: 1536, similarity: 'l2_norm' },
        after: {
          type: 'knn_vector',
          dimension: 1536,
          method: { name: 'hnsw', engine: 'nmslib', space_type: 'l2' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'similarity dropped !',
          'method added',
          'index.knn added',
        ],
        untried: noPlugin,
      },
      {
        on: '8.19 > 1.3',
        before: { type: 'dense_vector', dims: 4 },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'nmslib', space_type: 'cosinesimil' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: ['type changed', 'dims changed', 'method added', 'index.knn added'],
        untried: noPlugin,
      },
      {
        on: '8.19 > 2.7',
        before: { type: 'dense_vector', dims: 4, element_type: 'byte', similarity: 'l2_norm' },
        after: {
          type: 'knn_vector',
          dimension: 4,
          method: { name: 'hnsw', engine: 'lucene', space_type: 'l2' },
        },
        settings: [{}, { 'index.knn': 'true' }],
        changes: [
          'type changed',
          'dims changed',
          'element_type dropped',
          'similarity dropped',
          'method added',
          'index.knn added',
        ],
        untried: noPlugin,
      },
      {
        on: '8.19 > 2.11',
        before: { type: 'dense_vector', dims: 16, element_type: 'bit' },
        after: { type: 'dense_vector', dims: 16, element_type: 'bit' },
        changes: ['element_type cannot !'],
        untried: noPlugin,
      },
      {
        on: '8.19 > 3.6',
        before: { type: 'dense_vector' },
        after: { type: 'dense_vector' },
        changes: ['dims cannot !'],
      },
    ],
  },
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

const levelSettings = [
  'index.knn.space_type',
  'index.knn.algo_param.m',
  'index.knn.algo_param.ef_construction',
]

export const vectorSettingRules: readonly SettingRule[] = [
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

/** What a dense_vector is, with the defaults of the version that made it. */
interface Vector {
  readonly dims: number
  readonly element: string
  readonly isIndexed: boolean
  readonly similarity: string
  readonly options: JsonObject
}

function vectorOf(field: Readonly<JsonObject>, created: EngineVersion, dims: number): Vector {
  const element = textOf(field.element_type ?? 'float')
  const index = field.index ?? isFrom(created, '8.11')
  return {
    dims,
    element,
    isIndexed: index === true || index === 'true',
    similarity: textOf(field.similarity ?? (element === 'bit' ? 'l2_norm' : 'cosine')),
    options: objectOf(field.index_options),
  }
}

function toKnn(field: Edit, { created, target }: RuleContext, settings: Edit): void {
  const dims = field.get('dims')
  if (typeof dims !== 'number') {
    return field.cannot(
      'dims',
      'the field has no dims yet, which knn_vector needs: index a document on the source, or leave the field out of the mapping',
    )
  }
  const vector = vectorOf(field.node, created, dims)
  if (vector.element === 'bit' && !isFrom(target, '2.16')) {
    return field.cannot(
      'element_type',
      'bit vectors need OpenSearch 2.16: choose a newer target, or leave the field out of the mapping',
    )
  }
  field.set('type', 'knn_vector')
  field.rename('dims', 'dimension')
  setElement(field, vector, target)
  field.drop(
    'index',
    vector.isIndexed
      ? {}
      : { why: 'without index.knn no graph is built: exact search by script finds it' },
  )
  if (!vector.isIndexed) return field.dropAll(['similarity', 'index_options'])
  const method = methodFor(vector, target)
  field.drop('similarity', similarityRemark(vector, method))
  field.drop('index_options', optionsRemark(vector, method))
  field.set('method', method.body, {
    why: `${textOf(method.body.engine)} keeps the scores of ${vector.similarity} best`,
  })
  settings.set('index.knn', 'true', { why: 'without it no graph is built for vectors' })
}

function setElement(field: Edit, { element }: Vector, target: EngineVersion): void {
  if (element === 'bit') field.rename('element_type', 'data_type', 'binary')
  else if (element === 'byte' && isFrom(target, '2.9'))
    field.rename('element_type', 'data_type', 'byte')
  else field.drop('element_type', { why: 'the numbers are kept as floats' })
}

interface Method {
  readonly body: JsonObject
  readonly engine: 'lucene' | 'nmslib' | 'faiss'
}

/**
 * Engine by target: lucene from 2.2 on, up to 1024 dimensions before 2.12 (16000 from there on), innerproduct from
 * 2.13; nmslib for what that leaves before 3; faiss for bits. The encoder is there from 2.16 on, its one bit and the
 * method flat from 3.6.
 */
function methodFor({ dims, element, similarity, options }: Vector, target: EngineVersion): Method {
  const space = spaceOf(similarity, element)
  const fitsLucene =
    isFrom(target, '2.2') &&
    dims <= (isFrom(target, '2.12') ? 16_000 : 1024) &&
    (space !== 'innerproduct' || isFrom(target, '2.13'))
  const engine =
    element === 'bit' ? 'faiss' : fitsLucene || isFrom(target, '3') ? 'lucene' : 'nmslib'
  const kind = textOf(options.type ?? 'hnsw')
  const isFlat = kind === 'bbq_flat' && engine === 'lucene' && isFrom(target, '3.6')
  const encoder =
    engine === 'lucene' && element === 'float' && !isFlat
      ? encoderFor(kind, options, target)
      : undefined
  const parameters: JsonObject = {
    ...(typeof options.m === 'number' && { m: options.m }),
    ...(typeof options.ef_construction === 'number' && {
      ef_construction: options.ef_construction,
    }),
    ...(encoder && { encoder }),
  }
  return {
    engine,
    body: {
      name: isFlat ? 'flat' : 'hnsw',
      engine,
      space_type: space,
      ...(Object.keys(parameters).length > 0 && !isFlat && { parameters }),
    },
  }
}

function spaceOf(similarity: string, element: string): string {
  if (element === 'bit') return 'hamming'
  switch (similarity) {
    case 'l2_norm':
      return 'l2'
    case 'max_inner_product':
      return 'innerproduct'
    case 'dot_product':
      return element === 'float' ? 'cosinesimil' : 'innerproduct'
    default:
      return 'cosinesimil'
  }
}

function encoderFor(
  kind: string,
  options: JsonObject,
  target: EngineVersion,
): JsonObject | undefined {
  if (!/^(int8|int4|bbq)_/.test(kind) || !isFrom(target, '2.16')) return undefined
  const bits = kind.startsWith('bbq_') && isFrom(target, '3.6') ? 1 : 7
  const interval: Json | undefined = options.confidence_interval
  const isSet = typeof interval === 'number' && kind.startsWith('int8')
  return { name: 'sq', parameters: { bits, ...(isSet && { confidence_interval: interval }) } }
}

function similarityRemark({ similarity, element }: Vector, { engine }: Method): Remark {
  if (engine === 'nmslib')
    return {
      loses: 'meaning',
      why: 'in the method now; nmslib gives other scores, in the same order',
    }
  return similarity === 'dot_product' && element !== 'float'
    ? { loses: 'meaning', why: 'in the method now; scores are other numbers, in the same order' }
    : { why: 'in the method now' }
}

function optionsRemark({ options }: Vector, { body }: Method): Remark {
  const kind = textOf(options.type ?? 'hnsw')
  if (kind === 'hnsw') return { why: 'in the method now' }
  const what = JSON.stringify(objectOf(body.parameters).encoder ?? textOf(body.name))
  return {
    loses: 'meaning',
    why: `the target has no ${kind}: ${what} comes nearest, and may find other neighbours`,
  }
}
