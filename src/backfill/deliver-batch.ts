import type { BulkOutcome } from '../cluster/bulk-body.ts'
import { deliverBulk, type BulkDelivery } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { insertOf, writeToStream } from '../cluster/stream-writes.ts'
import type { StreamIndex, WritePlace } from '../cluster/write-place.ts'
import type { Json } from '../base/json.ts'
import { itemNames, type BulkBatch } from './batch.ts'

export type Delivery = Pick<BulkDelivery, 'gzip' | 'waitMaxMs' | 'signal' | 'onWait'>

/** Delivers a batch, and then the documents in whose place something else was inserted first. Errors as deliverBulk(). */
export async function deliverBatch(
  target: Cluster,
  place: WritePlace,
  batch: BulkBatch,
  delivery: Delivery,
): Promise<BulkOutcome> {
  const outcome = await deliverBulk(target, { ...place, ...delivery, body: batch })
  if (place.stream === undefined || batch.placeholders.length === 0) return outcome
  return replacePlaceholders(target, place.stream, batch, { outcome, delivery })
}

/** Also those that were there: a run that was killed may have left them. What else is there is newer, and stays. */
async function replacePlaceholders(
  target: Cluster,
  stream: StreamIndex,
  batch: BulkBatch,
  { outcome, delivery }: { outcome: BulkOutcome; delivery: Delivery },
): Promise<BulkOutcome> {
  const refused = new Set(outcome.refused.map(({ item }) => item))
  const placeholders = batch.placeholders.filter(({ item }) => !refused.has(item))
  const field = Buffer.from(stream.timestampField)
  const documents = placeholders.map(({ item, source }) => {
    const replaces = JSON.parse(insertOf(source, field).insert.toString()) as Json
    return { ...itemNames(batch, item), source, replaces }
  })
  const problems = await writeToStream(target, { ...delivery, stream, documents })
  const late = problems.map((problem) => ({ ...problem, item: placeholders[problem.item]!.item }))
  return {
    ...outcome,
    written: outcome.written - late.length,
    refused: [...outcome.refused, ...late],
  }
}
