import type { JsonObject } from '../../base/json.ts'
import { javaFormat } from '../java-date-format.ts'
import { anyVersion, done, elasticsearch, objectOf, type BodyRule, type Done } from './rule.ts'

const java =
  'https://www.elastic.co/guide/en/elasticsearch/reference/7.17/migrate-to-java-time.html'

/** Joda's dates, in formats and in scripts. */
export const dateRules: readonly BodyRule[] = [
  {
    at: 'query',
    target: anyVersion,
    loses: 'nothing',
    name: 'joda-in-range',
    source: elasticsearch({ before: '7' }),
    of: ['range'],
    mentions: ['"format"'],
    why: 'dates are read by java.time since 7, which has other letters than Joda',
    link: java,
    does: (clause) => {
      const [options] = Object.values(objectOf(clause.range) ?? {})
      return readFormat(objectOf(options))
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: { range: { at: { gte: '01.03.2019', format: 'dd.MM.YYYY' } } },
        after: { range: { at: { gte: '01.03.2019', format: 'dd.MM.yyyy' } } },
        without: 'other',
      },
    ],
  },
  {
    at: 'aggregation',
    of: ['date_histogram', 'composite date_histogram', 'date_range', 'auto_date_histogram'],
    name: 'joda-in-aggregation',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: ['"format"'],
    loses: 'nothing',
    why: 'dates are written by java.time since 7, which has other letters than Joda',
    link: java,
    does: aggregationFormat,
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          date_range: { field: 'at', format: 'dd.MM.YYYY', ranges: [{ from: '01.03.2019' }] },
        },
        after: {
          date_range: { field: 'at', format: 'dd.MM.yyyy', ranges: [{ from: '01.03.2019' }] },
        },
        without: 'other',
      },
      {
        on: '6.8 > 3.6',
        before: {
          date_histogram: { field: 'at', interval: 'month', format: "yyyy-MM-dd'T'HH:mm:ssZZ" },
        },
        after: {
          date_histogram: { field: 'at', interval: 'month', format: "yyyy-MM-dd'T'HH:mm:ssxxx" },
        },
        without: 'other',
      },
      {
        on: '6.8 > 3.6',
        before: { date_histogram: { field: 'at', interval: 'month', format: 'YYYY-MM' } },
        after: { date_histogram: { field: 'at', interval: 'month', format: 'yyyy-MM' } },
        without: 'same',
      },
    ],
  },
  {
    at: 'search',
    name: 'joda-in-docvalue-fields',
    source: elasticsearch({ before: '7' }),
    target: anyVersion,
    mentions: ['"docvalue_fields"'],
    link: java,
    loses: 'nothing',
    why: 'dates are written by java.time since 7, which has other letters than Joda',
    does: (search) => {
      const fields = Array.isArray(search.docvalue_fields) ? search.docvalue_fields : []
      const fired = fields.map((one) => docvalueFormat(objectOf(one)))
      return fired.find((one) => one !== false) ?? false
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          docvalue_fields: [{ field: 'at', format: 'dd.MM.YYYY ZZ' }],
          sort: ['n'],
          size: 3,
        },
        after: {
          docvalue_fields: [{ field: 'at', format: 'dd.MM.yyyy xxx' }],
          sort: ['n'],
          size: 3,
        },
        without: 'other',
      },
    ],
  },
  {
    at: 'script',
    name: 'dates-in-scripts',
    source: elasticsearch({ from: '6', before: '8' }),
    target: anyVersion,
    mentions: ['illis', 'ayOfWeek'],
    link: java,
    loses: 'nothing',
    why: 'dates in scripts are those of java.time: milliseconds and the day of the week are had otherwise',
    does: (script) => {
      const fired = ['source', 'inline'].map((key) => datesOfScript(script, key))
      return fired.find((one) => one !== false) ?? false
    },
    cases: [
      {
        on: '6.8 > 3.6',
        before: {
          ...{ sort: ['n'], size: 3 },
          script_fields: {
            ms: { script: { source: "doc['at'].value.millis" } },
            day: { script: { source: "doc['at'].value.getDayOfWeek()" } },
          },
        },
        after: {
          ...{ sort: ['n'], size: 3 },
          script_fields: {
            ms: { script: { source: "doc['at'].value.toInstant().toEpochMilli()" } },
            day: { script: { source: "doc['at'].value.getDayOfWeek().getValue()" } },
          },
        },
      },
      {
        on: '7.10 > 3.6',
        before: {
          ...{ sort: ['n'], size: 3 },
          script_fields: { ms: { script: { source: "doc['at'].value.getMillis()" } } },
        },
        after: {
          ...{ sort: ['n'], size: 3 },
          script_fields: {
            ms: { script: { source: "doc['at'].value.toInstant().toEpochMilli()" } },
          },
        },
      },
    ],
  },
]

/** A format by which dates are read: all spellings that Joda took. */
function readFormat(options: JsonObject | undefined): Done | false {
  const format = options?.format
  if (options === undefined || typeof format !== 'string') return false
  const converted = javaFormat(format)
  if (converted === undefined)
    return { loses: 'cannot', note: `java.time has no letters for "${format}"` }
  if (converted === format) return false
  options.format = converted
  return done
}

/** A format by which dates are written: the one spelling that Joda wrote. */
function writtenFormat(format: string): string | undefined {
  const converted = javaFormat(format)?.split('||')[0]
  // Joda writes ZZ with a colon, and +00:00 for zero.
  return converted === undefined
    ? undefined
    : /(^|[^Z])ZZ([^Z]|$)/.test(format)
      ? converted.replace(/Z+/, 'xxx')
      : converted
}

/** The spelling in which Joda wrote a date; ranges are read by it, too. */
function aggregationFormat(body: JsonObject): Done | false {
  const { format } = body
  if (typeof format !== 'string') return false
  const converted = writtenFormat(format)
  if (converted === undefined)
    return { loses: 'cannot', note: `java.time has no letters for "${format}"` }
  if (converted === format) return false
  body.format = converted
  return done
}

function docvalueFormat(field: JsonObject | undefined): Done | false {
  const format = field?.format
  if (field === undefined || typeof format !== 'string' || !/[A-Za-z]/.test(format)) return false
  if (format === 'use_field_mapping') return false
  const converted = writtenFormat(format)
  if (converted === undefined)
    return { loses: 'cannot', note: `java.time has no letters for "${format}"` }
  if (converted === format) return false
  field.format = converted
  return done
}

/** What Elasticsearch 6 and 7 had for Joda's methods beside those of java.time. */
function datesOfScript(script: JsonObject, key: string): Done | false {
  const text = script[key]
  if (typeof text !== 'string') return false
  const changed = text
    .replaceAll(/\.(millis\b(?!\()|getMillis\(\))/g, '.toInstant().toEpochMilli()')
    .replaceAll(
      /\.value\.(dayOfWeek\b(?!Enum|\.)|getDayOfWeek\(\)(?!\.))/g,
      '.value.getDayOfWeek().getValue()',
    )
  if (changed === text) return false
  script[key] = changed
  return done
}
