import { javaFormat } from '../../transform/java-date-format.ts'
import { textOf } from '../json-objects.ts'
import type { Json } from '../../base/json.ts'
import type { Edit } from './edit.ts'
import { anyVersion, elasticsearch, isFrom, type FieldRule, type RootRule } from './rule.ts'

const es = 'https://www.elastic.co/guide/en/elasticsearch/reference'
const java = `${es}/7.17/migrate-to-java-time.html`
const dates = ['date', 'date_range', 'date_nanos']

/** Dates: Joda's letters, and numbers of old engines. */
export const dateRules: readonly FieldRule[] = [
  {
    kind: 'field',
    name: 'numeric-resolution',
    source: elasticsearch({ before: '5' }),
    target: anyVersion,
    matches: (field) => 'numeric_resolution' in field,
    does: (field) => {
      const unit = field.get('numeric_resolution')
      const format = field.get('format')
      if (unit === 'seconds' || unit === 's') {
        field.set(
          'format',
          `${typeof format === 'string' ? withoutMillis(format) : 'strict_date_optional_time'}||epoch_second`,
        )
        field.drop('numeric_resolution')
      } else if (unit === 'milliseconds' || unit === 'ms') field.drop('numeric_resolution')
      else
        field.cannot(
          'numeric_resolution',
          `numbers in ${textOf(unit)} cannot be read by the target: transform them, or leave the field out of the mapping`,
        )
    },
    loses: 'nothing',
    why: 'the unit of numbers is part of the format since Elasticsearch 5',
    link: `${es}/2.4/date.html`,
    cases: [
      {
        on: '2.4 > 3.6',
        before: { type: 'date', numeric_resolution: 'seconds' },
        after: { type: 'date', format: 'strict_date_optional_time||epoch_second' },
        changes: ['format added', 'numeric_resolution dropped'],
      },
      {
        on: '2.4 > 1.3',
        before: { type: 'date', numeric_resolution: 'milliseconds' },
        after: { type: 'date' },
        changes: ['numeric_resolution dropped'],
      },
    ],
  },
  {
    kind: 'field',
    name: 'numbers-as-dates',
    source: elasticsearch({ before: '2' }),
    target: anyVersion,
    matches: ({ type, format }) =>
      type === 'date' && typeof format === 'string' && !/epoch_(millis|second)/.test(format),
    does: (field) => field.set('format', `${textOf(field.get('format'))}||epoch_millis`),
    loses: 'nothing',
    why: 'Elasticsearch 1 read every number as milliseconds, whatever the format',
    link: `${es}/2.4/breaking_20_mapping_changes.html`,
    cases: [
      {
        on: '1.7 > 3.6',
        before: { type: 'date', format: 'dateOptionalTime' },
        after: { type: 'date', format: 'dateOptionalTime||epoch_millis' },
        changes: ['format changed'],
        without: 'accepted',
      },
    ],
  },
  {
    kind: 'field',
    name: 'joda-format',
    source: elasticsearch({ before: '8' }),
    target: anyVersion,
    matches: ({ type, format }, { created }) =>
      dates.includes(textOf(type)) && typeof format === 'string' && !isFrom(created, '7'),
    does: (field) => {
      const format = textOf(field.get('format'))
      const converted = javaFormat(format)
      if (converted === undefined) field.cannot('format', untranslatable(format))
      else field.set('format', converted)
    },
    loses: 'nothing',
    why: 'dates are read by java.time since Elasticsearch 7, which has other letters than Joda',
    link: java,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { type: 'date', format: 'YYYY-MM-dd' },
        after: { type: 'date', format: 'yyyy-MM-dd' },
        changes: ['format changed'],
        without: 'accepted',
      },
      {
        on: '5.6 > 1.3',
        before: { type: 'date', format: 'dd/MMM/YYYY:HH:mm:ss Z' },
        after: {
          type: 'date',
          format: 'dd/MMM/yyyy:HH:mm:ss Z||dd/MMM/yyyy:HH:mm:ss ZZZZZ',
        },
        changes: ['format changed'],
        without: 'accepted',
      },
      {
        on: '2.4 > 3.6',
        before: { type: 'date', format: "yyyy-MM-dd'T'HH:mm:ss.SSSZZ||epoch_millis" },
        after: {
          type: 'date',
          format: "yyyy-MM-dd'T'HH:mm:ss.SSSZZZZZ||yyyy-MM-dd'T'HH:mm:ss.SSSXX||epoch_millis",
        },
        changes: ['format changed'],
        without: 'accepted',
      },
      {
        on: '6.8 > 2.19',
        before: { type: 'date', format: 'yyyy-MM-dd HH:mm ZZZ' },
        after: { type: 'date', format: 'yyyy-MM-dd HH:mm VV' },
        changes: ['format changed'],
        without: 'accepted',
      },
      {
        on: '6.8 > 3.6',
        before: { type: 'date', format: "xxxx-'W'ww-e" },
        after: { type: 'date', format: 'week_date' },
        changes: ['format changed'],
        without: 'accepted',
      },
      {
        on: '6.8 > 3.6',
        before: { type: 'date', format: 'xxxx-ww' },
        after: { type: 'date', format: 'xxxx-ww' },
        changes: ['format cannot !'],
        without: 'accepted',
      },
      {
        on: '6.8 > 3.6',
        before: { type: 'date', format: 'CCyy' },
        after: { type: 'date', format: 'CCyy' },
        changes: ['format cannot !'],
      },
      {
        on: '6.8 > 3.6',
        before: { type: 'date', format: '8uuuu-MM-dd' },
        after: { type: 'date', format: '8uuuu-MM-dd' },
        changes: [],
        without: 'accepted',
      },
      {
        on: '7.10 > 3.6',
        before: { type: 'date', format: 'YYYY-MM-dd' },
        after: { type: 'date', format: 'YYYY-MM-dd' },
        changes: [],
        without: 'accepted',
      },
      {
        on: '6.8 > 3.6',
        before: {
          type: 'date_range',
          format: "dd.MM.YYYY 'um' HH'Uhr'||strict_date_optional_time",
        },
        after: { type: 'date_range', format: "dd.MM.yyyy 'um' HH'Uhr'||strict_date_optional_time" },
        changes: ['format changed'],
        without: 'accepted',
      },
    ],
  },
]

