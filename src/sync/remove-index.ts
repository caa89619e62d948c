import { sourceIndexOf } from '../base/document-types.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refusal } from '../metadata/apply.ts'
import { readStream } from '../metadata/data-stream-places.ts'
import { readExistingIndex } from '../metadata/existing.ts'
import {
  removedIndexKind,
  shardIncarnationKind,
  targetIndexKind,
  type RemovedIndex,
  type TargetIndex,
} from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'

export interface RemoveInput {
  readonly source: Cluster
  readonly target: Cluster
  readonly state: StateStore
  /** ISO 8601. */
  readonly at: string
  readonly signal?: AbortSignal
}

export interface Removed {
  /** What is still there, and why, by name of the source's index. */
  readonly left: ReadonlyMap<string, string>
  /** Removes those of a data stream that the next one has to be made for. Call it when all are made. */
  afterMaking(): Promise<ReadonlyMap<string, string>>
}

/**
 * Deletes the indices of the target for indices that are gone on the source, and for `others`, which belong to another
 * incarnation than there is. The source is asked for each once more before.
 */
export async function removeIndices(
  input: RemoveInput,
  {
    gone,
    others,
    whys,
  }: {
    readonly gone: readonly string[]
    readonly others: readonly TargetIndex[]
    readonly whys: ReadonlyMap<string, string>
  },
): Promise<Removed> {
  const left = new Map<string, string>()
  const removing: Removing[] = others.map((record) => {
    const why = whys.get(sourceIndexOf(record.index)) ?? 'was made anew on the source'
    return { record, why }
  })
  for (const name of gone) {
    if (await isThere(input, name)) continue
    const records = await targetPartsOf(input.state, name)
    removing.push(...records.map((record) => ({ record, why: 'was deleted on the source' })))
  }
  const note = (index: string, why: string | undefined): void => {
    if (why !== undefined) left.set(sourceIndexOf(index), why)
  }
  const later: Removing[] = []
  for (const [stream, some] of byStream(removing)) {
    if (stream === undefined) {
      for (const one of some) note(one.record.index, await removeIndex(one, input))
    } else if (await isWhole(input.state, stream, some)) {
      const why = await removeStream(stream, some, input)
      for (const { record } of some) note(record.index, why)
    } else later.push(...some)
  }
  // One that was made anew is in the way of its own successor.
  for (const one of later.filter(({ record }) => others.includes(record))) {
    note(one.record.index, await removeIndex(one, input))
  }
  return {
    left,
    afterMaking: async () => {
      const late = new Map<string, string>()
      for (const one of later.filter(({ record }) => !others.includes(record))) {
        const why = await removeIndex(one, input)
        if (why !== undefined) late.set(sourceIndexOf(one.record.index), why)
      }
      return late
    },
  }
}

interface Removing {
  readonly record: TargetIndex
  /** What became of it, e.g. `was deleted on the source`. */
  readonly why: string
}

async function isThere({ source, signal }: RemoveInput, name: string): Promise<boolean> {
  const { body } = await source.request('GET', `/${encodeURIComponent(name)}/_settings`, {
    query: { flat_settings: true },
    accept: [404],
    ...(signal && { signal }),
  })
  // An alias of that name answers with the index behind it.
  return name in body
}

function byStream(removing: readonly Removing[]): Map<string | undefined, Removing[]> {
  const groups = new Map<string | undefined, Removing[]>()
  for (const one of removing) {
    const stream = one.record.stream && one.record.dataStream
    groups.set(stream, [...(groups.get(stream) ?? []), one])
  }
  return groups
}

/** Whether no index of the data stream stays. */
async function isWhole(
  state: StateStore,
  stream: string,
  removing: readonly Removing[],
): Promise<boolean> {
  const removed = new Set(removing.map(({ record }) => record.index))
  for await (const { value } of state.each(targetIndexKind)) {
    if (value.stream && value.dataStream === stream && !removed.has(value.index)) return false
  }
  return true
}

