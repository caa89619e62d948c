import { eachAtOnce } from '../base/each-at-once.ts'
import type { Selection } from '../base/select.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import { versionName } from '../cluster/version.ts'
import { evaluateMetadata } from '../metadata/evaluate.ts'
import {
  clusterOf,
  fromCluster,
  fromSnapshot,
  type PlanTarget,
} from '../metadata/evaluate-input.ts'
import type { MetadataOptions } from '../metadata/options.ts'
import { carriesEverything, type MetadataPlan } from '../metadata/plan.ts'
import { sourceVersionOf } from '../metadata/rule-facts.ts'
import type { ShardLook } from '../metadata/source-documents.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import {
  isUnknown,
  type Assessment,
  type NodeFacts,
  type OrUnknown,
  type ShardSize,
  type TargetAssessment,
  type Writes,
} from './assessment.ts'
import { changesOf, staysBehind } from './changes.ts'
import { estimate, type Rate } from './estimate.ts'
import { beginLive, factsOfSnapshot } from './live-source.ts'
import { observe, type Seen } from './observe.ts'
import { proposePath } from './path.ts'
import { readNodes } from './read-nodes.ts'
import type { ShardTable } from './read-shards.ts'
import { leastRoles } from './roles.ts'
import { sizeInCluster, sizeInSnapshot, sizesOf, sumOf, type SizedIndex } from './sizes.ts'

/** The live source, or a snapshot of it. */
export type AssessedSource =
  | { readonly kind: 'cluster'; readonly cluster: Cluster }
  | {
      readonly kind: 'snapshot'
      readonly snapshot: Snapshot
      readonly repository: string
      readonly look: ShardLook
    }

export interface AssessInput {
  readonly source: AssessedSource
  readonly target: PlanTarget
  readonly targetBasis: TargetAssessment['basis']
  readonly select: Selection
  readonly options: MetadataOptions
  readonly allowPartialSource: boolean
  readonly rate: Rate
  /** How long the writes are watched. */
  readonly measureMs: number
  readonly now: Date
  readonly onProgress?: (indicesRead: number) => void
  readonly signal?: AbortSignal
}

/**
 * Finds out what moving a cluster would take, and what of it stays behind. Reads only, on whatever it asks. What changes
 * on the way is the plan that `metadata evaluate` makes; the rest is asked of the running cluster.
 */
export async function assess(input: AssessInput): Promise<Assessment> {
  const { source, target, signal } = input
  const from =
    source.kind === 'cluster'
      ? await fromCluster(source.cluster, signal)
      : fromSnapshot(source.repository, source.snapshot, source.look)
  const live =
    source.kind === 'cluster'
      ? await beginLive(source.cluster, { measureMs: input.measureMs, signal })
      : factsOfSnapshot()
  const { observed, seen } = observe(from, input.onProgress)
  const plan = await evaluateMetadata({ ...input, ...observed, target })
  seen.features.addGlobal(seen.global, plan)
  const sized = await sizeIndices(input, plan, seen, live.shards)
  const writes = await live.writes(new Set(plan.indices.map(({ name }) => name)))
  const figures = estimate({
    rate: input.rate,
    ...totalsOf(sized.indices),
    bytesWithReplicas: sumOf(sized.indices.map(withReplicas)),
    dataNodes: isUnknown(live.nodes) ? live.nodes : live.nodes.filter(holdsData).length,
    writes,
    busy: isUnknown(writes) ? writes : totalsOf(writtenTo(writes, sized.indices)),
    targetDiskFreeBytes: await diskFree(clusterOf(target), signal),
    hasSnapshot: source.kind === 'snapshot',
  })
  const changes = changesOf(plan)
  const patterns = input.select.include ?? ['*']
  return {
    madeAt: input.now.toISOString(),
    source: describeSource(source, seen),
    target: describeTarget(input),
    nodes: live.nodes,
    plugins: live.plugins,
    sizes: sizesOf(sized.indices, sized.shards),
    features: seen.features.features,
    fieldTypes: seen.features.fieldTypes,
    breakingChanges: changes.filter(({ severity }) => severity !== 'none'),
    harmlessChanges: changes.filter(({ severity }) => severity === 'none'),
    staysBehind: staysBehind(plan),
    notSelected: plan.notSelected,
    writes,
    clients: live.clients,
    path: proposePath(writes, figures, plan.indices.length),
    estimate: figures,
    roles: {
      source: leastRoles('source', patterns),
      target: leastRoles('target', patterns, input.options),
    },
    complete: carriesEverything(plan),
  }
}