export const dynamicDateRules: readonly RootRule[] = [
  {
    kind: 'root',
    name: 'joda-dynamic-dates',
    source: elasticsearch({ before: '8' }),
    target: anyVersion,
    matches: (mapping, { created }) =>
      (Array.isArray(mapping.dynamic_date_formats) || Array.isArray(mapping.date_formats)) &&
      !isFrom(created, '7'),
    does: (mapping) => {
      mapping.rename('date_formats', 'dynamic_date_formats')
      convertList(mapping, 'dynamic_date_formats')
    },
    loses: 'nothing',
    why: 'dates are read by java.time since Elasticsearch 7, which has other letters than Joda',
    link: java,
    cases: [
      {
        on: '6.8 > 3.6',
        before: { dynamic_date_formats: ['YYYY/MM/dd', 'strict_date_optional_time'] },
        after: { dynamic_date_formats: ['yyyy/MM/dd', 'strict_date_optional_time'] },
        changes: ['dynamic_date_formats changed'],
        without: 'accepted',
      },
      {
        on: '1.7 > 2.19',
        before: { date_formats: ['yyyy'] },
        after: { dynamic_date_formats: ['yyyy'] },
        changes: ['date_formats changed'],
        without: 'accepted',
      },
    ],
  },
]

function convertList(mapping: Edit, key: string): void {
  const formats = mapping.get(key)
  if (!Array.isArray(formats)) return
  const converted = formats.map((format) =>
    typeof format === 'string' ? javaFormat(format) : format,
  )
  const wrong = formats.find((_, i) => converted[i] === undefined)
  if (wrong === undefined) mapping.set(key, converted as Json[])
  else mapping.cannot(key, untranslatable(textOf(wrong)))
}

function untranslatable(format: string): string {
  return `java.time has no letters for Joda's C and x in "${format}": give the field another format, or leave it out of the mapping`
}

function withoutMillis(format: string): string {
  return format
    .split('||')
    .filter((one) => one !== 'epoch_millis')
    .join('||')
}
