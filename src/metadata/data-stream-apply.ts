import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { changeSetting, noteRestored, openEntries, type SettingName } from '../state/ledger.ts'
import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import { isNotAsWanted, named, refusal, type AppliedObject, type ApplyInput } from './apply.ts'
import type { ApplyObject } from './apply-object.ts'
import { readStream } from './data-stream-places.ts'
import { decideIndex, readExistingIndex } from './existing.ts'
import type { PlannedIndex } from './plan.ts'
import { isIntent, newRecord, recordOf } from './records.ts'
import { objectPresent, settingAccess } from './setting-access.ts'

/** An index behind a data stream of the target. */
type InStream = PlannedIndex & { readonly stream: NonNullable<PlannedIndex['stream']> }

const maker: SettingName = {
  side: 'target',
  index: null,
  setting: '_index_template/osmigrate-stream',
}

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
  const { target, state } = input
  const access = settingAccess({ target })
  const willMake = behind.some(({ action }) => action === 'create')
  if (!willMake && !(await isLeftOver(input))) return applyAll(behind, input, each)
  if (willMake) {
    await changeSetting(state, access, { ...maker, newValue: objectPresent, until: 'close' })
  }
  try {
    await applyAll(behind, input, each)
  } finally {
    await access.apply(maker, null)
    await noteRestored(state, maker)
  }
}

/** A run that was killed may have left its template. */
async function isLeftOver({ state }: ApplyInput): Promise<boolean> {
  return (await openEntries(state)).some(({ value }) => value.setting === maker.setting)
}

async function applyAll(
  indices: readonly InStream[],
  input: ApplyInput,
  { apply, note }: Parameters<typeof applyStreams>[2],
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
        : await apply(named(index), () => applyInStream(index, input))
    if (isNotAsWanted(applied.outcome) && before === undefined) failed.set(stream, index.name)
    note(applied)
  }
}

function waiting(index: InStream, before: string): AppliedObject {
  const reason = `not made, since ${before} before it in the data stream ${index.stream.name} is not there: indices are made in their order. Correct that one, leave it out of a plan file (metadata evaluate --output FILE, migrate --plan FILE), or take metadata.dataStreams: alias`
  return { ...named(index), outcome: 'waiting', reason }
}

async function applyInStream(planned: InStream, input: ApplyInput): Promise<AppliedObject> {
  const { targetIndex, action } = planned
  const object = named(planned)
  if (action === 'refused') return { ...object, outcome: 'refused', reason: planned.reason! }
  const { target, state, signal } = input
  const record = await recordOf(state, planned)
  const existing = await readExistingIndex(target, targetIndex, signal)
  const adopt = action === 'adopt' || isIntent(record)
  const decision = decideIndex(planned, record, existing, adopt)
  switch (decision.action) {
    case 'refused':
      return { ...object, outcome: 'refused', reason: decision.reason! }
    case 'exists-different':
      return { ...object, outcome: 'different', reason: decision.reason! }
    case 'create':
      return make(planned, input)
    case 'adopt':
      await fence(planned, input, { targetIndex, targetUuid: existing!.uuid })
      return { ...object, outcome: isIntent(record) ? 'created' : 'adopted' }
    case 'exists-equal':
      await fence(planned, input, { targetIndex, targetUuid: existing!.uuid }, record)
      return { ...object, outcome: 'unchanged' }
  }
}

async function make(planned: InStream, input: ApplyInput): Promise<AppliedObject> {
  const { target, signal } = input
  const { name: stream, timestampField } = planned.stream
  const { settings = {}, mappings = {} } = planned.body
  await putRecord(input, newRecord(planned, ''))
  const template = await target.request('PUT', `/${maker.setting}`, {
    body: {
      index_patterns: [stream],
      priority: 2 ** 31 - 1,
      data_stream: { timestamp_field: { name: timestampField } },
      template: { settings, mappings },
    },
    accept: [400],
    ...(signal && { signal }),
  })
  if (template.status === 400) return refused(planned, input, template.body)
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

async function refused(
  planned: InStream,
  { state }: ApplyInput,
  answer: JsonObject,
): Promise<AppliedObject> {
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
