/**
 * Vectors. Elasticsearch's dense_vector is Lucene's; of OpenSearch's engines so is `lucene`, which is there from 2.2
 * on. It keeps the scores: cosine and l2 have the same formula, and innerproduct is Lucene's maximum inner product.
 * dot_product of floats wants vectors of length 1, for which cosine is the same number. nmslib came before and went
 * with 3.0.
 */
import { denseVectorCases } from './dense-vector-cases.ts'
import { type Json, type JsonObject } from '../../base/json.ts'
import type { EngineVersion } from '../../cluster/cluster.ts'
import { objectOf, textOf } from '../json-objects.ts'
import type { Edit, Remark } from './edit.ts'
import { anyVersion, elasticsearch, isFrom, type FieldRule, type RuleContext } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'

/** Vectors of Elasticsearch. */
export const denseVectorRules: readonly FieldRule[] = [
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
    cases: denseVectorCases,
  },
]

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
