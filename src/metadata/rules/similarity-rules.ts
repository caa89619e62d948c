import { textOf } from '../json-objects.ts'
import { anyVersion, elasticsearch, type AnalysisRule, type FieldRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`

/** Similarities that an index defines. */
export const similarityRules: readonly AnalysisRule[] = [
  {
    kind: 'analysis',
    name: 'similarity-classes',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('similarity')) {
        const type = analysis.text('similarity', name, 'type')
        if (type !== 'classic' && type !== 'default' && type !== 'TFIDF') continue
        analysis.dropComponent('similarity', name)
        analysis.set('similarity', name, { parameter: 'type', value: 'BM25' })
      }
    },
    loses: 'meaning',
    why: 'TF/IDF is gone since Elasticsearch 7: BM25 scores otherwise (a scripted similarity can do as it did)',
    link: `${es}/6.8/index-modules-similarity.html`,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { similarity: { s: { type: 'classic', discount_overlaps: true } } },
        after: { similarity: { s: { type: 'BM25' } } },
        changes: [
          'index.similarity.s.type dropped !',
          'index.similarity.s.discount_overlaps dropped !',
          'index.similarity.s.type added !',
        ],
      },
      {
        on: '2.4 > 1.3',
        before: { similarity: { base: { type: 'default' } } },
        after: { similarity: { base: { type: 'BM25' } } },
        changes: ['index.similarity.base.type dropped !', 'index.similarity.base.type added !'],
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'similarity-models',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('similarity')) {
        const model = goneModels[analysis.text('similarity', name, 'basic_model') ?? '']
        if (model !== undefined)
          analysis.set('similarity', name, { parameter: 'basic_model', value: model })
        if (analysis.text('similarity', name, 'after_effect') === 'no') {
          analysis.set('similarity', name, { parameter: 'after_effect', value: 'l' })
        }
      }
    },
    loses: 'meaning',
    why: 'gone with Lucene 8, which takes this one in its place',
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          similarity: {
            s: { type: 'DFR', basic_model: 'be', after_effect: 'no', normalization: 'no' },
          },
        },
        after: {
          similarity: {
            s: { type: 'DFR', basic_model: 'g', after_effect: 'l', normalization: 'no' },
          },
        },
        changes: [
          'index.similarity.s.basic_model changed !',
          'index.similarity.s.after_effect changed !',
        ],
      },
      {
        on: '5.6 > 2.19',
        before: {
          similarity: {
            s: { type: 'DFR', basic_model: 'd', after_effect: 'b', normalization: 'no' },
          },
        },
        after: {
          similarity: {
            s: { type: 'DFR', basic_model: 'ine', after_effect: 'b', normalization: 'no' },
          },
        },
        changes: ['index.similarity.s.basic_model changed !'],
      },
    ],
  },
]

/** Similarities that fields name. */
export const similarityFieldRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'field-similarity',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    matches: ({ similarity }, { settings }) =>
      ['classic', 'default', 'TFIDF'].includes(textOf(similarity)) &&
      !(`index.similarity.${textOf(similarity)}.type` in settings),
    does: (field) => field.drop('similarity'),
    loses: 'meaning',
    why: 'TF/IDF is gone since Elasticsearch 7: BM25 scores otherwise',
    link: `${es}/6.8/similarity.html`,
    cases: [
      {
        on: '5.6 > 3.6',
        before: { type: 'text', similarity: 'classic' },
        after: { type: 'text' },
        changes: ['similarity dropped !'],
      },
      {
        on: '2.4 > 1.3',
        before: { type: 'string', similarity: 'default' },
        after: { type: 'text' },
        changes: ['type changed', 'similarity dropped !'],
      },
    ],
  },
]

const goneModels: { readonly [model: string]: string } = { be: 'g', d: 'ine', p: 'ine' }