/**
 * Deletes an index of the target that this migration has made. Its fence goes first, so that no late writer finds it; what
 * is there under its name and was made by others stays, and so does what was taken over. Afterwards nothing is remembered
 * of it. Can be repeated. Gives why it is still there; undefined when it is gone.
 */
async function removeIndex(
  { record, why }: Removing,
  { target, state, at, signal }: RemoveInput,
): Promise<string | undefined> {
  const { index, targetIndex, targetUuid, sourceUuid } = record
  const existing = await readExistingIndex(target, targetIndex, signal)
  const isOurs =
    existing !== undefined &&
    (targetUuid === '' ? record.fenceAlias in existing.aliases : existing.uuid === targetUuid)
  if (isOurs && record.adopted) {
    return `${targetIndex} on the target was there before this migration took it over, and is not deleted, though ${index} ${why}. Delete it there`
  }
  await removeFence(target, record, signal)
  if (isOurs) {
    const value: RemovedIndex = { index, targetIndex, sourceUuid, at, why }
    await state.commit([{ op: 'put', kind: removedIndexKind, key: existing.uuid, value }])
    const answer = await target.request('DELETE', `/${encodeURIComponent(targetIndex)}`, {
      accept: [400, 404],
      repeatable: true,
      ...(signal && { signal }),
    })
    if (answer.status === 400) return refusal(`that ${targetIndex} is deleted`, answer.body)
  }
  await forget(state, [index])
  return undefined
}

/** The snapshot that the index was filled from counts no more, either. */
async function forget(state: StateStore, indices: readonly string[]): Promise<void> {
  for (const index of indices) {
    const shards: string[] = []
    for await (const { key } of state.each(shardIncarnationKind, { prefix: `${index}/` })) {
      shards.push(key)
    }
    await state.commit([
      ...shards.map((key) => ({ op: 'delete', kind: shardIncarnationKind, key }) as const),
      { op: 'delete', kind: targetIndexKind, key: index },
    ])
  }
}

async function removeFence(
  target: Cluster,
  { stream, fenceAlias, targetIndex }: TargetIndex,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = stream
    ? `/_ingest/pipeline/${encodeURIComponent(stream.pipeline)}`
    : `/${encodeURIComponent(targetIndex)}/_alias/${encodeURIComponent(fenceAlias)}`
  await target.request('DELETE', path, {
    accept: [404],
    repeatable: true,
    ...(signal && { signal }),
  })
}

/**
 * Deletes a data stream of the target whose indices are all of this migration, and forgets them. Gives why it is still
 * there; undefined when it is gone.
 */
async function removeStream(
  name: string,
  removing: readonly Removing[],
  { target, state, at, signal }: RemoveInput,
): Promise<string | undefined> {
  const listed = await readStream(target, name, signal)
  const foreign = (listed?.indices ?? []).filter(
    (index) =>
      !removing.some(({ record: { targetIndex, adopted } }) => targetIndex === index && !adopted),
  )
  if (foreign.length > 0) {
    return `the data stream ${name} on the target holds ${foreign.join(', ')}, which this migration did not make, and is not deleted, though it was on the source. Delete it there`
  }
  for (const { record } of removing) await removeFence(target, record, signal)
  if (listed) {
    const notes = removing.map(({ record, why }) => {
      const { index, targetIndex, targetUuid, sourceUuid } = record
      return { key: targetUuid, value: { index, targetIndex, sourceUuid, at, why } }
    })
    await state.commit(notes.map((note) => ({ op: 'put', kind: removedIndexKind, ...note })))
    await target.request('DELETE', `/_data_stream/${encodeURIComponent(name)}`, {
      accept: [404],
      repeatable: true,
      ...(signal && { signal }),
    })
  }
  await forget(
    state,
    removing.map(({ record }) => record.index),
  )
  return undefined
}
