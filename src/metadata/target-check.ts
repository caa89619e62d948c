import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { textOf, without } from './json-objects.ts'
import { highestPriority } from './own-template.ts'
import type { PlannedChange } from './plan.ts'
import type { FlatSettings } from './settings.ts'

export interface IndexContent {
  readonly settings: FlatSettings
  readonly mappings: JsonObject
  readonly aliases: JsonObject
}

export interface TargetCheck {
  /** The content without the settings that the target does not know. */
  readonly settings: FlatSettings
  readonly changes: readonly PlannedChange[]
  /** Why the target would not take it, in its own words. */
  readonly refused?: string
}

/** Of the index template in whose place the content is simulated. */
export interface TemplateHead {
  readonly name: string
  readonly patterns: readonly string[]
  readonly priority: number
}

export interface CheckOptions {
  readonly as?: TemplateHead
  readonly signal?: AbortSignal
}

/**
 * Asks the target whether it would take settings, mapping and aliases, by simulating an index template that holds them:
 * the engine validates it as it would an index, and keeps nothing. With `as` it is that very template, so that another
 * one of its priority for the same indices shows. Settings that the target does not know are dropped, named, and it is
 * asked again. Where there is no target to ask, nothing is refused; where the target cannot simulate, the plan says so.
 */
export async function checkOnTarget(
  target: Cluster | undefined,
  content: IndexContent,
  options: CheckOptions = {},
): Promise<TargetCheck> {
  const settings = { ...content.settings }
  if (target === undefined) return { settings, changes: [] }
  const changes: PlannedChange[] = []
  // Each turn drops at least one setting, so it ends.
  for (;;) {
    const error = await simulate(target, { ...content, settings }, options)
    if (error === undefined) return { settings, changes }
    if (error === 'no simulation') return { settings, changes: [...changes, notSimulated] }
    const unknown = unknownSettings(error).filter((name) => name in settings)
    if (unknown.length === 0) return { settings, changes, refused: deepestReason(error) }
    for (const name of unknown) {
      changes.push({
        path: `settings.${name}`,
        what: 'dropped',
        from: settings[name] ?? null,
        reason: `the target does not know this setting (OpenSearch ${target.version.text})`,
        loss: true,
      })
      delete settings[name]
    }
  }
}

const notSimulated: PlannedChange = {
  path: 'simulation',
  what: 'noted',
  reason:
    'the target has no simulation of templates (_index_template/_simulate): what it refuses shows when it is made',
  loss: false,
}

async function simulate(
  target: Cluster,
  content: IndexContent,
  { as, signal }: CheckOptions,
): Promise<JsonObject | 'no simulation' | undefined> {
  const path = as === undefined ? '' : `/${encodeURIComponent(as.name)}`
  // The index that is simulated has one shard, whatever the template says, and so no room for a partition.
  const settings = without(content.settings, ['index.routing_partition_size'])
  const answer = await target.request('POST', `/_index_template/_simulate${path}`, {
    body: {
      index_patterns: [...(as?.patterns ?? ['osmigrate-simulated-*'])],
      priority: as?.priority ?? highestPriority,
      template: { ...content, settings },
    },
    accept: [400, 404, 405],
    repeatable: true,
    ...(signal && { signal }),
  })
  if (answer.status === 404 || answer.status === 405) return 'no simulation'
  if (answer.status !== 400) return undefined
  return isJsonObject(answer.body.error) ? answer.body.error : { reason: textOf(answer.body.error) }
}

/** Names in `unknown setting [x]`, wherever in the error they stand: each beyond the first is under `suppressed`. */
function unknownSettings(error: JsonObject): string[] {
  const names = reasonsOf(error).flatMap((reason) =>
    [...reason.matchAll(/unknown setting \[([^\]]+)\]/g)].map((match) => match[1]!),
  )
  return [...new Set(names)]
}

/** What is wrong, without the wrapping: the innermost reasons, each once. */
export function deepestReason(error: JsonObject): string {
  const inner = [error.caused_by, ...(Array.isArray(error.suppressed) ? error.suppressed : [])]
    .filter(isJsonObject)
    .map(deepestReason)
  if (inner.length > 0 && inner.some((reason) => reason !== '')) {
    return [...new Set(inner.filter((reason) => reason !== ''))].join('; ')
  }
  return typeof error.reason === 'string' ? error.reason : ''
}

function reasonsOf(error: Json | undefined): string[] {
  if (Array.isArray(error)) return error.flatMap(reasonsOf)
  if (!isJsonObject(error)) return []
  return [
    ...(typeof error.reason === 'string' ? [error.reason] : []),
    ...reasonsOf(error.caused_by),
    ...reasonsOf(error.suppressed),
  ]
}
