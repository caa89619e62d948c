import type { Analysis } from './analysis-settings.ts'
import {
  anyVersion,
  elasticsearch,
  type AnalysisRule,
  type RuleCase,
  type VersionRange,
} from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const breaking7 = `${es}/7.17/breaking-changes-7.0.html`
const breaking8 = `${es}/8.19/migrating-8.0.html`

/** Components of analysis with another name, or none any more. */
export const analysisComponentRules: readonly AnalysisRule[] = [
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
        before: {
          analysis: {
            analyzer: { a: { tokenizer: 'standard', filter: ['standard', 'lowercase'] } },
          },
        },
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
]

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
