import type { PlannedChange } from '../metadata/plan.ts'
import type { Role } from './roles.ts'

/** What could not be had, with the reason: nothing is guessed in its place. */
export interface Unknown {
  readonly unknown: string
}
export type OrUnknown<T> = T | Unknown

/** True where there is a reason in the place of a value. */
export function isUnknown(value: unknown): value is Unknown {
  return typeof value === 'object' && value !== null && 'unknown' in value
}

/**
 * What moving a cluster would take, and what of it stays behind. Plain JSON: what `osmigrate assess --json` prints, and
 * what the table and the HTML report show. Bytes are bytes, times are milliseconds unless the name says otherwise.
 */
export interface Assessment {
  /** ISO 8601, UTC. */
  readonly madeAt: string
  readonly source: SourceAssessment
  readonly target: TargetAssessment
  readonly nodes: OrUnknown<readonly NodeFacts[]>
  readonly plugins: OrUnknown<readonly PluginFacts[]>
  readonly sizes: Sizes
  readonly features: readonly Feature[]
  readonly fieldTypes: readonly FieldTypeUse[]
  /** What is changed on the way with a loss or another meaning, or cannot be at all; the worst first. */
  readonly breakingChanges: readonly ChangeGroup[]
  /** What is changed without any loss. */
  readonly harmlessChanges: readonly ChangeGroup[]
  /** What will not be on the target, by kind and name. */
  readonly staysBehind: readonly LeftBehind[]
  /** Indices that the selection leaves out (without `--index`: names with a leading dot). */
  readonly notSelected: readonly string[]
  readonly writes: OrUnknown<Writes>
  readonly clients: Clients
  readonly path: ProposedPath
  readonly estimate: Estimate
  /** The least that users need, as roles that can be put. */
  readonly roles: { readonly source: readonly Role[]; readonly target: readonly Role[] }
  /** True where nothing that was selected stays behind or loses anything. */
  readonly complete: boolean
}

export interface SourceAssessment {
  readonly from: 'cluster' | 'snapshot'
  /** The cluster's address, or `SNAPSHOT in REPOSITORY`. */
  readonly place: string
  /** e.g. `Elasticsearch 7.10.2`. */
  readonly engine: string
}

export interface TargetAssessment {
  /** e.g. `OpenSearch 3.6.0`. */
  readonly engine: string
  readonly basis: 'connected' | 'asked for' | 'newest known'
  readonly place?: string
}

export interface NodeFacts {
  readonly name: string
  readonly version: string
  readonly roles: readonly string[]
  readonly diskBytes: OrUnknown<number>
  readonly diskFreeBytes: OrUnknown<number>
}

export interface PluginFacts {
  readonly name: string
  readonly version: string
  readonly nodes: number
  /** What OpenSearch has for it. */
  readonly onTarget: 'same name' | 'built in' | 'replaced' | 'none known'
  readonly note: string
}

export interface Sizes {
  readonly indices: number
  readonly closedIndices: number
  readonly primaryShards: number
  /** Nested ones counted, as Lucene counts. */
  readonly documents: OrUnknown<number>
  readonly primaryBytes: OrUnknown<number>
  /** With replicas. */
  readonly totalBytes: OrUnknown<number>
  /** Indices whose bytes are not known: they are in no sum, and in nothing that follows from one. */
  readonly unsized: readonly { readonly index: string; readonly reason: string }[]
  readonly largestIndices: readonly IndexSize[]
  readonly largestShards: readonly ShardSize[]
}

export interface IndexSize {
  readonly index: string
  readonly primaryShards: number
  readonly replicas: number
  readonly documents: OrUnknown<number>
  readonly primaryBytes: OrUnknown<number>
}

export interface ShardSize {
  readonly index: string
  readonly shard: number
  readonly documents: OrUnknown<number>
  readonly bytes: number
}

/** Something that indices or the cluster make use of. */
export interface Feature {
  readonly feature: string
  readonly count: number
  readonly objects: readonly string[]
}

export interface FieldTypeUse {
  readonly type: string
  readonly fields: number
  readonly indices: number
}

/** One change, and all objects that it touches. */
export interface ChangeGroup {
  /** The rule (docs/reference/metadata-rules.md); absent for what is no rule's. */
  readonly rule?: string
  /** Documentation of the change. */
  readonly link?: string
  readonly what: PlannedChange['what']
  readonly severity: 'cannot' | 'dropped' | 'changed' | 'none'
  readonly reason: string
  readonly objects: readonly TouchedObject[]
}

export interface TouchedObject {
  /** `index`, `legacy-template` … */
  readonly kind: string
  readonly name: string
  /** e.g. `mappings.properties.title`. */
  readonly paths: readonly string[]
}

export interface LeftBehind {
  readonly kind: string
  readonly name: string
  readonly reason: string
}

/** Writes to primary shards between two looks at the counters. */
export interface Writes {
  readonly seconds: number
  readonly writesPerSecond: number
  /** Of `_source` as it was sent, per write. */
  readonly bytesPerWrite: OrUnknown<number>
  readonly bytesPerWriteBasis: string
  readonly bytesPerSecond: OrUnknown<number>
  /** The indices that were written to, the busiest first. */
  readonly indices: readonly { readonly index: string; readonly writesPerSecond: number }[]
}

export interface Clients {
  readonly http: OrUnknown<readonly HttpClientFacts[]>
  /** Open connections to the HTTP ports of all nodes, ours among them. */
  readonly httpConnections: OrUnknown<number>
  readonly sniffing: OrUnknown<SniffingFacts>
  readonly transport: OrUnknown<TransportFacts>
}

export interface HttpClientFacts {
  readonly agent: string
  readonly connections: number
  readonly requests: number
  readonly addresses: readonly string[]
  readonly sniffs: boolean
}

export interface SniffingFacts {
  /** Requests for the list of nodes since the nodes began to count. */
  readonly requestsForNodes: number
  readonly hours: number
  readonly note: string
}

export interface TransportFacts {
  /** Open on the transport ports of all nodes, from whomever. */
  readonly connections: number
  /** What the nodes of the cluster hold among themselves at most. */
  readonly expectedMax: number
  /** At least so many come from elsewhere: transport clients, other clusters. */
  readonly others: number
}

export interface ProposedPath {
  readonly path: 'backfill only' | 'backfill and delta' | 'backfill with capture' | 'cannot be told'
  readonly why: string
  readonly steps: readonly string[]
}

export interface Estimate {
  /** What the hours are calculated from, with where it was measured. */
  readonly rate: {
    readonly text: string
    readonly bytesPerSecond: number
    readonly documentsPerSecond?: number
  }
  readonly backfillHours: OrUnknown<number>
  readonly backfillBytes: OrUnknown<number>
  readonly snapshotHours: OrUnknown<number>
  /** Of the indices that were written to while it was looked: what a second snapshot brings. */
  readonly deltaHours: OrUnknown<number>
  /** Free on the target, replicas and the room below the disk watermark counted. */
  readonly targetDiskBytes: OrUnknown<number>
  readonly targetDiskFreeBytes: OrUnknown<number>
  readonly captureLogBytes: OrUnknown<number>
  /** How each was calculated, a sentence each. */
  readonly notes: readonly string[]
}
