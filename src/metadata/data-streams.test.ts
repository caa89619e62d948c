import assert from 'node:assert/strict'
import test from 'node:test'
import { noGlobalMetadata, type DataStream, type IndexMetadata } from '../snapshot/snapshot.ts'
import type { JsonObject } from '../base/json.ts'
import { withRolloverTemplates } from './data-stream-templates.ts'
import {
  asPlainIndex,
  plannedBehind,
  refuseGaps,
  selectedBackings,
  streamsLeft,
} from './data-streams.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { metadataOptions } from './options.ts'
import type { PlannedIndex } from './plan.ts'

const logs: DataStream = {
  name: 'logs',
  indices: ['.ds-logs-000001', '.ds-logs-000002'],
  failureIndices: ['.fs-logs-000001'],
  hidden: true,
  system: false,
  aliases: {
    errors: { filter: { term: { level: 'error' } } },
    all: { is_write_index: true },
  },
  raw: { lifecycle: { data_retention: '7d' }, settings: {} },
}

const input = (dataStreams: 'refuse' | 'alias' | 'stream', indices = logs.indices): EvaluateInput =>
  ({
    options: metadataOptions.parse({ dataStreams }),
    select: { include: ['logs'] },
    source: { indices } as Partial<EvaluateInput['source']>,
  }) as Partial<EvaluateInput> as EvaluateInput

const [older, newest] = selectedBackings(input('alias'), [logs]).values()

test('the newest index takes the writes to the name of a data stream and of its aliases', () => {
  const index = { name: 'x', aliases: { own: {} } } as Partial<IndexMetadata> as IndexMetadata
  const filter = { term: { level: 'error' } }
  assert.deepEqual(asPlainIndex(index, older!).aliases, {
    own: {},
    errors: { filter, is_write_index: false },
    all: { is_write_index: false },
    logs: { is_write_index: false, is_hidden: true },
  })
  assert.deepEqual(asPlainIndex(index, newest!).aliases, {
    own: {},
    errors: { filter, is_write_index: false },
    all: { is_write_index: true },
    logs: { is_write_index: true, is_hidden: true },
  })
})

test('what is lost with a data stream stands once in the plan', () => {
  const planned = { changes: [] } as Partial<PlannedIndex> as PlannedIndex
  const first = plannedBehind(planned, older!)
  assert.equal(first.dataStream, 'logs')
  assert.deepEqual(
    first.changes.map(({ path, loss }) => [path, loss]),
    [['aliases.logs', false]],
  )
  assert.deepEqual(
    plannedBehind(planned, newest!).changes.map(({ path, loss }) => [path, loss]),
    [
      ['aliases.logs', true],
      ['data_stream.lifecycle', true],
      ['data_stream.failure_indices', true],
    ],
  )
})

test('a data stream that stays behind, or lacks indices, is named', () => {
  const left = (of: EvaluateInput): string[] => streamsLeft(of, [logs]).map(({ reason }) => reason)
  assert.equal(selectedBackings(input('refuse'), [logs]).size, 0)
  assert.match(left(input('refuse')).join(), /metadata\.dataStreams is refuse/)
  assert.deepEqual(left(input('alias')), [])
  assert.match(left(input('alias', ['.ds-logs-000001'])).join(), /\.ds-logs-000002 are not/)
})

const place = { stream: 'logs', targetIndex: '.ds-logs-000002', timestampField: 'time' }

test('what data streams of OpenSearch have not stands in the plan, once', () => {
  const planned = { changes: [], action: 'create' } as Partial<PlannedIndex> as PlannedIndex
  const inStream = plannedBehind(planned, newest!, place)
  assert.deepEqual(inStream.stream, { name: 'logs', position: 2, timestampField: 'time' })
  assert.deepEqual(
    inStream.changes.map(({ path, loss }) => [path, loss]),
    [
      ['data_stream', false],
      ['aliases.errors', true],
      ['aliases.all', true],
      ['data_stream.hidden', true],
      ['data_stream.lifecycle', true],
      ['data_stream.failure_indices', true],
    ],
  )
  assert.equal(plannedBehind(planned, older!, place).changes.length, 1)
  const refused = plannedBehind(planned, newest!, { ...place, refused: 'no template' })
  assert.deepEqual([refused.action, refused.reason], ['refused', 'no template'])
})

test('an index is not made before newer ones of its data stream that are there', () => {
  const index = (position: number, action: PlannedIndex['action']): PlannedIndex =>
    ({
      name: `i${position}`,
      action,
      stream: { name: 'logs', position, timestampField: '@timestamp' },
    }) as Partial<PlannedIndex> as PlannedIndex
  const actions = (...indices: PlannedIndex[]): string[] =>
    refuseGaps(indices).map(({ action }) => action)
  assert.deepEqual(actions(index(1, 'create'), index(2, 'exists-equal'), index(3, 'create')), [
    'refused',
    'exists-equal',
    'create',
  ])
  assert.deepEqual(actions(index(1, 'create'), index(2, 'create')), ['create', 'create'])
})

test('the template for a rollover makes what that of the data stream would', () => {
  const body = {
    index_patterns: ['logs*'],
    data_stream: {},
    priority: 7,
    composed_of: ['times'],
    template: { mappings: { properties: { n: { type: 'long' } } } },
  }
  const global = { ...noGlobalMetadata, indexTemplates: { logs: body } }
  const backings = selectedBackings(input('alias'), [logs])
  const of = (times: object): JsonObject => {
    const componentTemplates = { times: { template: { mappings: { properties: times } } } }
    const made = withRolloverTemplates(
      input('alias'),
      { ...global, componentTemplates } as never,
      backings,
    )
    return made.global.indexTemplates['logs-rollover']!
  }
  const { template, ...head } = of({})
  assert.deepEqual(head, { index_patterns: ['.ds-logs-*'], priority: 11, composed_of: ['times'] })
  assert.deepEqual(template, {
    settings: { 'index.hidden': true },
    mappings: {
      _data_stream_timestamp: { enabled: true },
      properties: { '@timestamp': { type: 'date' }, n: { type: 'long' } },
    },
    aliases: { errors: { filter: { term: { level: 'error' } } }, all: {} },
  })
  const dated = JSON.stringify(of({ '@timestamp': { type: 'date_nanos' } }))
  assert.doesNotMatch(dated, /@timestamp/)
  const none = withRolloverTemplates(input('stream'), global, backings)
  assert.equal(none.added.size, 0)
})
