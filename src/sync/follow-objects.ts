import { createHash } from 'node:crypto'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { applyMetadata, isNotAsWanted, refusal, type AppliedObject } from '../metadata/apply.ts'
import { readExistingTemplates, templateDifference } from '../metadata/existing.ts'
import { differingPaths } from '../metadata/json-difference.ts'
import {
  translatePipelines,
  translateScripts,
  translateSearchPipelines,
} from '../metadata/pipelines.ts'
import { pipelinePath, readExistingPipeline } from '../metadata/plan-pipelines.ts'
import {
  plannedTemplates,
  templatePaths,
  type MetadataPlan,
  type PlannedPipeline,
  type PlannedTemplate,
} from '../metadata/plan.ts'
import { putCarried, withheldTemplateKind } from '../metadata/records.ts'
import type { GlobalMetadata } from '../snapshot/snapshot.ts'
import { carriedObjectKind, type CarriedObject } from '../state/records.ts'
import { planObjects, type Translation } from './plan-names.ts'

type Planned = PlannedPipeline | PlannedTemplate

/** Hash of all that templates, pipelines and scripts are made from. */
export function hashOfGlobal(global: GlobalMetadata): string {
  return createHash('sha256').update(JSON.stringify(global)).digest('base64')
}

/**
 * Brings templates, pipelines and scripts of the target in step with the source. Only what is there as this migration has
 * sent it is replaced or deleted: what others have made or changed is left as it is, and named. Gives what is not as
 * wanted, with the reason, by `kind name`.
 */
export async function followObjects(
  translation: Translation,
  global: GlobalMetadata,
): Promise<Map<string, string>> {
  const { target, state, signal } = translation
  const plan = await planObjects(translation, global)
  const differs = new Map<string, string>()
  const note = ({ kind, name, outcome, reason }: AppliedObject): void => {
    if (isNotAsWanted(outcome)) differs.set(`${kind} ${name}`, reason ?? outcome)
  }
  const own = await ownAmong(translation, plan)
  const { objects } = await applyMetadata(
    { ...plan, indices: [] },
    { target, state, keepGoing: true, ...(signal && { signal }) },
  )
  for (const object of objects) {
    const mine = own.get(`${object.kind} ${object.name}`)
    note(mine === undefined ? object : await replace(translation, mine))
  }
  for (const [key, reason] of await removeGone(translation, plan, global)) differs.set(key, reason)
  return differs
}

/** Those that are on the target with other contents than planned, and as this migration has sent them. */
async function ownAmong(
  { target, state, signal }: Translation,
  plan: MetadataPlan,
): Promise<Map<string, Planned>> {
  const own = new Map<string, Planned>()
  const all: Planned[] = [...plan.pipelines, ...plannedTemplates(plan)]
  for (const planned of all) {
    if (!planned.action.startsWith('exists-')) continue
    const carried = await state.get(carriedObjectKind, `${planned.kind}/${planned.name}`)
    if (carried === undefined) continue
    // A run that was killed has replaced it, and did not come to note that.
    if (planned.action === 'exists-equal') await putCarried(state, planned)
    else if (await isAsSent(target, carried.value, signal)) {
      own.set(`${planned.kind} ${planned.name}`, planned)
    }
  }
  return own
}

async function isAsSent(
  target: Cluster,
  { kind, name, body }: CarriedObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (isTemplate(kind)) {
    const found = (await readExistingTemplates(target, signal))[kind][name]
    return found !== undefined && templateDifference(body, found).length === 0
  }
  const pipeline = { kind: kind as PlannedPipeline['kind'], name }
  const found = await readExistingPipeline(target, pipeline, signal)
  return found !== undefined && differingPaths(body, found).length === 0
}

function isTemplate(kind: string): kind is PlannedTemplate['kind'] {
  return kind in templatePaths
}

function pathOf(kind: string, name: string): string {
  if (isTemplate(kind)) return `/${templatePaths[kind]}/${encodeURIComponent(name)}`
  return pipelinePath({ kind: kind as PlannedPipeline['kind'], name })
}

async function replace(
  { target, state, signal }: Translation,
  planned: Planned,
): Promise<AppliedObject> {
  const { kind, name, body } = planned
  if ('withheld' in planned) {
    const key = `${planned.kind}/${name}`
    const value = { template: planned.kind, name, settings: { ...planned.withheld } }
    await state.commit([{ op: 'put', kind: withheldTemplateKind, key, value }])
  }
  const answer = await target.request('PUT', pathOf(kind, name), {
    body,
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  if (answer.status !== 200) {
    return { kind, name, outcome: 'refused', reason: refusal(name, answer.body) }
  }
  // Afterwards: until then what is there is as it was sent before.
  await putCarried(state, planned)
  return { kind, name, outcome: 'created' }
}

/** What was put on the target and is not on the source any more: index templates before what they are composed of. */
async function removeGone(
  { target, state, options, signal }: Translation,
  plan: MetadataPlan,
  global: GlobalMetadata,
): Promise<Map<string, string>> {
  const there = new Set([
    ...namesOf(global),
    // Such as a template of osmigrate's own for the rollovers of a data stream that became an alias.
    ...[...plan.pipelines, ...plannedTemplates(plan)].map(({ kind, name }) => `${kind} ${name}`),
  ])
  const gone: CarriedObject[] = []
  for await (const { value } of state.each(carriedObjectKind)) {
    const isFollowed = isTemplate(value.kind) ? options.templates : options.pipelines
    if (isFollowed && !there.has(`${value.kind} ${value.name}`)) gone.push(value)
  }
  gone.sort((a, b) => removalOrder.indexOf(a.kind) - removalOrder.indexOf(b.kind))
  const left = new Map<string, string>()
  for (const one of gone) {
    const { kind, name } = one
    let why: string | undefined
    if (await isAsSent(target, one, signal)) why = await remove(target, one, signal)
    if (why !== undefined) left.set(`${kind} ${name}`, why)
    else await state.commit([{ op: 'delete', kind: carriedObjectKind, key: `${kind}/${name}` }])
  }
  return left
}

const removalOrder = [
  ...['index-template', 'legacy-template', 'component-template'],
  ...['search-pipeline', 'ingest-pipeline', 'stored-script'],
]

async function remove(
  target: Cluster,
  { kind, name }: CarriedObject,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const answer = await target.request('DELETE', pathOf(kind, name), {
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  if (answer.status !== 400) return undefined
  return `it is gone on the source, and cannot be deleted: ${refusal(name, answer.body)}`
}

function namesOf(global: GlobalMetadata): string[] {
  const { indexTemplates, legacyTemplates, componentTemplates } = global
  const of = (kind: string, objects: JsonObject | GlobalMetadata['indexTemplates']): string[] =>
    Object.keys(objects).map((name) => `${kind} ${name}`)
  const pipelines = [
    ...translateScripts(global),
    ...translatePipelines(global),
    ...translateSearchPipelines(global),
  ]
  return [
    ...of('index-template', indexTemplates),
    ...of('legacy-template', legacyTemplates),
    ...of('component-template', componentTemplates),
    ...pipelines.map(({ kind, name }) => `${kind} ${name}`),
  ]
}
