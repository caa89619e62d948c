import type { Cluster } from '../cluster/cluster.ts'
import type { StateStore } from '../state/store.ts'
import type { Transform } from '../usercode/transform.ts'
import type { Accounts } from './accounts.ts'
import type { KeptDeletes } from './kept-deletes.ts'
import type { RefusedDocument, TargetPlace } from './lane-worker.ts'
import type { SourceIndex, SourceShard } from './source-index.ts'
import type { ReadBudget } from './read-budget.ts'
import type { OnWait } from './waits.ts'

/** What an applier works with. */
export interface ApplierOptions {
  /** Bytes of changes that are taken and not settled. */
  readonly memoryMax: number
  readonly bulkBytesMax: number
  readonly lanes: number
  /** How long a cluster, or an index, may make changes wait without any progress. */
  readonly waitMaxMs: number
  readonly gzip?: boolean
}

export interface ApplierInput {
  readonly source: Cluster
  readonly target: Cluster
  readonly state: StateStore
  readonly view: {
    index(name: string): SourceIndex | undefined
    /** Checkpoints as they are now, and after them the primary terms; an index that has not all primaries is absent. */
    shards(names: readonly string[]): Promise<ReadonlyMap<string, readonly SourceShard[]>>
  }
  readonly places: {
    placesOf(
      index: string,
    ): Promise<readonly TargetPlace[] | 'left-out' | { readonly waiting: string }>
    /** Resolves when the target's metadata is as the source's was after this was called. */
    ready?(): Promise<unknown>
    /** The records of its target indices were changed: they are read again. */
    forget?(index: string): void
  }
  readonly accounts: Pick<Accounts, 'acknowledged'> & Partial<Pick<Accounts, 'isInSnapshot'>>
  readonly kept: KeptDeletes
  readonly transform?: Transform | undefined
  /** Of documents that are read from the source. */
  readonly budget: Pick<ReadBudget, 'take'>
  readonly options: ApplierOptions
  readonly signal: AbortSignal
  readonly onWait: OnWait
  /** Stored when it resolves. */
  readonly onDeadLetter: (refused: RefusedDocument) => Promise<void>
  /** Asked of each document that is settled without becoming a dead letter. */
  readonly hasDeadLetter?: (index: string, id: string, routing: string | null) => boolean
  readonly onWritten?: (index: string, id: string, routing: string | null) => Promise<void>
}
