import { setTimeout as wait } from 'node:timers/promises'
import { sourceIndexOf, typeMark } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { applyDecided, isRefusal, objectApplier } from './apply-object.ts'
import { applyPipeline } from './apply-pipelines.ts'
import {
  readExistingIndex,
  readExistingTemplates,
  templateDifference,
  type ExistingIndex,
} from './existing.ts'
import { applyStreams } from './data-stream-apply.ts'
import { forbidAutoCreate } from './fence.ts'
import { objectOf, textOf } from './json-objects.ts'
import {
  carriesEverything,
  plannedObjects,
  plannedTemplates,
  templatePaths,
  type MetadataPlan,
  type PlannedIndex,
  type PlannedPipeline,
  type PlannedTemplate,
} from './plan.ts'
import { newRecord, putCarried, withheldTemplateKind } from './records.ts'
import { withoutTemplates } from './shield.ts'
import { deepestReason } from './target-check.ts'

/**
 * `refused`: it cannot be made. `failed`: the target did not do it this time. `waiting`: not begun, because of others.
 * The last two are made by a later run.
 */
export type AppliedOutcome =
  'created' | 'unchanged' | 'adopted' | 'different' | 'refused' | 'failed' | 'waiting'

export interface AppliedObject {
  readonly kind: (PlannedPipeline | PlannedTemplate | PlannedIndex)['kind']
  readonly name: string
  /** Of an index that has another name on the target. */
  readonly renamedTo?: string
  readonly outcome: AppliedOutcome
  readonly reason?: string
}

export interface MetadataResult {
  readonly objects: readonly AppliedObject[]
  /** False where something was refused or failed, waits, is different, or was lost on the way: exit code 3. */
  readonly complete: boolean
  /** What keeps late deletes from making indices: the cluster setting, or a template where that cannot be set. */
  readonly fencedBy: 'setting' | 'template'
  /** Why something of this run is on the target still: it goes with the next run, or with `close`. */
  readonly leftOver?: string
}

export interface ApplyInput {
  readonly target: Cluster
  readonly state: StateStore
  /** Make indices even where a template was refused; without it they wait until all templates are there. */
  readonly keepGoing?: boolean
  readonly signal?: AbortSignal
  /** Called after each object. */
  readonly onApplied?: (applied: AppliedObject, done: number, total: number) => void
}

/**
 * Makes on the target what the plan says. Each step can be repeated: killed at any point, evaluating and applying again
 * goes on where it ended. An index gets its record in the state before it is made (an intent), and its fence alias in
 * the same step as itself.
 *
 * Errors: MA_CLUSTER_* for what is not about one object; what the target refuses of one object is in the result.
 */
export async function applyMetadata(
  plan: MetadataPlan,
  input: ApplyInput,
): Promise<MetadataResult> {
  const { target, state, signal } = input
  const fencedBy = await forbidAutoCreate(target, state)
  const objects: AppliedObject[] = []
  const apply = objectApplier()
  const total = plannedObjects(plan).length
  const note = (applied: AppliedObject): void => {
    objects.push(applied)
    input.onApplied?.(applied, objects.length, total)
  }
  for (const pipeline of plan.pipelines) {
    signal?.throwIfAborted()
    note(await apply(pipeline, () => applyPipeline(pipeline, input)))
  }
  for (const template of plannedTemplates(plan)) {
    signal?.throwIfAborted()
    note(await apply(template, () => applyTemplate(template, input)))
  }
  const failed = objects.filter(
    ({ kind, outcome }) =>
      kind.endsWith('-template') && ['refused', 'failed', 'waiting'].includes(outcome),
  )
  if (failed.length > 0 && input.keepGoing !== true) {
    const names = failed.map(({ name }) => name).join(', ')
    const reason = `not begun, since templates were refused or have failed: ${names}. Exclude or correct them, or go on with --keep-going`
    for (const index of plan.indices) note({ ...named(index), outcome: 'waiting', reason })
    return { objects, complete: false, fencedBy }
  }
  const plain = plan.indices.filter(({ stream }) => stream === undefined)
  const toCreate = plain.filter(({ action }) => action === 'create')
  const leftOver = await shielded(input, toCreate, async () => {
    for (const index of plain) {
      signal?.throwIfAborted()
      note(await apply(named(index), () => applyIndex(index, input)))
    }
  })
  await applyStreams(plan.indices, input, { note, apply })
  const done = leftOver === undefined && !objects.some(({ outcome }) => isNotAsWanted(outcome))
  const complete = done && carriesEverything(plan)
  return { objects, complete, fencedBy, ...(leftOver !== undefined && { leftOver }) }
}

