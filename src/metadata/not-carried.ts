import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { matcher } from '../base/select.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { NotCarried } from './plan.ts'

interface KnownPart {
  readonly kind: string
  readonly names: (part: Json) => string[]
  readonly reason: string
}

const inPart =
  (key: string) =>
  (part: Json): string[] => {
    const inner = isJsonObject(part) ? (part[key] ?? null) : null
    return isJsonObject(inner) ? Object.keys(inner) : []
  }
const keys = (part: Json): string[] => (isJsonObject(part) ? Object.keys(part) : [])
/** Jobs that users made and that engines keep as tasks: `tasks: [{ id, task: { TYPE: {...} } }]`. */
const jobs = (part: Json): string[] => {
  const tasks = isJsonObject(part) && Array.isArray(part.tasks) ? part.tasks : []
  return tasks.filter(isJsonObject).flatMap(({ id, task }) => {
    const type = Object.keys(objectOf(task)).find(isJobOfUser)
    return type === undefined ? [] : [`${textOf(id)} (${type})`]
  })
}
const isJobOfUser = matcher([
  ...['xpack/rollup/job', 'xpack/ml/job', 'xpack/ml/datafeed', 'xpack/ml/data_frame/analytics'],
  'data_frame/transforms',
])

/** Elasticsearch 6 keeps them in `ml: { jobs: […], datafeeds: […] }`, later ones in an index; beside them stand switches. */
function learningJobs(part: Json): string[] {
  const { jobs = [], datafeeds = [] } = objectOf(part)
  return [jobs, datafeeds].flatMap((list) =>
    (Array.isArray(list) ? list : [])
      .filter(isJsonObject)
      .map((one) => textOf(one.datafeed_id ?? one.job_id)),
  )
}

const byHand = 'not carried over: make it on the target by hand where it is still wanted'

/** Parts of a snapshot's global metadata that hold what users made, and how to name what is in them. */
const knownParts: { readonly [part: string]: KnownPart } = {
  settings: { kind: 'cluster setting', names: keys, reason: byHand },
  index_lifecycle: {
    kind: 'lifecycle policy',
    names: (part) => inPart('policies')(part).filter((name) => !isManagedPolicy(part, name)),
    reason: 'OpenSearch has Index State Management in its place: write the policy anew there',
  },
  snapshot_lifecycle: {
    kind: 'snapshot lifecycle policy',
    names: inPart('policies'),
    reason: byHand,
  },
  enrich: {
    kind: 'enrich policy',
    names: inPart('policies'),
    reason: 'OpenSearch has no enrich policies',
  },
  ml: {
    kind: 'machine learning job',
    names: learningJobs,
    reason: 'OpenSearch has ML Commons in its place',
  },
  ccr_auto_follow: {
    kind: 'auto-follow pattern',
    names: inPart('patterns'),
    reason: 'OpenSearch has Cross-Cluster Replication in its place',
  },
  persistent_tasks: { kind: 'job', names: jobs, reason: byHand },
}

/** Parts that are carried over elsewhere, or that only mean something to the cluster that wrote them. */
const ownParts = matcher([
  'version',
  // Of the cluster, as Elasticsearch 1 calls it.
  'uuid',
  'cluster_uuid*',
  'cluster_coordination',
  'coordination_metadata',
  'templates',
  'index_template',
  'component_template',
  'data_stream',
  'ingest',
  'search_pipeline',
  'stored_scripts',
  'index-graveyard',
  'indices',
  'repositories',
  'licenses',
  'node_shutdown',
  'desired_nodes',
  'health',
  'reserved_state',
  'hashes_of_consistent_settings',
])

/** Everything in the global metadata that stays behind, by name and kind. */
export function listNotCarried(global: GlobalMetadata): NotCarried[] {
  const found: NotCarried[] = []
  for (const [part, value] of Object.entries(rootOf(global.raw))) {
    if (ownParts(part)) continue
    const known = knownParts[part]
    if (known) {
      for (const name of known.names(value)) {
        found.push({ kind: known.kind, name, reason: known.reason })
      }
    } else if (!isEmpty(value)) {
      found.push({
        kind: `metadata "${part}"`,
        name: keys(value).join(', ') || part,
        reason: byHand,
      })
    }
  }
  return found
}

// The file's one root key is `meta-data`, with `metadata` in newer engines.
function rootOf(raw: JsonObject): JsonObject {
  const inner = raw['meta-data'] ?? raw.metadata
  return isJsonObject(inner) ? inner : raw
}

/** A switch that is off says nothing either: whoever has stopped a plugin once has it in the state for good. */
function isEmpty(value: Json): boolean {
  if (value === null || value === false) return true
  if (isJsonObject(value)) return Object.values(value).every(isEmpty)
  return Array.isArray(value) && value.length === 0
}

/** True for `_meta` of what the engine itself put there, and puts there again when it is missing. */
export function isManaged(meta: Json | undefined): boolean {
  return objectOf(meta).managed === true
}

/** Of engines before 7.13, and of Kibana, which do not say of theirs that they are. */
const policiesOfEngines = new Set([
  ...['ilm-history-ilm-policy', 'slm-history-ilm-policy', 'watch-history-ilm-policy'],
  ...['ml-size-based-ilm-policy', 'kibana-event-log-policy'],
])

function isManagedPolicy(part: Json, name: string): boolean {
  if (policiesOfEngines.has(name)) return true
  const policy = objectOf(objectOf(objectOf(part).policies)[name]).policy
  return isManaged(objectOf(policy)._meta)
}
