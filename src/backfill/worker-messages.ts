import { MigrationError, type ErrorCode } from '../base/errors.ts'
import type { BlobStoreOptions } from '../blob/open.ts'
import type { BlobRetry } from '../blob/retry.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { ClusterOptions } from '../cluster/cluster.ts'
import type {
  ItemReport,
  ItemRun,
  ItemTask,
  OpenedShard,
  SegmentTask,
  ShardTask,
} from './local-worker.ts'
import type { TransformSpec } from '../transform/spec.ts'
import type { BackfillOptions } from './options.ts'

/** What a worker needs to open snapshot and target for itself. Secrets stay references, resolved in the worker. */
export interface Reopen {
  repository: string
  /** How the repository is reached, where it is not a folder. */
  store?: BlobStoreOptions
  snapshot: string
  target: ClusterOptions
}

export type WorkerData = Reopen & {
  options: BackfillOptions
  transform: TransformSpec | undefined
}

/** To the worker. `id` comes back with each answer. */
export type ToWorker =
  | { type: 'open'; id: number; task: ShardTask }
  | { type: 'run'; id: number; task: ItemTask }
  | { type: 'check'; id: number; task: SegmentTask }
  | { type: 'stored'; report: number; error?: ErrorData }
  | { type: 'stop'; index?: string }
  | { type: 'giveUp' }
  | { type: 'close' }

/** From the worker. `read`: the next task may come; `settled`: all bulks of the item are answered. */
export type FromWorker =
  | { type: 'opened'; id: number; shard: OpenedShard }
  | { type: 'report'; id: number; report: number; content: ItemReport }
  | { type: 'read'; id: number; read: ItemRun['read'] }
  | { type: 'checked'; id: number }
  | { type: 'settled'; id: number; error?: ErrorData }
  | { type: 'failed'; id: number; error: ErrorData }
  | { type: 'wait'; wait: BulkWait }
  | { type: 'blobRetry'; retry: BlobRetry }

/** An error on its way between threads: a class does not survive the copying. */
export interface ErrorData {
  code: ErrorCode | null
  message: string
  stack: string
  retryable: boolean
  details: string
}

export function errorData(error: unknown): ErrorData {
  const known = error instanceof MigrationError
  return {
    code: known ? error.code : null,
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? (error.stack ?? '') : '',
    retryable: known && error.retryable,
    details: JSON.stringify(known ? error.details : {}),
  }
}

export function errorOf({ code, message, stack, retryable, details }: ErrorData): Error {
  if (code === null) return Object.assign(new Error(message), { stack })
  const facts = JSON.parse(details) as Record<string, unknown>
  return Object.assign(new MigrationError(code, message, { retryable, details: facts }), { stack })
}