/** Runs `work` without templates of the target; why the shield against them could not be taken off, if so. */
async function shielded(
  { target, state }: ApplyInput,
  toCreate: readonly PlannedIndex[],
  work: () => Promise<void>,
): Promise<string | undefined> {
  const names = toCreate.map(({ targetIndex }) => targetIndex)
  let isDone = false
  try {
    await withoutTemplates(target, state, names, async () => {
      await work()
      isDone = true
    })
    return undefined
  } catch (error) {
    if (!isDone || !isRefusal(error)) throw error
    return error.message
  }
}

/** Whether the object is not on the target, or is another one there. */
export function isNotAsWanted(outcome: AppliedOutcome): boolean {
  return !['created', 'unchanged', 'adopted'].includes(outcome)
}

async function applyTemplate(
  template: PlannedTemplate,
  { target, state, signal }: ApplyInput,
): Promise<AppliedObject> {
  const { kind, name, action, withheld } = template
  const settled = settledOutcome(template)
  if (action !== 'exists-equal' && settled) return { kind, name, ...settled }
  if (Object.keys(withheld).length > 0) {
    const value = { template: kind, name, settings: { ...withheld } }
    await state.commit([{ op: 'put', kind: withheldTemplateKind, key: `${kind}/${name}`, value }])
  }
  if (settled) return { kind, name, ...settled }
  await putCarried(state, template)
  // `create` makes the target refuse what has come to be there since the plan was made.
  const answer = await target.request(
    'PUT',
    `/${templatePaths[kind]}/${encodeURIComponent(name)}`,
    {
      query: { create: true },
      body: template.body,
      accept: [400],
      repeatable: true,
      ...(signal && { signal }),
    },
  )
  if (answer.status === 400 && !(await isThere(template, target))) {
    return { kind, name, outcome: 'refused', reason: refusal(name, answer.body) }
  }
  return { kind, name, outcome: 'created' }
}

/** Whether the target has it as wanted: a request sent again after a lost answer is refused, since it was carried out. */
async function isThere({ kind, name, body }: PlannedTemplate, target: Cluster): Promise<boolean> {
  const existing = (await readExistingTemplates(target))[kind][name]
  return existing !== undefined && templateDifference(body, existing).length === 0
}

/** The outcome of an object that needs nothing done; undefined where there is something to do. */
function settledOutcome(
  planned: PlannedTemplate | PlannedIndex,
): Pick<AppliedObject, 'outcome' | 'reason'> | undefined {
  const reason = planned.reason === undefined ? {} : { reason: planned.reason }
  switch (planned.action) {
    case 'create':
    case 'adopt':
      return undefined
    case 'exists-equal':
      return { outcome: 'unchanged' }
    case 'exists-different':
      return { outcome: 'different', ...reason }
    case 'refused':
      return { outcome: 'refused', ...reason }
  }
}

function applyIndex(planned: PlannedIndex, input: ApplyInput): Promise<AppliedObject> {
  return applyDecided(planned, input, {
    create: () => createIndex(planned, input),
    adopt: async (existing) => {
      await adoptIndex(planned, input, existing)
      return 'adopted'
    },
    keep: async (existing, record) => {
      await putRecord(input.state, planned, existing.uuid, record)
      await ensureFence(planned, input, existing)
    },
  })
}

async function createIndex(planned: PlannedIndex, input: ApplyInput): Promise<AppliedObject> {
  const { name, targetIndex, fenceAlias, body } = planned
  const { target, state, signal } = input
  await putRecord(state, planned, '')
  const answer = await target.request('PUT', `/${encodeURIComponent(targetIndex)}`, {
    body: { ...body, aliases: { ...objectOf(body.aliases), [fenceAlias]: fenceOptions } },
    accept: [400],
    repeatable: true,
    ...(signal && { signal }),
  })
  const made = await readMade(input, targetIndex, answer.body)
  // With the fence alias it is ours, whatever the answer: a request sent again after a lost answer is refused.
  if (answer.status === 400 && !(made && fenceAlias in made.aliases)) {
    await state.commit([{ op: 'delete', kind: targetIndexKind, key: name }])
    return { ...named(planned), outcome: 'refused', reason: refusal(targetIndex, answer.body) }
  }
  if (!made || !(fenceAlias in made.aliases)) {
    throw new MigrationError(
      'MA_TARGET_INDEX',
      `${targetIndex} is not there, or not as it was made, right after the target ${target.url} said that it made it: somebody else deletes or makes indices of that name`,
    )
  }
  await putRecord(state, planned, made.uuid)
  return { ...named(planned), outcome: 'created' }
}

