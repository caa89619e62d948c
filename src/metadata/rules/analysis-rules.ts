import { textOf } from '../json-objects.ts'
import type { Analysis, AnalysisKind } from './analysis-settings.ts'
import {
  anyVersion,
  elasticsearch,
  type AnalysisRule,
  type FieldRule,
  type RuleCase,
  type VersionRange,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`
const breaking8 = `${es}/8.19/migrating-8.0.html`

type Part = 'tokenizer' | 'filter' | 'char_filter'

/** A component that has another name now: as a type, and where a chain names it without defining it. */
function renamed(
  kind: Part,
  from: readonly string[],
  to: string,
  about: { link: string; source?: VersionRange; cases: readonly RuleCase[] },
): AnalysisRule {
  return {
    kind: 'analysis',
    name: `${kind.replace('_', '-')}-${from[0]!.toLowerCase().replaceAll('_', '-')}`,
    source: about.source ?? anyVersion,
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names(kind)) {
        if (from.includes(analysis.text(kind, name, 'type') ?? '')) {
          analysis.set(kind, name, { parameter: 'type', value: to })
        }
      }
      for (const name of from) replaceReference(analysis, kind, name, to)
    },
    loses: 'nothing',
    why: `${from.join(' and ')} is called ${to}`,
    link: about.link,
    cases: about.cases,
  }
}

/** In every chain that names a component which the index does not define itself. */
function replaceReference(
  analysis: Analysis,
  kind: Part,
  name: string,
  to: string | undefined,
): void {
  if (analysis.names(kind).includes(name)) return
  for (const user of analysis.usersOf(kind, name)) {
    const list = user.list.flatMap((item) => (item === name ? (to ?? []) : [item]))
    const fields = analysis.fieldsText([user.name])
    const why =
      to === undefined ? `the ${kind} ${name} is gone${fields}` : `${name} is called ${to}${fields}`
    if (kind === 'tokenizer')
      analysis.set(user.kind, user.name, { parameter: kind, value: to ?? 'standard' }, { why })
    else if (list.length === 0) analysis.drop(user.kind, user.name, kind, { why })
    else analysis.set(user.kind, user.name, { parameter: kind, value: list }, { why })
  }
}

const chain = (part: Part, name: string, rest: object = {}): { [key: string]: never } =>
  ({
    analysis: {
      analyzer: {
        a: {
          tokenizer: 'standard',
          [part]: part === 'tokenizer' ? name : [name, ...(part === 'filter' ? ['lowercase'] : [])],
        },
      },
      ...rest,
    },
  }) as never

export const analysisRules: readonly AnalysisRule[] = [
  {
    kind: 'analysis',
    name: 'filter-standard',
    source: elasticsearch({ before: '8' }),
    target: anyVersion,
    does: (analysis) => {
      for (const name of analysis.names('filter')) {
        if (analysis.text('filter', name, 'type') !== 'standard') continue
        analysis.dropComponent('filter', name)
        replaceReference(analysis, 'filter', name, undefined)
      }
      replaceReference(analysis, 'filter', 'standard', undefined)
    },
    loses: 'nothing',
    why: 'the filter standard did nothing, and is gone since Elasticsearch 7',
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: chain('filter', 'standard'),
        after: {
          analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['lowercase'] } } },
        },
        changes: ['index.analysis.analyzer.a.filter changed'],
      },
      {
        on: '2.4 > 1.3',
        before: {
          analysis: {
            filter: { s: { type: 'standard' } },
            analyzer: { a: { tokenizer: 'standard', filter: ['s'] } },
          },
        },
        after: { analysis: { analyzer: { a: { tokenizer: 'standard' } } } },
        changes: [
          'index.analysis.filter.s.type dropped',
          'index.analysis.analyzer.a.filter dropped',
        ],
      },
      {
        on: '5.6 > 2.19',
        before: {
          'index.analysis.analyzer.a.tokenizer': 'standard',
          'index.analysis.analyzer.a.filter': 'standard, lowercase',
        },
        after: {
          'index.analysis.analyzer.a.tokenizer': 'standard',
          'index.analysis.analyzer.a.filter': ['lowercase'],
        },
        changes: ['index.analysis.analyzer.a.filter changed'],
      },
    ],
  },
  renamed('filter', ['delimited_payload_filter'], 'delimited_payload', {
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          analysis: {
            analyzer: { a: { tokenizer: 'standard', filter: ['delimited_payload_filter'] } },
          },
        },
        after: {
          analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['delimited_payload'] } } },
        },
        changes: ['index.analysis.analyzer.a.filter changed'],
      },
      {
        on: '6.8 > 1.3',
        before: {
          analysis: { filter: { d: { type: 'delimited_payload_filter', delimiter: '+' } } },
        },
        after: { analysis: { filter: { d: { type: 'delimited_payload', delimiter: '+' } } } },
        changes: ['index.analysis.filter.d.type changed'],
      },
    ],
  }),
  renamed('filter', ['nGram'], 'ngram', {
    link: breaking8,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          analysis: {
            filter: { n: { type: 'nGram', min_gram: 1, max_gram: 2 } },
            analyzer: { a: { tokenizer: 'standard', filter: ['n', 'nGram'] } },
          },
        },
        after: {
          analysis: {
            filter: { n: { type: 'ngram', min_gram: 1, max_gram: 2 } },
            analyzer: { a: { tokenizer: 'standard', filter: ['n', 'ngram'] } },
          },
        },
        changes: [
          'index.analysis.filter.n.type changed',
          'index.analysis.analyzer.a.filter changed',
        ],
      },
    ],
  }),
  renamed('filter', ['edgeNGram'], 'edge_ngram', {
    link: breaking8,
    cases: [
      {
        on: '7.10 > 3.6',
        before: { analysis: { filter: { e: { type: 'edgeNGram', min_gram: 1, max_gram: 9 } } } },
        after: { analysis: { filter: { e: { type: 'edge_ngram', min_gram: 1, max_gram: 9 } } } },
        changes: ['index.analysis.filter.e.type changed'],
      },
      {
        on: '2.4 > 1.3',
        before: { analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['edgeNGram'] } } } },
        after: { analysis: { analyzer: { a: { tokenizer: 'standard', filter: ['edge_ngram'] } } } },
        changes: ['index.analysis.analyzer.a.filter changed'],
      },
    ],
  }),
  renamed('tokenizer', ['nGram'], 'ngram', {
    link: breaking8,
    cases: [
      {
        on: '7.10 > 3.6',
        before: {
          analysis: {
            tokenizer: { t: { type: 'nGram' } },
            analyzer: { a: { tokenizer: 't' }, b: { tokenizer: 'nGram' } },
          },
        },
        after: {
          analysis: {
            tokenizer: { t: { type: 'ngram' } },
            analyzer: { a: { tokenizer: 't' }, b: { tokenizer: 'ngram' } },
          },
        },
        changes: [
          'index.analysis.tokenizer.t.type changed',
          'index.analysis.analyzer.b.tokenizer changed',
        ],
      },
    ],
  }),
  renamed('tokenizer', ['edgeNGram'], 'edge_ngram', {
    link: breaking8,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { analysis: { tokenizer: { t: { type: 'edgeNGram' } } } },
        after: { analysis: { tokenizer: { t: { type: 'edge_ngram' } } } },
        changes: ['index.analysis.tokenizer.t.type changed'],
      },
    ],
  }),
  renamed('tokenizer', ['PathHierarchy'], 'path_hierarchy', {
    link: 'https://docs.opensearch.org/latest/breaking-changes/',
    cases: [
      {
        on: '7.10 > 3.6',
        before: { analysis: { tokenizer: { t: { type: 'PathHierarchy' } } } },
        after: { analysis: { tokenizer: { t: { type: 'path_hierarchy' } } } },
        changes: ['index.analysis.tokenizer.t.type changed'],
        without: 'accepted',
      },
    ],
  }),
  renamed('char_filter', ['htmlStrip'], 'html_strip', {
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          analysis: { analyzer: { a: { tokenizer: 'standard', char_filter: ['htmlStrip'] } } },
        },
        after: {
          analysis: { analyzer: { a: { tokenizer: 'standard', char_filter: ['html_strip'] } } },
        },
        changes: ['index.analysis.analyzer.a.char_filter changed'],
      },
    ],
  }),
  {
    kind: 'analysis',
    name: 'analyzer-standard-html-strip',
    source: elasticsearch({ before: '8' }),
    target: anyVersion,
    does: (analysis) => {
      const defined = analysis.names('analyzer')
      const named: string[] = [...analysis.analyzersOfFields()].filter(
        (name) => name === 'standard_html_strip',
      )
      for (const name of new Set<string>([...defined, ...named])) {
        const isOne = analysis.text('analyzer', name, 'type') === 'standard_html_strip'
        if (!isOne && (defined.includes(name) || !named.includes(name))) continue
        const why = `standard_html_strip is gone since Elasticsearch 7: made of its parts${analysis.fieldsText([name])}`
        analysis.set('analyzer', name, { parameter: 'type', value: 'custom' }, { why })
        analysis.set('analyzer', name, { parameter: 'tokenizer', value: 'standard' }, { why })
        analysis.set('analyzer', name, { parameter: 'char_filter', value: ['html_strip'] }, { why })
        analysis.set('analyzer', name, { parameter: 'filter', value: ['lowercase'] }, { why })
        analysis.drop('analyzer', name, 'stopwords', {
          loses: 'meaning',
          why: `${why}, without its stop words`,
        })
      }
    },
    loses: 'nothing',
    why: 'standard_html_strip is gone since Elasticsearch 7: made of its parts',
    link: breaking7,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { analysis: { analyzer: { h: { type: 'standard_html_strip' } } } },
        after: {
          analysis: {
            analyzer: {
              h: {
                type: 'custom',
                tokenizer: 'standard',
                char_filter: ['html_strip'],
                filter: ['lowercase'],
              },
            },
          },
        },
        changes: [
          'index.analysis.analyzer.h.type changed',
          'index.analysis.analyzer.h.tokenizer added',
          'index.analysis.analyzer.h.char_filter added',
          'index.analysis.analyzer.h.filter added',
        ],
      },
      {
        on: '6.8 > 2.19',
        before: {},
        after: {
          analysis: {
            analyzer: {
              standard_html_strip: {
                type: 'custom',
                tokenizer: 'standard',
                char_filter: ['html_strip'],
                filter: ['lowercase'],
              },
            },
          },
        },
        mapping: [
          { properties: { f: { type: 'text', analyzer: 'standard_html_strip' } } },
          { properties: { f: { type: 'text', analyzer: 'standard_html_strip' } } },
        ],
        changes: [
          'index.analysis.analyzer.standard_html_strip.type added',
          'index.analysis.analyzer.standard_html_strip.tokenizer added',
          'index.analysis.analyzer.standard_html_strip.char_filter added',
          'index.analysis.analyzer.standard_html_strip.filter added',
        ],
      },
    ],
  },
  {
    kind: 'analysis',
    name: 'analyzer-default-index',
    source: elasticsearch({ before: '6' }),
    target: anyVersion,
    does: (analysis) => {
      const prefix = 'index.analysis.analyzer.default_index.'
      const hasDefault = analysis.names('analyzer').includes('default')
      for (const key of Object.keys(analysis.settings.node)) {
        if (!key.startsWith(prefix)) continue
        if (hasDefault) analysis.settings.drop(key, { loses: 'meaning' })
        else
          analysis.settings.rename(
            key,
            `index.analysis.analyzer.default.${key.slice(prefix.length)}`,
          )
      }
    },
    loses: 'nothing',
    why: 'the analyser default_index is called default since Elasticsearch 5',
    link: `${es}/5.0/breaking_50_settings_changes.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { analysis: { analyzer: { default_index: { type: 'simple' } } } },
        after: { analysis: { analyzer: { default: { type: 'simple' } } } },
        changes: ['index.analysis.analyzer.default_index.type changed'],
      },
    ],
  },
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

const goneStemmers: { readonly [language: string]: string } = {
  kp: 'dutch',
  dutch_kp: 'dutch',
  dutchkp: 'dutch',
  lovins: 'english',
}
const goneModels: { readonly [model: string]: string } = { be: 'g', d: 'ine', p: 'ine' }

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
