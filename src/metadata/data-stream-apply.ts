import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import { isNotAsWanted, named, refusal, type AppliedObject, type ApplyInput } from './apply.ts'
import { applyDecided, type ApplyObject } from './apply-object.ts'
import { readStream } from './data-stream-places.ts'
import { readExistingIndex } from './existing.ts'
import { highestPriority, isPriorityTaken } from './own-template.ts'
import type { PlannedIndex } from './plan.ts'
import { isIntent, newRecord } from './records.ts'
import { removeLeftOver, uniquePart, withTemporary } from './temporary.ts'

/** An index behind a data stream of the target. */
type InStream = PlannedIndex & { readonly stream: NonNullable<PlannedIndex['stream']> }

const makerPrefix = '_index_template/osmigrate-stream'

/**
 * Makes the data streams of the plan on the target, index by index in their order: the first with the stream, each other
 * by rolling it over. An index gets the settings and fields that it has on the source by a template that comes before
 * all others and is there for that moment; those that clients make later get what the stream's own template says.
 */
export async function applyStreams(
  indices: readonly PlannedIndex[],
  input: ApplyInput,
  each: { readonly apply: ApplyObject; readonly note: (applied: AppliedObject) => void },
): Promise<void> {
  const behind = indices.filter((index): index is InStream => index.stream !== undefined)
  await removeLeftOver(input, makerPrefix)
  const template = `${makerPrefix}-${uniquePart()}`
  const work = (): Promise<void> => applyAll(behind, input, { ...each, template })
  if (!behind.some(({ action }) => action === 'create')) return work()
  await withTemporary(input, template, work)
}

async function applyAll(
  indices: readonly InStream[],
  input: ApplyInput,
  { apply, note, template }: Parameters<typeof applyStreams>[2] & { readonly template: string },
): Promise<void> {
  const failed = new Map<string, string>()
  const ordered = indices.toSorted((a, b) => a.stream.position - b.stream.position)
  for (const index of ordered) {
    input.signal?.throwIfAborted()
    const { name: stream } = index.stream
    const before = failed.get(stream)
    const applied =
      before !== undefined && index.action === 'create'
        ? waiting(index, before)
        : await apply(named(index), () => applyInStream(index, input, template))
    if (isNotAsWanted(applied.outcome) && before === undefined) failed.set(stream, index.name)
    note(applied)
  }
}

function waiting(index: InStream, before: string): AppliedObject {
  const reason = `not made, since ${before} before it in the data stream ${index.stream.name} is not there: indices are made in their order. Correct that one, leave it out of a plan file (metadata evaluate --output FILE, migrate --plan FILE), or take metadata.dataStreams: alias`
  return { ...named(index), outcome: 'waiting', reason }
}

function applyInStream(
  planned: InStream,
  input: ApplyInput,
  template: string,
): Promise<AppliedObject> {
  const { targetIndex } = planned
  return applyDecided(planned, input, {
    adoptsIntents: true,
    create: () => make(planned, input, template),
    adopt: async ({ uuid: targetUuid }, record) => {
      await fence(planned, input, { targetIndex, targetUuid })
      return isIntent(record) ? 'created' : 'adopted'
    },
    keep: ({ uuid: targetUuid }, record) =>
      fence(planned, input, { targetIndex, targetUuid }, record),
  })
}

async function make(
  planned: InStream,
  input: ApplyInput,
  ownTemplate: string,
): Promise<AppliedObject> {
  const { target, signal } = input
  const { name: stream, timestampField } = planned.stream
  const { settings = {}, mappings = {} } = planned.body
  await putRecord(input, newRecord(planned, ''))
  const template = await target.request('PUT', `/${ownTemplate}`, {
    body: {
      index_patterns: [stream],
      priority: highestPriority,
      data_stream: { timestamp_field: { name: timestampField } },
      template: { settings, mappings },
    },
    accept: [400],
    ...(signal && { signal }),
  })
  if (template.status === 400) {
    const applied = await refused(planned, input, template.body)
    return isPriorityTaken(applied.reason) ? { ...applied, ...madeElsewhere(stream) } : applied
  }
  const before = await readStream(target, stream, signal)
  const path = `/${encodeURIComponent(stream)}`
  const answer = before
    ? await target.request('POST', `${path}/_rollover`, { accept: [400] })
    : await target.request('PUT', `/_data_stream${path}`, { accept: [400] })
  if (answer.status === 400) return refused(planned, input, answer.body)
  const after = await readStream(target, stream, signal)
  const made = after?.indices.filter((index) => !before?.indices.includes(index)) ?? []
  const targetIndex = made[0]
  const existing = targetIndex && (await readExistingIndex(target, targetIndex, signal))
  if (made.length !== 1 || !targetIndex || !existing) throw changedByOthers(input, stream, made)
  await fence(planned, input, { targetIndex, targetUuid: existing.uuid })
  return { ...named({ ...planned, targetIndex }), outcome: 'created' }
}

function madeElsewhere(stream: string): Pick<AppliedObject, 'outcome' | 'reason'> {
  const reason =
    `not made, since another host makes indices of the data stream ${stream} at this moment: run again when it has ended. ` +
    `If it was killed, its next run, or osmigrate close there, takes off its template ${makerPrefix.slice(1)}…`
  return { outcome: 'waiting', reason }
}

async function refused(
  planned: InStream,
  { state }: ApplyInput,
  answer: JsonObject,
): Promise<AppliedObject & { readonly reason: string }> {
  await state.commit([{ op: 'delete', kind: targetIndexKind, key: planned.name }])
  const reason = refusal(planned.stream.name, answer)
  return { ...named(planned), outcome: 'refused', reason }
}

/** Makes what an alias is elsewhere: the pipeline that all writes name. Then the record says that the index is there. */
async function fence(
  planned: InStream,
  input: ApplyInput,
  made: Pick<TargetIndex, 'targetIndex' | 'targetUuid'>,
  record?: TargetIndex,
): Promise<void> {
  const { target, signal } = input
  const pipeline = `${planned.fenceAlias}-${made.targetUuid}`
  await target.request('PUT', `/_ingest/pipeline/${encodeURIComponent(pipeline)}`, {
    body: {
      description: `osmigrate writes ${made.targetIndex} through it; it does nothing`,
      processors: [],
    },
    ...(signal && { signal }),
  })
  const { timestampField } = planned.stream
  const value = { ...newRecord(planned, ''), ...record, ...made }
  await putRecord(input, { ...value, stream: { pipeline, timestampField } })
}

async function putRecord({ state }: ApplyInput, value: TargetIndex): Promise<void> {
  await state.commit([{ op: 'put', kind: targetIndexKind, key: value.index, value }])
}

function changedByOthers(
  { target }: ApplyInput,
  stream: string,
  made: readonly string[],
): MigrationError {
  return new MigrationError(
    'MA_TARGET_INDEX',
    `the data stream ${stream} has ${made.length} new indices (${made.join(', ')}) right after the target ${target.url} said that it made one: ` +
      'somebody else rolls it over or deletes it. Stop that, then run osmigrate metadata migrate again',
  )
}