/** A large mapping takes a cluster longer than it holds a request: it says so, and goes on making the index. */
async function readMade(
  { target, signal }: ApplyInput,
  name: string,
  { acknowledged }: JsonObject,
): Promise<ExistingIndex | undefined> {
  for (let waitedMs = 0; ; waitedMs += lookAgainMs) {
    const made = await readExistingIndex(target, name, signal)
    if (made || acknowledged !== false || waitedMs >= madeWithinMs) return made
    await wait(lookAgainMs, undefined, { signal })
  }
}

const lookAgainMs = 1000
const madeWithinMs = 10 * 60_000

/** An index as results name it. */
export function named({ kind, name, targetIndex }: PlannedIndex): Omit<AppliedObject, 'outcome'> {
  return { kind, name, ...(targetIndex !== name && { renamedTo: targetIndex }) }
}

// Hidden, so that no search for `o*` or for all aliases finds the index a second way.
const fenceOptions: JsonObject = { is_hidden: true }

async function adoptIndex(
  planned: PlannedIndex,
  input: ApplyInput,
  existing: ExistingIndex,
): Promise<void> {
  await ensureFence(planned, input, existing)
  await addAliases(planned, input)
  await putRecord(input.state, planned, existing.uuid, undefined, { adopted: true })
}

async function ensureFence(
  { targetIndex, fenceAlias }: PlannedIndex,
  { target, signal }: ApplyInput,
  existing: ExistingIndex,
): Promise<void> {
  if (fenceAlias in existing.aliases) return
  const add = { index: targetIndex, alias: fenceAlias, ...fenceOptions }
  await target.request('POST', '/_aliases', {
    body: { actions: [{ add }] },
    repeatable: true,
    ...(signal && { signal }),
  })
}

async function addAliases(planned: PlannedIndex, { target, signal }: ApplyInput): Promise<void> {
  const actions = Object.entries(objectOf(planned.body.aliases)).map(([alias, options]) => ({
    add: { index: planned.targetIndex, alias, ...objectOf(options) },
  }))
  if (actions.length === 0) return
  await target.request('POST', '/_aliases', {
    body: { actions },
    repeatable: true,
    ...(signal && { signal }),
  })
}

async function putRecord(
  state: StateStore,
  planned: PlannedIndex,
  targetUuid: string,
  before?: TargetIndex,
  more: Pick<TargetIndex, 'adopted'> = {},
): Promise<void> {
  if (before?.targetUuid === targetUuid) return
  // The index was made as its intent says, whatever the options say by now.
  const value = {
    ...(before ? { ...before, targetUuid } : newRecord(planned, targetUuid)),
    ...more,
  }
  await dropOtherParts(state, planned)
  await state.commit([{ op: 'put', kind: targetIndexKind, key: planned.name, value }])
}

/** What the index was divided into before, and is no more: its indices are gone (parts.ts). */
async function dropOtherParts(
  state: StateStore,
  { name, sourceUuid }: PlannedIndex,
): Promise<void> {
  const index = sourceIndexOf(name)
  const whole = await state.get(targetIndexKind, index)
  const stale = name === index ? [] : whole ? [whole] : []
  for await (const part of state.each(targetIndexKind, { prefix: `${index}${typeMark}` })) {
    if (name === index || part.value.sourceUuid !== sourceUuid) stale.push(part)
  }
  const drop = stale.map(({ key }) => ({ op: 'delete', kind: targetIndexKind, key }) as const)
  await state.commit(drop)
}

export function refusal(name: string, body: JsonObject): string {
  const error = isJsonObject(body.error) ? body.error : { reason: textOf(body.error) }
  return `the target does not take ${name}: ${deepestReason(error)}`
}
