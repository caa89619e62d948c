import { writeToStream } from '../cluster/stream-writes.ts'
import { writePlaceOf } from '../cluster/write-place.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateRecord, StateStore } from '../state/store.ts'
import { streamChangeKind, streamFilledKind, type StreamChange } from '../state/stream-changes.ts'

const pageOf = 500

/**
 * Ends the backfill of an index behind a data stream, when all of its documents are acknowledged: what the source has
 * deleted since the snapshot, and the backfill may have inserted after that, is deleted again. After it nothing needs to
 * be noted for this index any more. Does nothing for other indices. Errors as writeToStream().
 */
export async function settleStreamChanges(
  state: StateStore,
  target: Cluster,
  index: TargetIndex,
  patience: { waitMaxMs: number; signal: AbortSignal },
): Promise<void> {
  const { stream } = writePlaceOf(index)
  if (stream === undefined) return
  for await (const page of notesOf(state, index)) {
    const documents = page
      .filter(({ value }) => value.isDeleted)
      .map(({ key, value: { id, routing } }) => {
        const isWanted = (): Promise<boolean> => isStillDeleted(state, key)
        return { id, routing, source: null, isWanted }
      })
    await writeToStream(target, { ...patience, stream, documents })
  }
  const { index: name, targetUuid } = index
  const filled = { index: name, targetUuid }
  // Before the notes go, so that none is left: whoever notes something looks afterwards whether this is there.
  await state.commit([{ op: 'put', kind: streamFilledKind, key: name, value: filled }])
  for await (const page of notesOf(state, index)) {
    await state.commit(page.map(({ key }) => ({ op: 'delete', kind: streamChangeKind, key })))
  }
}

async function* notesOf(
  state: StateStore,
  { index }: TargetIndex,
): AsyncIterable<StateRecord<StreamChange>[]> {
  for (let after: string | undefined; ;) {
    const from = after === undefined ? {} : { after }
    const page = await state.list(streamChangeKind, {
      prefix: `${index}/`,
      limit: pageOf,
      ...from,
    })
    if (page.length > 0) yield page
    if (page.length < pageOf) return
    after = page.at(-1)!.key
  }
}

/** The source may have made it anew since: that is noted before it is written. */
async function isStillDeleted(state: StateStore, key: string): Promise<boolean> {
  const note: StreamChange | undefined = (await state.get(streamChangeKind, key))?.value
  return note?.isDeleted === true
}
