import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { restoreSettings, type Restored } from '../state/ledger.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { TemplateKind } from './plan.ts'
import { templatePaths } from './plan.ts'
import { withheldTemplateKind, type WithheldTemplate } from './records.ts'
import { settingAccess } from './setting-access.ts'
import { deepestReason } from './target-check.ts'

export interface CloseInput {
  readonly target: Cluster
  readonly state: StateStore
  /** Needed where something was changed on the source (a registered repository). */
  readonly source?: Cluster
  /** Set what was withheld (pipelines, blocks, policies) on the indices and templates of the target. */
  readonly setWithheld: boolean
  readonly signal?: AbortSignal
}

/** A setting that was withheld from an index or template, and what the target said to it now. */
export interface WithheldSet {
  readonly kind: 'index' | TemplateKind
  readonly name: string
  readonly setting: string
  /** Why it is not set; absent when it is. */
  readonly refused?: string
}

export interface CloseResult {
  /** Fences, aliases and pipelines, that are gone now. */
  readonly fences: readonly string[]
  readonly withheld: readonly WithheldSet[]
  readonly restored: readonly Restored[]
}

/**
 * Ends a migration: the fences go, so that no late writer of it can write any more; what was withheld is set
 * where that is asked for; every setting in the ledger is put back. Nothing of the migration is left on the clusters
 * but the indices and templates themselves. It can be repeated after a kill.
 */
export async function closeMigration(input: CloseInput): Promise<CloseResult> {
  const { target, state, source } = input
  const fences: string[] = []
  const withheld: WithheldSet[] = []
  for await (const { value } of state.each(targetIndexKind)) {
    input.signal?.throwIfAborted()
    if (await removeFence(target, value)) fences.push(value.stream?.pipeline ?? value.fenceAlias)
    if (input.setWithheld) withheld.push(...(await setOnIndex(target, value)))
  }
  if (input.setWithheld) {
    for await (const { value } of state.each(withheldTemplateKind)) {
      withheld.push(...(await setOnTemplate(target, value)))
    }
  }
  const restored = await restoreSettings(
    state,
    settingAccess({ target, ...(source && { source }) }),
  )
  return { fences, withheld, restored }
}

/** False when it was gone already, with or without its index. */
async function removeFence(target: Cluster, index: TargetIndex): Promise<boolean> {
  if (index.stream) {
    const pipeline = `/_ingest/pipeline/${path(index.stream.pipeline)}`
    return (await target.request('DELETE', pipeline, { accept: [404] })).status !== 404
  }
  const answer = await target.request(
    'DELETE',
    `/${path(index.targetIndex)}/_alias/${path(index.fenceAlias)}`,
    {
      accept: [404],
    },
  )
  return answer.status !== 404
}

async function setOnIndex(target: Cluster, index: TargetIndex): Promise<WithheldSet[]> {
  const name = index.targetIndex
  const done: WithheldSet[] = []
  // One by one: a policy of the source that the target does not know must not keep a pipeline off.
  for (const [setting, value] of Object.entries(index.withheld)) {
    const answer = await target.request('PUT', `/${path(name)}/_settings`, {
      body: { [setting]: value },
      accept: [400, 404],
    })
    done.push({ kind: 'index', name, setting, ...refusal(answer) })
  }
  return done
}

async function setOnTemplate(target: Cluster, withheld: WithheldTemplate): Promise<WithheldSet[]> {
  const { template: kind, name } = withheld
  const url = `/${templatePaths[kind]}/${path(name)}`
  const done: WithheldSet[] = []
  for (const [setting, value] of Object.entries(withheld.settings)) {
    const found = await target.request('GET', url, { accept: [404] })
    if (found.status === 404) {
      done.push({ kind, name, setting, refused: 'the template is not there' })
      continue
    }
    const body = withSetting(kind, templateIn(kind, name, found.body), { [setting]: value })
    const answer = await target.request('PUT', url, { body, accept: [400] })
    done.push({ kind, name, setting, ...refusal(answer) })
  }
  return done
}

/** `{ NAME: {...} }` for legacy templates, `{ index_templates: [{ name, index_template: {...} }] }` for the others. */
function templateIn(kind: TemplateKind, name: string, body: JsonObject): JsonObject {
  if (kind === 'legacy-template') return objectOf(body[name])
  const item = kind.replace('-', '_')
  const list = body[`${item}s`]
  return objectOf(objectOf(Array.isArray(list) ? list[0] : undefined)[item])
}

function withSetting(kind: TemplateKind, template: JsonObject, setting: JsonObject): JsonObject {
  if (kind === 'legacy-template') {
    return { ...template, settings: { ...objectOf(template.settings), ...setting } }
  }
  const content = objectOf(template.template)
  return {
    ...template,
    template: { ...content, settings: { ...objectOf(content.settings), ...setting } },
  }
}

function refusal(answer: { status: number; body: JsonObject }): { refused?: string } {
  if (answer.status < 400) return {}
  const { error } = answer.body
  return { refused: isJsonObject(error) ? deepestReason(error) : textOf(error) }
}

function path(name: string): string {
  return encodeURIComponent(name)
}
