import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bulkRule } from './bulk-errors.ts'

type Case = [status: number, type: string, action: string, reason?: string]

const items: Case[] = [
  [409, 'version_conflict_engine_exception', 'conflict'],
  [400, 'mapper_parsing_exception', 'refuse'],
  [400, 'strict_dynamic_mapping_exception', 'refuse'],
  [400, 'illegal_argument_exception', 'refuse', 'Document contains at least one immense term'],
  [418, 'never_heard_of_exception', 'refuse'],
  [429, 'es_rejected_execution_exception', 'wait'],
  [429, 'rejected_execution_exception', 'wait'],
  [429, 'circuit_breaking_exception', 'wait'],
  [503, 'unavailable_shards_exception', 'wait'],
  [
    429,
    'cluster_block_exception',
    'wait',
    'index [i] blocked by: [TOO_MANY_REQUESTS/12/disk usage',
  ],
  [
    403,
    'cluster_block_exception',
    'wait',
    'index [i] blocked by: [FORBIDDEN/8/index write (api)];',
  ],
  [403, 'cluster_block_exception', 'stop', 'index [i] blocked by: [FORBIDDEN/4/index closed];'],
  [500, 'node_closed_exception', 'wait'],
  [500, 'never_heard_of_exception', 'doubt'],
  [404, 'index_not_found_exception', 'stop'],
  [400, 'index_closed_exception', 'stop'],
  [403, 'security_exception', 'stop'],
  [
    400,
    'illegal_argument_exception',
    'stop',
    'no write index is defined for alias [a]. The write index',
  ],
  [400, 'illegal_argument_exception', 'stop', 'pipeline with id [p] does not exist'],
]

const requests: Case[] = [
  [400, 'action_request_validation_exception', 'refuse'],
  [413, 'http_413', 'refuse'],
  [
    400,
    'illegal_argument_exception',
    'stop',
    'request [/a/_bulk] contains unrecognized parameter: [x]',
  ],
  [401, 'http_401', 'stop'],
  [403, 'http_403', 'stop'],
  [404, 'http_404', 'stop'],
  [302, 'http_302', 'stop'],
  [429, 'http_429', 'wait'],
  [502, 'http_502', 'wait'],
  [503, 'cluster_block_exception', 'wait'],
  [0, 'unreachable_connect', 'wait'],
  [0, 'unreachable_cut', 'wait'],
  [0, 'unreachable_timeout', 'wait'],
]

test('bulkRule() has an action for each error of an item', () => {
  for (const [status, type, action, reason = ''] of items) {
    assert.equal(bulkRule('item', { status, type, reason }).action, action, `${status} ${type}`)
  }
})

test('bulkRule() has an action for each error of a request', () => {
  for (const [status, type, action, reason = ''] of requests) {
    assert.equal(bulkRule('request', { status, type, reason }).action, action, `${status} ${type}`)
  }
})
