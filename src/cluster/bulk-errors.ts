import type { ErrorCode } from '../base/errors.ts'
import type { EngineError } from './answer-errors.ts'

/**
 * What to do about an item, or a whole request, that was not carried out.
 * - conflict: the target holds a higher version.
 * - wait: passes by itself; send again.
 * - doubt: nobody knows whether it passes; send again for a while, then refuse.
 * - refuse: never passes; the item becomes a dead letter (of a request: is halved until the item is found).
 * - stop: somebody has to change something first; the run ends with `code`.
 */
export type BulkAction = 'conflict' | 'wait' | 'doubt' | 'refuse' | 'stop'

export interface BulkRule {
  readonly action: BulkAction
  /** Error of the run: at once for stop, when patience ends for wait. */
  readonly code?: ErrorCode
  /** Of a whole request: perhaps it is too much at once; every few attempts it is halved. */
  readonly mayBeTooLarge?: true
  /** Of an item: its index alone is to blame, others may go on. */
  readonly isOfIndex?: true
}

interface Row extends BulkRule {
  /** The error's whole name; any if absent. */
  readonly type?: string | RegExp
  readonly status?: number | ((status: number) => boolean)
  readonly reason?: RegExp
  /** Only for errors of a whole request; any if absent. */
  readonly level?: 'request'
}

const isServerError = (status: number): boolean => status >= 500

/** First match counts. The names are those of Elasticsearch 7 and OpenSearch 1 to 3; a name goes before a status. */
const table: readonly Row[] = [
  { type: 'version_conflict_engine_exception', action: 'conflict' },

  // Nobody but a person mends these.
  { status: 401, action: 'stop', code: 'MA_CLUSTER_AUTH' },
  { type: /^(security|authorization)_exception$/, action: 'stop', code: 'MA_CLUSTER_AUTH' },
  { type: 'http_403', action: 'stop', code: 'MA_CLUSTER_AUTH' },
  { type: 'index_not_found_exception', action: 'stop', code: 'MA_TARGET_INDEX' },
  { type: 'index_closed_exception', action: 'stop', code: 'MA_TARGET_INDEX' },
  {
    type: 'cluster_block_exception',
    reason: /FORBIDDEN\/4\/index closed/,
    action: 'stop',
    code: 'MA_TARGET_INDEX',
  },
  {
    type: 'illegal_argument_exception',
    reason:
      /^no write index is defined for alias|^pipeline with id \[.*\] does not exist|data stream/,
    action: 'stop',
    code: 'MA_TARGET_INDEX',
  },
  {
    level: 'request',
    reason: /contains unrecognized parameter/,
    action: 'stop',
    code: 'MA_CLUSTER_RESPONSE',
  },

  // Blocks of a full disk go when there is room again; others when somebody takes them off.
  { type: 'cluster_block_exception', action: 'wait', code: 'MA_TARGET_INDEX', isOfIndex: true },
  { type: 'circuit_breaking_exception', action: 'wait', mayBeTooLarge: true },
  { type: 'unreachable_connect', action: 'wait' },
  { type: /^unreachable_(cut|timeout)$/, action: 'wait', mayBeTooLarge: true },
  // Also "rejected execution of coordinating operation": more bytes than the node's indexing pressure allows.
  {
    type: /^(es_|opensearch_)?rejected_execution_exception$/,
    action: 'wait',
    mayBeTooLarge: true,
  },
  {
    type: /^(unavailable_shards|no_shard_available_action|primary_missing_action|shard_not_found)_exception$/,
    action: 'wait',
    isOfIndex: true,
  },
  {
    type: /^(master_not_discovered|cluster_manager_not_discovered|not_master|not_cluster_manager|process_cluster_event_timeout)_exception$/,
    action: 'wait',
  },
  {
    type: /^(timeout|receive_timeout_transport|node_closed|node_disconnected|node_not_connected|connect_transport|transport_serialization)_exception$/,
    action: 'wait',
  },
  {
    type: /^(illegal_index_shard_state|index_shard_closed|index_shard_not_started|index_shard_recovering|already_closed|shard_not_in_primary_mode|no_longer_primary_shard|retry_on_primary|retry_on_replica)_exception$/,
    action: 'wait',
    isOfIndex: true,
  },
  { status: 429, action: 'wait', mayBeTooLarge: true },
  { status: 503, action: 'wait' },
  { status: 408, action: 'wait', mayBeTooLarge: true },
  { status: (status) => status === 502 || status === 504, action: 'wait', mayBeTooLarge: true },
  { status: isServerError, action: 'doubt', mayBeTooLarge: true },

  // What a document is to blame for: 400 (mapping, validation) and 413. Other answers to a request blame the request.
  { status: 400, action: 'refuse' },
  { status: 413, action: 'refuse' },
  { level: 'request', action: 'stop', code: 'MA_CLUSTER_RESPONSE' },
  { action: 'refuse' },
]

/** Looks an error up in the one table of what to do. */
export function bulkRule(level: 'item' | 'request', error: EngineError): BulkRule {
  return table.find((row) => matches(row, level, error))!
}

function matches(row: Row, level: 'item' | 'request', error: EngineError): boolean {
  const { type, status, reason } = row
  if (row.level !== undefined && row.level !== level) return false
  if (typeof type === 'string' && type !== error.type) return false
  if (type instanceof RegExp && !type.test(error.type)) return false
  if (typeof status === 'number' && status !== error.status) return false
  if (typeof status === 'function' && !status(error.status)) return false
  return reason === undefined || reason.test(error.reason)
}