function describeSource(source: AssessedSource, seen: Seen): Assessment['source'] {
  if (source.kind === 'cluster') {
    const { url, version } = source.cluster
    return { from: 'cluster', place: url, engine: versionName(version) }
  }
  const { name, engineVersion } = source.snapshot
  const { createdVersions } = seen
  return {
    from: 'snapshot',
    place: `${name} in ${source.repository}`,
    engine: versionName(sourceVersionOf({ engineVersion, createdVersions: [...createdVersions] })),
  }
}

function describeTarget({ target, targetBasis }: AssessInput): TargetAssessment {
  const version: EngineVersion = target.version
  const cluster = clusterOf(target)
  return {
    engine: versionName(version),
    basis: targetBasis,
    ...(cluster && { place: cluster.url }),
  }
}

/** Shards of a snapshot are asked for index by index, each index some at once. */
async function sizeIndices(
  { source }: AssessInput,
  plan: MetadataPlan,
  seen: Seen,
  table: OrUnknown<ShardTable>,
): Promise<{ indices: SizedIndex[]; shards: readonly ShardSize[] }> {
  const shapes = plan.indices.map(({ name, body, sourceShards }) => ({
    name,
    numberOfShards: sourceShards,
    state: seen.closed.has(name) ? ('close' as const) : ('open' as const),
    replicas: replicasOf(body),
  }))
  if (source.kind === 'cluster') {
    const chosen = new Set(shapes.map(({ name }) => name))
    return {
      indices: shapes.map((shape) => sizeInCluster(shape, table)),
      shards: isUnknown(table) ? [] : table.primaries.filter(({ index }) => chosen.has(index)),
    }
  }
  const found = await eachAtOnce(shapes, 1, (shape) => sizeInSnapshot(shape, source.snapshot))
  return {
    indices: found.map(({ shards: _shards, ...size }) => size),
    shards: found.flatMap(({ shards }) => shards),
  }
}

function replicasOf(body: MetadataPlan['indices'][number]['body']): number {
  const { settings } = body
  const value =
    typeof settings === 'object' && settings !== null && !Array.isArray(settings)
      ? settings['index.number_of_replicas']
      : undefined
  return Number(value ?? 1)
}

function totalsOf(indices: readonly SizedIndex[]) {
  return {
    documents: sumOf(indices.map(({ documents }) => documents)),
    primaryBytes: sumOf(indices.map(({ primaryBytes }) => primaryBytes)),
  }
}

function withReplicas({ primaryBytes, replicas }: SizedIndex): OrUnknown<number> {
  return isUnknown(primaryBytes) ? primaryBytes : primaryBytes * (1 + replicas)
}

function writtenTo({ indices }: Writes, sized: readonly SizedIndex[]): SizedIndex[] {
  const names = new Set(indices.map(({ index }) => index))
  return sized.filter(({ index }) => names.has(index))
}

/** `data`, `data_hot` …; a node without any role coordinates alone. */
function holdsData({ roles }: NodeFacts): boolean {
  return roles.some((role) => role.startsWith('data'))
}

async function diskFree(
  target: Cluster | undefined,
  signal?: AbortSignal,
): Promise<OrUnknown<number>> {
  if (target === undefined) return { unknown: 'no target was asked (--target-url)' }
  const { nodes } = await readNodes(target, signal)
  if (isUnknown(nodes)) return nodes
  return sumOf(nodes.filter(holdsData).map(({ diskFreeBytes }) => diskFreeBytes))
}
