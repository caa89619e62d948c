import { eachAtOnce } from '../base/each-at-once.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { defaultExclude, matcher } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { clusterOf, type EvaluateInput } from './evaluate-input.ts'
import { differences, differenceText } from './json-difference.ts'
import { objectOf, textOf } from './json-objects.ts'
import { isManaged } from './not-carried.ts'
import { readAbilities, whatIsLacking } from './pipeline-abilities.ts'
import {
  pipelinesCalled,
  translatePipelines,
  translateScripts,
  translateSearchPipelines,
  type TranslatedPipeline,
} from './pipelines.ts'
import { withEdit, type PlanEdits } from './plan-file.ts'
import type { NotCarried, PlannedChange, PlannedPipeline } from './plan.ts'
import { deepestReason } from './target-check.ts'

/** Scripts first: pipelines name them. */
export async function planPipelines(
  input: EvaluateInput,
  global: GlobalMetadata,
  edits?: PlanEdits,
): Promise<PlannedPipeline[]> {
  if (!input.options.pipelines) return []
  const { signal } = input
  const target = clusterOf(input.target)
  const selected = selectedPipelines(input, global)
  const abilities = await readAbilities(input.target, signal)
  const namesOf = (kind: PlannedPipeline['kind']): ReadonlySet<string> =>
    new Set(selected.filter((one) => one.kind === kind).map(({ name }) => name))
  const scripts = namesOf('stored-script')
  const pipelines = namesOf('ingest-pipeline')
  const plan = async (one: TranslatedPipeline): Promise<PlannedPipeline> => {
    signal?.throwIfAborted()
    const planned = { ...one, changes: [...one.changes] }
    const lacking = whatIsLacking(one, abilities)
    const existing = target && (await readExistingPipeline(target, one, signal))
    if (existing !== undefined) return { ...planned, ...decideExisting(one, existing) }
    const reason =
      lacking ??
      (target && one.kind === 'ingest-pipeline'
        ? await simulate(target, one.body, { scripts, signal })
        : undefined)
    if (reason !== undefined) return { ...planned, action: 'refused', reason }
    if (one.kind === 'ingest-pipeline') {
      planned.changes.push(...(await callsOfMissing(one, pipelines, target, signal)))
    }
    return { ...planned, action: 'create' }
  }
  return eachAtOnce(selected, 8, (one) =>
    withEdit(edits, (edited) => plan(edited ? { ...one, body: edited } : one)),
  )
}

/** All that are selected, where the options say that none is to be carried over. */
export function pipelinesLeft(input: EvaluateInput, global: GlobalMetadata): NotCarried[] {
  if (input.options.pipelines) return []
  return selectedPipelines(input, global).map(({ kind, name }) => ({
    kind: kind.replace('-', ' '),
    name,
    reason: 'metadata.pipelines is off',
  }))
}

/** Names that exclude names, and what engines make for themselves, stay behind, as templates do. By kind and name. */
function selectedPipelines(
  { select }: EvaluateInput,
  global: GlobalMetadata,
): TranslatedPipeline[] {
  const excluded = matcher(select.exclude ?? defaultExclude)
  const ofEngine = matcher(['xpack_monitoring_*'])
  const managed = (one: TranslatedPipeline): boolean =>
    one.changes.some(({ path, from }) => path === '_meta' && isManaged(from))
  const all = [
    ...translateScripts(global).sort(byName),
    ...translatePipelines(global).sort(byName),
    ...translateSearchPipelines(global).sort(byName),
  ]
  return all.filter((one) => !excluded(one.name) && !ofEngine(one.name) && !managed(one))
}

/** An engine lists them in the order of its hashes. */
function byName(a: TranslatedPipeline, b: TranslatedPipeline): number {
  return a.name < b.name ? -1 : 1
}

const paths = {
  'stored-script': '_scripts',
  'ingest-pipeline': '_ingest/pipeline',
  'search-pipeline': '_search/pipeline',
} as const

/** Where it lives in the API of the target. */
export function pipelinePath({ kind, name }: Pick<TranslatedPipeline, 'kind' | 'name'>): string {
  return `/${paths[kind]}/${encodeURIComponent(name)}`
}

/** As the target has it, in the form that is sent; undefined when there is none of that name. */
export async function readExistingPipeline(
  target: Cluster,
  one: Pick<TranslatedPipeline, 'kind' | 'name'>,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  // Where it asks for pipelines, the API takes a comma and `*` in a name for lists and patterns.
  const isPattern = one.kind !== 'stored-script' && /[*,]/.test(one.name)
  const path = isPattern ? `/${paths[one.kind]}` : pipelinePath(one)
  const answer = await target.request('GET', path, {
    accept: [404],
    ...(signal && { signal }),
  })
  if (answer.status === 404) return undefined
  if (one.kind === 'stored-script') return { script: objectOf(answer.body.script) }
  const found = answer.body[one.name]
  return isJsonObject(found) ? found : undefined
}

export function decideExisting(
  { kind, name, body }: Pick<TranslatedPipeline, 'kind' | 'name' | 'body'>,
  existing: JsonObject,
): Pick<PlannedPipeline, 'action' | 'reason'> {
  const list = differences(body, existing)
  if (list.length === 0) return { action: 'exists-equal' }
  return {
    action: 'exists-different',
    reason: `${kind.replace('-', ' ')} ${name} is on the target with other contents: ${differenceText(list)}; it is left as it is`,
  }
}

/**
 * Has the target build the pipeline for an empty document, which keeps nothing: why it would not take it. Of a pipeline
 * with a stored script that is still to be made nothing can be told.
 */
async function simulate(
  target: Cluster,
  pipeline: JsonObject,
  { scripts, signal }: { scripts: ReadonlySet<string>; signal: AbortSignal | undefined },
): Promise<string | undefined> {
  // The target builds the pipeline before it looks for documents; of one that it ran it would tell what became of that.
  const answer = await target.request('POST', '/_ingest/pipeline/_simulate', {
    body: { pipeline, docs: [] },
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  if (answer.status === 200) return undefined
  const { error } = answer.body
  const why = isJsonObject(error) ? deepestReason(error) : textOf(error)
  if (why.includes('at least one document in [docs]')) return undefined
  const script = /unable to find script \[(.+)\]/.exec(why)?.[1]
  if (script !== undefined && scripts.has(script)) return undefined
  return `the target does not take it: ${why}`
}

/** A pipeline that hands documents to one that is not there fails at each of them. */
async function callsOfMissing(
  one: TranslatedPipeline,
  planned: ReadonlySet<string>,
  target: Cluster | undefined,
  signal: AbortSignal | undefined,
): Promise<PlannedChange[]> {
  const changes: PlannedChange[] = []
  for (const name of pipelinesCalled(one.body)) {
    if (planned.has(name)) continue
    const called = { kind: 'ingest-pipeline', name } as const
    if (target && (await readExistingPipeline(target, called, signal)) !== undefined) continue
    const reason = `it calls the pipeline ${name}, which is not carried over and not on the target: make it there`
    changes.push({ path: 'processors', what: 'noted', reason, loss: true })
  }
  return changes
}
