import type { Cluster, EngineVersion, Flavour } from '../cluster/cluster.ts'
import { parseVersion } from '../cluster/version.ts'
import { versionOf } from '../snapshot/snapshot-info.ts'
import { clusterOf, type PlanTarget } from './evaluate-input.ts'
import type { MetadataOptions } from './options.ts'
import { hasSearchPipelines } from './pipeline-abilities.ts'
import type { PlannedPipeline } from './plan.ts'
import { balancedReplicas } from './rules/copies-rules.ts'
import type { RuleContext } from './rules/rule.ts'

/** What the rules need to know besides the content. */
export interface RuleFacts extends Omit<RuleContext, 'settings'> {
  /** Replicas that a template which says none must say for the target to take it; absent where it takes it as it is. */
  readonly replicasUnsaid?: string
}

/** What is known of the source by the time that its metadata is read. */
export interface SourceFacts {
  /** As the snapshot or the cluster says it; undefined where it does not. */
  readonly engineVersion: string | undefined
  /** A live cluster says it; a snapshot does not. */
  readonly flavour?: Flavour
  /** `index.version.created` of its indices: only these tell OpenSearch 1 to 3 from Elasticsearch 1 to 3. */
  readonly createdVersions: readonly number[]
}

export interface FactsInput {
  readonly target: PlanTarget
  readonly options: MetadataOptions
  readonly pipelines: readonly PlannedPipeline[]
  readonly signal?: AbortSignal | undefined
}

/** Reads what is needed from the target, where there is one: at most two requests. */
export async function readRuleFacts(
  source: SourceFacts,
  { target, options, pipelines, signal }: FactsInput,
): Promise<RuleFacts> {
  const version = sourceVersionOf(source)
  const cluster = clusterOf(target)
  const copies = cluster === undefined ? anyCopies : await readCopies(cluster, signal)
  const replicasUnsaid = balancedReplicas(copies.replicas, copies.multipleOf)
  return {
    source: version,
    created: version,
    target: target.version,
    choices: {
      stringKeyword: options.stringKeyword,
      flattened: options.flattened,
      types: options.types,
      typeField: options.typeField,
    },
    awarenessCopies: copies.multipleOf,
    ...(replicasUnsaid !== copies.replicas && { replicasUnsaid }),
    searchPipelines: new Set([
      ...pipelines.filter(isSearchPipelineThere).map(({ name }) => name),
      ...(await readSearchPipelines(target, signal)),
    ]),
  }
}

/** The facts of one index: which version made it decides about defaults. */
export function factsOfIndex(facts: RuleFacts, createdVersion: number): RuleFacts {
  return { ...facts, created: versionOfIndex(createdVersion) }
}

/** The engine of the source. Elasticsearch 3 and 4 never were, and 1 and 2 made no index of version 5 or later. */
export function sourceVersionOf({
  engineVersion,
  flavour: told,
  createdVersions,
}: SourceFacts): EngineVersion {
  const created = createdVersions.map(versionOfIndex)
  const newest = created.sort((a, b) => b.major - a.major || b.minor - a.minor)[0]
  const stated = parseVersion('elasticsearch', engineVersion)
  if (stated === undefined) return newest ?? oldest
  if (told !== undefined) return { ...stated, flavour: told }
  const isOpenSearch =
    created.some(({ flavour }) => flavour === 'opensearch') ||
    (stated.major <= 3 && created.some(({ major }) => major > stated.major))
  const flavour: Flavour = isOpenSearch || stated.major === 3 ? 'opensearch' : 'elasticsearch'
  return { ...stated, flavour }
}

const oldest: EngineVersion = {
  flavour: 'elasticsearch',
  major: 1,
  minor: 0,
  patch: 0,
  text: '1.0.0',
}

function versionOfIndex(id: number): EngineVersion {
  const { engine, version } = versionOf(id)
  return parseVersion(engine, version) ?? oldest
}

interface Copies {
  /** Copies of each shard must be a multiple of it. */
  readonly multipleOf: number
  /** What an index gets that says nothing. */
  readonly replicas: string
}

const anyCopies: Copies = { multipleOf: 1, replicas: '1' }

/**
 * By how many copies of each shard the target goes: with `cluster.routing.allocation.awareness.balance` it takes only
 * multiples of the number of values that an awareness attribute is forced to have, wherever that is set (a node's own
 * settings are among the defaults). Any where it does not, or may not say.
 */
async function readCopies(target: Cluster, signal?: AbortSignal): Promise<Copies> {
  const answer = await target.request<{ [part: string]: { [name: string]: unknown } }>(
    'GET',
    '/_cluster/settings',
    {
      query: { flat_settings: true, include_defaults: true, filter_path: '*.cluster*' },
      accept: [403],
      ...(signal && { signal }),
    },
  )
  const {
    defaults = {},
    persistent = {},
    transient = {},
  } = answer.status === 403 ? {} : answer.body
  const settings: { [name: string]: unknown } = { ...defaults, ...persistent, ...transient }
  if (String(settings[`${awareness}.balance`]) !== 'true') return anyCopies
  const counts = textsIn(settings[`${awareness}.attributes`]).map(
    (attribute) => textsIn(settings[`${awareness}.force.${attribute}.values`]).length,
  )
  const [replicas = anyCopies.replicas] = textsIn(settings['cluster.default_number_of_replicas'])
  return { multipleOf: Math.max(1, ...counts), replicas }
}

function isSearchPipelineThere({ kind, action }: PlannedPipeline): boolean {
  return kind === 'search-pipeline' && action !== 'refused'
}

/** Names of those that the target has; none where it may not say. */
async function readSearchPipelines(target: PlanTarget, signal?: AbortSignal): Promise<string[]> {
  const cluster = clusterOf(target)
  if (cluster === undefined || !hasSearchPipelines(target.version)) return []
  const answer = await cluster.request('GET', '/_search/pipeline', {
    accept: [403, 404],
    ...(signal && { signal }),
  })
  return answer.status === 200 ? Object.keys(answer.body) : []
}

const awareness = 'cluster.routing.allocation.awareness'

/** A list of settings, which may be one text with commas. */
function textsIn(value: unknown): string[] {
  const list = Array.isArray(value)
    ? value.map(String)
    : typeof value === 'string'
      ? value.split(',')
      : []
  return list.map((item) => item.trim()).filter((item) => item !== '')
}
