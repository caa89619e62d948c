import type { Selection } from '../base/select.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { StateStore } from '../state/store.ts'
import type { Transform } from '../usercode/transform.ts'
import type { ClusterMetadata } from './cluster-metadata.ts'
import { liveMetadata } from './live-metadata.ts'
import type { MetadataOptions } from './options.ts'
import type { RememberedEdits } from './plan-edits.ts'
import type { PlanFile } from './plan-file.ts'
import type { PlanSource } from './plan.ts'
import {
  liveDocuments,
  snapshotDocuments,
  type LongLook,
  type ShardLook,
  type SourceDocuments,
} from './source-documents.ts'

/** What the plan is made from. */
export interface EvaluateInput extends PlannedFrom {
  readonly target: PlanTarget
  readonly select: Selection
  readonly options: MetadataOptions
  /** A plan that a person has edited: only what is in it is planned, with the bodies that it has. */
  readonly planFile?: PlanFile
  /** What a person has changed in a plan file before, where there is none now. */
  readonly remembered?: RememberedEdits
  /** What this migration did before; undefined at the first look. */
  readonly state?: StateStore
  /** Aliases are set after all indices are made: what bears one of them by then is not in the way. */
  readonly aliasesLater?: boolean
  /** Carries over what there is of indices whose `_source` is not the document as it was sent. */
  readonly allowPartialSource: boolean
  /** What is changed in mappings and documents besides, as the user has configured. */
  readonly transform?: Transform
  readonly signal?: AbortSignal
}

/** Where the metadata comes from, and what is asked about the documents that it is for. */
export interface PlannedFrom {
  readonly origin: PlanSource
  readonly source: ClusterMetadata
  readonly documents: SourceDocuments
}

/** A snapshot of the repository at `repository`. */
export function fromSnapshot(
  repository: string,
  snapshot: Snapshot,
  look: ShardLook,
  long: LongLook = {},
): PlannedFrom {
  return {
    origin: { kind: 'snapshot', repository, snapshot: snapshot.name, uuid: snapshot.uuid },
    source: snapshot,
    documents: snapshotDocuments(snapshot, look, long),
  }
}

/** The live cluster itself. */
export async function fromCluster(cluster: Cluster, signal?: AbortSignal): Promise<PlannedFrom> {
  return {
    origin: { kind: 'cluster', url: cluster.url },
    source: await liveMetadata(cluster, signal),
    documents: liveDocuments(cluster, signal),
  }
}

/** The target, or the version of one that nobody can ask yet: then nothing is there, and it refuses nothing. */
export type PlanTarget = Cluster | { readonly version: EngineVersion; readonly url?: undefined }

/** The target as one that can be asked; undefined where only its version is known. */
export function clusterOf(target: PlanTarget): Cluster | undefined {
  return target.url === undefined ? undefined : target
}
