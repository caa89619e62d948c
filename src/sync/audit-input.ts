import type { Json } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { StateStore } from '../state/store.ts'
import type { Accounts } from './accounts.ts'
import type { Change } from './change.ts'
import type { ForeignWatch } from './foreign-writes.ts'
import type { Places } from './places.ts'
import type { ReadBudget } from './read-budget.ts'
import type { SourceView } from './source-view.ts'
import type { OnWait } from './waits.ts'

/** Where the capture log ends, and whether all that lies before is done with. */
export interface LogEnds {
  /** Of all streams, now. */
  ends(): Promise<Json>
  /** Whether every exchange whose request lies before these ends is settled. */
  hasPassed(ends: Json): boolean
}

/** A document that the target holds at a higher number than the source, and that no read mends. */
export interface AheadDocument {
  readonly id: string
  readonly routing: string | null
  /** null: it is not there. */
  readonly source: number | null
  readonly target: number
}

export interface AuditInput {
  readonly source: Cluster
  readonly target: Cluster
  readonly state: StateStore
  readonly view: Pick<SourceView, 'indices' | 'index' | 'refresh' | 'shards'>
  readonly places: Places
  readonly accounts: Accounts
  /** Writes what is found, by the ways that all changes go. `settled(false)`: something of it was left alone. */
  readonly applier: {
    add(changes: readonly Change[], settled: (taken: boolean) => void): Promise<void>
    /** Has an index written to again that was given up since it had to wait; gives why nothing is written to it otherwise. */
    tryAgain(index: string): string | undefined
  }
  readonly log: LogEnds
  /** How long after a write of the source its request may be missing in the log; 0 where nothing is captured. */
  readonly lateMs: number
  /** Whether all documents that a backfill brings to this index are there. */
  readonly isFilled: (index: string) => Promise<boolean>
  /** Spreads over time what is read from the source. */
  readonly budget: Pick<ReadBudget, 'take'>
  /** Sees what somebody else writes to the target. */
  readonly foreign?: Pick<ForeignWatch, 'look'>
  readonly options: AuditOptions
  readonly signal: AbortSignal
  readonly onWait?: OnWait
  /** The target cannot be made equal by writing to it: it is to be made anew. */
  readonly onAhead?: (index: string, documents: readonly AheadDocument[]) => Promise<void>
}

export interface AuditOptions {
  /** From the beginning of one look to the next. */
  readonly everyMs: number
  /** Shards of one side whose ids are scanned at once. */
  readonly slices: number
}
