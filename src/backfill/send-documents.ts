import { sourceIndexOf } from '../base/document-types.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { writePlaceOf } from '../cluster/write-place.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { deadLetterKind, isFollowed } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import { mayRename } from '../usercode/transformer.ts'
import { createBatch, fillBatch, formOf } from './batch.ts'
import { deliverBatch } from './deliver-batch.ts'
import type { BlockTransform } from './local-worker.ts'
import { judge } from './outcome.ts'
import { backfillIndexKind } from './records.ts'
import { checkTargetIndices } from './target-indices.ts'

export interface SendDocumentsInput {
  readonly state: StateStore
  readonly snapshot: Snapshot
  readonly target: Cluster
  /** Source index name, or `index#type`. */
  readonly index: string
  /** By the ids that they have on the target. */
  readonly ids: ReadonlySet<string>
  readonly transform?: BlockTransform
  readonly waitMaxMs: number
  readonly onWait?: (wait: BulkWait) => void
  readonly signal: AbortSignal
}

const bulkBytesMax = 1024 * 1024

/**
 * Sends some documents of a snapshot again as the backfill did, with the same versions: what was written meanwhile is newer
 * and stays. Reads the whole index for them. What is refused becomes a dead letter. Gives how many were sent.
 */
export async function sendDocuments(input: SendDocumentsInput): Promise<number> {
  const { state, snapshot, target, ids, transform, signal } = input
  const [index] = await checkTargetIndices(target, state, [input.index], {
    allowPartialSource: true,
  })
  const versionFrom =
    (await state.get(backfillIndexKind, input.index))?.value.versionFrom ?? 'seqNo'
  const source = sourceIndexOf(input.index)
  const place = writePlaceOf(index!)
  const limits = { bytesMax: bulkBytesMax, epochBase: index!.epochBase, versionFrom }
  const newerStays = place.stream !== undefined || (await isFollowed(state))
  const { numberOfShards } = await snapshot.readIndexMetadata(source)
  let sent = 0
  for (let shard = 0; shard < numberOfShards; shard++) {
    const reader = await openShardReader(await snapshot.openShard(source, shard), {
      verify: 'touched',
    })
    try {
      for (const { name: segment } of reader.segments) {
        const stored = reader.readBlocks(segment)
        const typed = index!.types ? typedBlocks(stored, index!.types) : stored
        const task = { index: source, mayRename: mayRename(index!) }
        for await (const block of transform?.blocks(typed, task) ?? typed) {
          signal.throwIfAborted()
          const chosen = chooseDocuments(block, ids)
          for (let at = 0; at < chosen.count;) {
            const batch = createBatch(bulkBytesMax)
            at = fillBatch(batch, chosen, at, { ...limits, ...formOf(place) })
            const outcome = await deliverBatch(target, place, batch, input)
            const from = { index: input.index, shard, segment, partialSource: true, newerStays }
            const { deadLetters } = judge(batch, outcome, from)
            await state.commit(
              deadLetters.map((value) => ({
                ...{ op: 'put', kind: deadLetterKind, value },
                key: `${value.index}/${value.shard}/${value.segment}/${value.doc}`,
              })),
            )
            sent += batch.count
          }
        }
      }
    } finally {
      await reader.close()
    }
  }
  return sent
}

const columns = [
  ...(['doc', 'timed', 'idStart', 'idEnd', 'routingStart', 'routingEnd'] as const),
  ...(['typeStart', 'typeEnd', 'parentStart', 'parentEnd', 'sourceStart', 'sourceEnd'] as const),
]

/** A block of some documents of another one, over the same bytes. */
function chooseDocuments(
  block: DocumentBlock & Partial<TransformedBlock>,
  ids: ReadonlySet<string>,
): DocumentBlock {
  const rows: number[] = []
  for (let i = 0; i < block.count; i++) {
    if (ids.has(block.bytes.toString('utf8', block.idStart[i], block.idEnd[i]))) rows.push(i)
  }
  const unsent = new Map(
    rows.flatMap((row, i) => {
      const why = block.unsent?.get(row)
      return why === undefined ? [] : [[i, why] as const]
    }),
  )
  const chosen = { ...block, unsent, count: rows.length }
  for (const column of columns) chosen[column] = Int32Array.from(rows, (i) => block[column][i]!)
  chosen.seqNo = Float64Array.from(rows, (i) => block.seqNo[i]!)
  chosen.version = Float64Array.from(rows, (i) => block.version[i]!)
  return chosen
}
