import { textOf } from '../json-objects.ts'
import type { Analysis, AnalysisKind } from './analysis-settings.ts'
import { anyVersion, elasticsearch, type AnalysisRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`

/** What components of analysis are told, and what they need on the target. */
export const analysisParameterRules: readonly AnalysisRule[] = [
  {
    kind: 'analysis',
    name: 'position-offset-gap',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('analyzer')) {
        const prefix = `index.analysis.analyzer.${name}.`
        analysis.settings.rename(`${prefix}position_offset_gap`, `${prefix}position_increment_gap`)
      }
    },
    loses: 'nothing',
    why: 'position_offset_gap is called position_increment_gap since Elasticsearch 2',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: {
          analysis: { analyzer: { a: { tokenizer: 'standard', position_offset_gap: 5 } } },
        },
        after: {
          analysis: { analyzer: { a: { tokenizer: 'standard', position_increment_gap: 5 } } },
        },
        changes: ['index.analysis.analyzer.a.position_offset_gap changed'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'stop-positions',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('filter')) {
        const off = analysis.text('filter', name, 'enable_position_increments') === 'false'
        analysis.drop('filter', name, 'enable_position_increments', {
          loses: off ? 'meaning' : 'nothing',
        })
      }
    },
    loses: 'meaning',
    why: 'stop words always leave a gap since Lucene 4.4: phrases over them are found otherwise',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: {
          analysis: { filter: { s: { type: 'stop', enable_position_increments: false } } },
        },
        after: { analysis: { filter: { s: { type: 'stop' } } } },
        changes: ['index.analysis.filter.s.enable_position_increments dropped !'],
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'stemmers-of-lucene-10',
    source: anyVersion,
    target: { from: '3' },
    does: (analysis) => {
      for (const name of analysis.names('filter')) {
        const type = analysis.text('filter', name, 'type')
        if (type !== 'stemmer' && type !== 'snowball') continue
        for (const parameter of ['language', 'name']) {
          const to = goneStemmers[analysis.text('filter', name, parameter)?.toLowerCase() ?? '']
          if (to === undefined) continue
          analysis.set('filter', name, {
            parameter,
            value: type === 'snowball' ? to[0]!.toUpperCase() + to.slice(1) : to,
          })
        }
      }
    },
    loses: 'meaning',
    why: 'the stemmers kp and lovins are gone with Lucene 10: words are cut otherwise',
    link: 'https://docs.opensearch.org/latest/breaking-changes/',
    cases: [
      {
        on: '7.10 > 3.6',
        before: { analysis: { filter: { s: { type: 'stemmer', language: 'lovins' } } } },
        after: { analysis: { filter: { s: { type: 'stemmer', language: 'english' } } } },
        changes: ['index.analysis.filter.s.language changed !'],
      },
      {
        on: 'os2.19 > 3.6',
        before: {
          analysis: {
            filter: { s: { type: 'snowball', language: 'Kp' } },
            analyzer: { a: { tokenizer: 'standard', filter: ['s'] } },
          },
        },
        after: {
          analysis: {
            filter: { s: { type: 'snowball', language: 'Dutch' } },
            analyzer: { a: { tokenizer: 'standard', filter: ['s'] } },
          },
        },
        changes: ['index.analysis.filter.s.language changed !'],
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'synonym-sets',
    source: elasticsearch({ from: '8.10' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('filter')) {
        const key = `index.analysis.filter.${name}.synonyms_set`
        if (analysis.settings.has(key)) {
          analysis.settings.cannot(
            key,
            'OpenSearch has no synonym sets: put the rules into `synonyms` of the filter, or into a file named by `synonyms_path`',
          )
        }
      }
    },
    loses: 'dropped',
    why: 'OpenSearch has no synonym sets',
    link: `${es}/8.19/synonyms-apis.html`,
    cases: [
      {
        on: '8.19 > 3.6',
        before: {
          analysis: {
            filter: { s: { type: 'synonym', synonyms_set: 'x' } },
            analyzer: { a: { tokenizer: 'standard', filter: ['s'] } },
          },
        },
        after: {
          analysis: {
            filter: { s: { type: 'synonym', synonyms_set: 'x' } },
            analyzer: { a: { tokenizer: 'standard', filter: ['s'] } },
          },
        },
        changes: ['index.analysis.filter.s.synonyms_set cannot !'],
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'analysis-files',
    source: anyVersion,
    target: anyVersion,
    does: (analysis) => {
      for (const [key, value] of Object.entries(analysis.settings.node)) {
        if (!/^index\.analysis\..+_path$/.test(key)) continue
        analysis.settings.remark(key, {
          why: `the file ${textOf(value)} must be in the configuration folder of every node of the target`,
        })
      }
      for (const name of analysis.names('filter')) {
        if (analysis.text('filter', name, 'type') !== 'hunspell') continue
        const locale =
          analysis.text('filter', name, 'locale') ??
          analysis.text('filter', name, 'language') ??
          analysis.text('filter', name, 'lang') ??
          '?'
        analysis.settings.remark(`index.analysis.filter.${name}.type`, {
          why: `the dictionary hunspell/${locale} must be in the configuration folder of every node of the target`,
        })
      }
    },
    loses: 'nothing',
    why: 'a file must be in the configuration folder of every node of the target',
    link: 'https://docs.opensearch.org/latest/analyzers/token-filters/synonym/',
    cases: [
      {
        on: '7.10 > 3.6',
        before: { analysis: { filter: { s: { type: 'synonym', synonyms_path: 'a.txt' } } } },
        after: { analysis: { filter: { s: { type: 'synonym', synonyms_path: 'a.txt' } } } },
        changes: ['index.analysis.filter.s.synonyms_path noted'],
        untried: 'the engines of the tests have no such file',
      },
      {
        on: '7.10 > 3.6',
        before: { analysis: { filter: { h: { type: 'hunspell', locale: 'de_DE' } } } },
        after: { analysis: { filter: { h: { type: 'hunspell', locale: 'de_DE' } } } },
        changes: ['index.analysis.filter.h.type noted'],
        untried: 'the engines of the tests have no such file',
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'analysis-plugins',
    source: anyVersion,
    target: anyVersion,
    does: (analysis) => {
      for (const kind of ['analyzer', 'tokenizer', 'filter', 'char_filter'] as const) {
        for (const name of analysis.names(kind)) {
          const plugin = pluginOf(analysis.text(kind, name, 'type') ?? '')
          if (plugin === undefined) continue
          analysis.settings.remark(`index.analysis.${kind}.${name}.type`, {
            why: `the target needs the plugin ${plugin}${kind === 'analyzer' ? analysis.fieldsText([name]) : ''}`,
          })
        }
      }
    },
    loses: 'nothing',
    why: 'the target needs a plugin',
    link: 'https://docs.opensearch.org/latest/install-and-configure/plugins/',
    cases: [
      {
        on: '7.10 > 3.6',
        before: {
          analysis: {
            analyzer: { k: { type: 'kuromoji' } },
            filter: { i: { type: 'icu_folding' } },
          },
        },
        after: {
          analysis: {
            analyzer: { k: { type: 'kuromoji' } },
            filter: { i: { type: 'icu_folding' } },
          },
        },
        changes: ['index.analysis.analyzer.k.type noted', 'index.analysis.filter.i.type noted'],
        untried: 'the plugins cannot be had for the engines of the tests',
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'ngram-diff',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    does: (analysis) =>
      raiseLimit(analysis, 'index.max_ngram_diff', 1, grams(analysis, ['filter', 'tokenizer'])),
    loses: 'nothing',
    why: 'max_gram and min_gram may differ by 1 since Elasticsearch 7, unless the index says otherwise',
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { analysis: { filter: { n: { type: 'ngram', min_gram: '1', max_gram: '5' } } } },
        after: {
          max_ngram_diff: '4',
          analysis: { filter: { n: { type: 'ngram', min_gram: '1', max_gram: '5' } } },
        },
        changes: ['index.max_ngram_diff added'],
      },
      {
        on: '5.6 > 1.3',
        before: { analysis: { tokenizer: { n: { type: 'nGram', min_gram: 2, max_gram: 20 } } } },
        after: {
          max_ngram_diff: '18',
          analysis: { tokenizer: { n: { type: 'ngram', min_gram: 2, max_gram: 20 } } },
        },
        changes: ['index.analysis.tokenizer.n.type changed', 'index.max_ngram_diff added'],
      },
      {
        on: '6.8 > 2.19',
        before: {
          max_ngram_diff: '30',
          analysis: { tokenizer: { n: { type: 'ngram', min_gram: 2, max_gram: 20 } } },
        },
        after: {
          max_ngram_diff: '30',
          analysis: { tokenizer: { n: { type: 'ngram', min_gram: 2, max_gram: 20 } } },
        },
        changes: [],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'shingle-diff',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    does: (analysis) => raiseLimit(analysis, 'index.max_shingle_diff', 3, shingles(analysis)),
    loses: 'nothing',
    why: 'max_shingle_size and min_shingle_size may differ by 3 since Elasticsearch 7, unless the index says otherwise',
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          analysis: {
            filter: { s: { type: 'shingle', min_shingle_size: 2, max_shingle_size: 10 } },
          },
        },
        after: {
          max_shingle_diff: '9',
          analysis: {
            filter: { s: { type: 'shingle', min_shingle_size: 2, max_shingle_size: 10 } },
          },
        },
        changes: ['index.max_shingle_diff added'],
      },
      {
        on: '6.8 > 1.3',
        before: {
          analysis: {
            filter: { s: { type: 'shingle', max_shingle_size: 6, output_unigrams: false } },
          },
        },
        after: {
          max_shingle_diff: '4',
          analysis: {
            filter: { s: { type: 'shingle', max_shingle_size: 6, output_unigrams: false } },
          },
        },
        changes: ['index.max_shingle_diff added'],
      },
    ],
  },
]

const goneStemmers: { readonly [language: string]: string } = {
  kp: 'dutch',
  dutch_kp: 'dutch',
  dutchkp: 'dutch',
  lovins: 'english',
}

const plugins: readonly (readonly [RegExp, string])[] = [
  [/^icu_/, 'analysis-icu'],
  [/^(kuromoji|ja_stop)/, 'analysis-kuromoji'],
  [/^nori/, 'analysis-nori'],
  [/^smartcn/, 'analysis-smartcn'],
  [/^(phonetic|beider_morse|haasephonetik|koelnerphonetik|daitch_mokotoff)/, 'analysis-phonetic'],
  [/^polish(_stem|_stop)?$/, 'analysis-stempel'],
  [/^ukrainian/, 'analysis-ukrainian'],
]

function pluginOf(type: string): string | undefined {
  return plugins.find(([pattern]) => pattern.test(type))?.[1]
}

/** By how much the longest and the shortest n-gram differ, at most. */
function grams(analysis: Analysis, kinds: readonly AnalysisKind[]): number {
  const differences = kinds.flatMap((kind) =>
    analysis
      .names(kind)
      .filter((name) => ['ngram', 'nGram'].includes(analysis.text(kind, name, 'type') ?? ''))
      .map(
        (name) =>
          numberOf(analysis.text(kind, name, 'max_gram'), 2) -
          numberOf(analysis.text(kind, name, 'min_gram'), 1),
      ),
  )
  return Math.max(0, ...differences)
}

function shingles(analysis: Analysis): number {
  const differences = analysis
    .names('filter')
    .filter((name) => analysis.text('filter', name, 'type') === 'shingle')
    .map((name) => {
      const of = (parameter: string): number =>
        numberOf(analysis.text('filter', name, parameter), 2)
      const unigrams = analysis.text('filter', name, 'output_unigrams') === 'false' ? 0 : 1
      return of('max_shingle_size') - of('min_shingle_size') + unigrams
    })
  return Math.max(0, ...differences)
}

function numberOf(text: string | undefined, otherwise: number): number {
  const number = Number(text)
  return text === undefined || Number.isNaN(number) ? otherwise : number
}

function raiseLimit(analysis: Analysis, setting: string, usual: number, needed: number): void {
  const limit = analysis.settings.get(setting)
  if (needed > (limit === undefined ? usual : Number(limit)))
    analysis.settings.set(setting, String(needed))
}
