import { allOf } from '../base/all-of.ts'
import { MigrationError } from '../base/errors.ts'
import type { BulkOutcome, ItemProblem } from '../cluster/bulk-body.ts'
import { deliverBulk } from '../cluster/bulk.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Pace } from '../cluster/pace.ts'
import { writeStreamChanges } from '../metadata/data-stream-writes.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { ApplierFigures } from './applier-figures.ts'
import { ChangeBatch } from './change-batch.ts'
import { isExplained } from './explained-conflict.ts'
import type { IndexFlow } from './index-flow.ts'
import type { KeptDeletes } from './kept-deletes.ts'
import type { PatientReader } from './patient-reader.ts'
import type { PendingDocument } from './pending-document.ts'
import type { DocumentPlacer, Unwritable } from './place-documents.ts'
import { presentOf, type PresentDocument } from './present-document.ts'
import type { WriteItem } from './write-item.ts'

/** A place that documents of an index go to: one, or one for each of its parts. */
export interface TargetPlace {
  readonly target: TargetIndex
}

/** Or why an index takes nothing just now: gone on the source, made anew there, not selected, or it waits. */
export type PlacesOf =
  readonly TargetPlace[] | 'gone' | 'anew' | 'left-out' | { readonly waiting: string }

/** What the target does not take. */
export interface RefusedDocument {
  readonly index: string
  readonly id: string
  readonly routing: string | null
  /** The source's number; null where it is not known. */
  readonly seqNo: number | null
  readonly status: number
  readonly cause: string
  readonly reason: string
}

/** What a lane does its work with, shared by all lanes. */
export interface LaneContext {
  readonly target: Cluster
  readonly state: StateStore
  readonly placer: DocumentPlacer
  readonly pace: Pace
  readonly kept: KeptDeletes
  readonly reader: PatientReader
  readonly figures: ApplierFigures
  readonly numbered: boolean
  readonly signal: AbortSignal
  readonly waitMaxMs: number
  readonly gzip: boolean
  readonly bulkBytesMax: number
  readonly onWait: (key: string, what: string | undefined) => void
  placesOf(flow: IndexFlow): Promise<PlacesOf>
  onRefused(refused: RefusedDocument): Promise<void>
  /** Everything about it is settled, or it is given back to its lane by `pending.heldBy`. */
  finish(pending: PendingDocument): Promise<void>
  /** Nothing more is written to the index. */
  giveUp(flow: IndexFlow, reason: string): void
}

/** Does what one lane takes on: reads what has to be read, and sends the rest meanwhile. */
export class LaneWorker {
  readonly #context: LaneContext
  readonly #name: string
  readonly #batch: ChangeBatch

  constructor(number: number, context: LaneContext) {
    this.#context = context
    this.#name = `lane ${number}`
    this.#batch = new ChangeBatch(context.bulkBytesMax)
  }

  async work(taken: readonly PendingDocument[]): Promise<void> {
    const places = new Map<IndexFlow, readonly TargetPlace[]>()
    const ready: PresentDocument[] = []
    const unread: PendingDocument[] = []
    for (const pending of taken) {
      pending.parts = 1
      pending.heldBy = undefined
      const { flow } = pending
      if (!places.has(flow)) places.set(flow, await this.#placesOf(flow, taken))
      const at = places.get(flow)!
      if (at.length === 0) continue
      if (pending.what === 'read' || at.some(isReadOnly)) unread.push(pending)
      else ready.push(presentOf(pending))
    }
    let read: readonly PresentDocument[] = []
    const reading = this.#read(unread).then((found) => {
      read = found
    })
    await allOf([reading, this.#write(ready, places)])
    await this.#write(read, places)
  }

  /** Empty: nothing is done now about the documents of this index, and that is settled here. */
  async #placesOf(
    flow: IndexFlow,
    taken: readonly PendingDocument[],
  ): Promise<readonly TargetPlace[]> {
    const places = await this.#context.placesOf(flow)
    if (Array.isArray(places) && places.length > 0) return places as readonly TargetPlace[]
    const waiting = typeof places === 'object' && 'waiting' in places ? places.waiting : undefined
    for (const pending of taken) {
      if (pending.flow !== flow) continue
      pending.heldBy = waiting
      pending.isAnew = places === 'anew'
      await this.#partDone(pending)
    }
    return []
  }

  async #read(documents: readonly PendingDocument[]): Promise<readonly PresentDocument[]> {
    if (documents.length === 0) return []
    const { figures, reader } = this.#context
    const { present, nothing, held } = await reader.readBack(documents)
    figures.readBack += documents.length
    for (const one of present) {
      const { pending, number, source, routing } = one
      pending.parts++
      pending.foundRouting = routing
      if (routing !== null) pending.flow.isRouted = true
      if (source !== null && number >= 0 && this.#context.numbered) pending.seqNos.push(number)
    }
    for (const { document, reason } of held) document.heldBy = reason
    figures.foundNothing += nothing.length
    for (const document of documents) await this.#partDone(document)
    return present
  }

  async #write(
    documents: readonly PresentDocument[],
    places: ReadonlyMap<IndexFlow, readonly TargetPlace[]>,
  ): Promise<void> {
    const items: WriteItem[] = []
    for (const [flow, some] of byFlow(documents)) {
      for (const { target } of places.get(flow)!) {
        for (const item of await this.#itemsFor(flow, target, some)) {
          item.document.pending.parts++
          items.push(item)
        }
      }
    }
    await this.#deliver(items)
    // The part that each document itself is: its items are settled before it.
    for (const { pending } of documents) await this.#partDone(pending)
  }

  async #itemsFor(
    flow: IndexFlow,
    target: TargetIndex,
    documents: readonly PresentDocument[],
  ): Promise<readonly WriteItem[]> {
    try {
      const { items, unwritable, left } = await this.#context.placer.place(documents, target)
      for (const one of unwritable) await this.#refuse(one, 0)
      for (const { pending } of left) pending.isLeft = true
      const routed = target.mayHoldRouted
        ? undefined
        : items.find(({ routing }) => routing !== null)
      if (routed === undefined) return items
      this.#context.giveUp(flow, routedReason(flow, routed))
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
      this.#context.giveUp(flow, error.message)
    }
    for (const { pending } of documents) pending.isLeft = true
    return []
  }

  async #deliver(items: readonly WriteItem[]): Promise<void> {
    const streams = new Map<TargetIndex, WriteItem[]>()
    const { bulkBytesMax } = this.#context
    this.#batch.reset(bulkBytesMax)
    for (const item of items) {
      if (item.target.stream !== undefined) {
        const known = streams.get(item.target)
        if (known === undefined) streams.set(item.target, [item])
        else known.push(item)
        continue
      }
      if (this.#batch.add(item, bulkBytesMax)) continue
      await this.#deliverBatch()
      this.#batch.add(item, bulkBytesMax)
    }
    if (this.#batch.items.length > 0) await this.#deliverBatch()
    for (const [target, some] of streams) await this.#deliverToStream(target, some)
  }

  async #deliverBatch(): Promise<void> {
    const { target, pace, signal, waitMaxMs, gzip, figures, onWait } = this.#context
    const { items, body } = this.#batch
    await pace.enter(signal)
    const start = performance.now()
    let outcome: BulkOutcome
    let waited = false
    try {
      outcome = await deliverBulk(target, {
        ...{ byItem: true, body, gzip, waitMaxMs, signal },
        onWait: ({ what }) => {
          waited = true
          pace.pushBack()
          onWait(this.#name, `the target: ${what}`)
        },
      })
    } finally {
      pace.leave({ latencyMs: performance.now() - start })
    }
    if (waited) onWait(this.#name, undefined)
    figures.bulks += outcome.requests
    figures.bytesSent += outcome.bytesSent
    await this.#settle(items, outcome)
    this.#batch.reset(this.#context.bulkBytesMax)
  }

  async #settle(items: readonly WriteItem[], outcome: BulkOutcome): Promise<void> {
    const { conflicts, refused, held = [] } = outcome
    const { figures } = this.#context
    const unwritten = new Set<number>()
    for (const problem of conflicts) {
      unwritten.add(problem.item)
      await this.#conflict(items[problem.item]!, problem)
    }
    for (const problem of refused) {
      unwritten.add(problem.item)
      await this.#refuseItem(items[problem.item]!, problem)
    }
    for (const { item, type, reason } of held) {
      unwritten.add(item)
      items[item]!.document.pending.heldBy = `the target answers ${type}: ${reason}`
    }
    figures.written += items.length - unwritten.size
    for (let i = 0; i < items.length; i++) {
      const { document, source } = items[i]!
      if (source === null && !unwritten.has(i)) await this.#keep(document)
      const { pending } = document
      if (--pending.parts === 0) await this.#context.finish(pending)
    }
  }

  async #conflict(item: WriteItem, problem: ItemProblem): Promise<void> {
    const { figures, reader } = this.#context
    figures.conflicts++
    const { flow } = item.document.pending
    const known = { epochBase: item.target.epochBase, numberMost: () => reader.numberMost(flow) }
    if (!this.#context.numbered || flow.hasClientVersions) return
    if (!(await isExplained(problem.reason, flow, known))) await this.#refuseItem(item, problem)
  }

  async #keep({ pending, routing, type, number, version }: PresentDocument): Promise<void> {
    if (pending.again) return
    const { source } = pending.flow
    await this.#context.kept.keep({
      ...{ index: source.name, sourceUuid: source.uuid, id: pending.id, routing, number },
      type: type ?? null,
      version: version ?? null,
    })
  }

  async #deliverToStream(target: TargetIndex, items: readonly WriteItem[]): Promise<void> {
    const { state, signal, waitMaxMs, figures, onWait } = this.#context
    const changes = items.map(({ document, id, routing, source }) => {
      const isNew = document.pending.isNew && source !== null
      return { id, routing, seqNo: Math.max(0, document.number), source, isNew }
    })
    try {
      const refused = await writeStreamChanges(
        {
          ...{ target: this.#context.target, state, index: target, waitMaxMs, signal },
          onWait: ({ what }) => onWait(this.#name, `the target: ${what}`),
        },
        changes,
      )
      for (const { change, ...problem } of refused) {
        const item =
          items[
            changes.findIndex(({ id, routing }) => id === change.id && routing === change.routing)
          ]!
        await this.#refuseItem(item, problem)
      }
      figures.written += items.length - refused.length
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code !== 'MA_TARGET_INDEX') throw error
      for (const { document } of items) document.pending.heldBy = error.message
    }
    onWait(this.#name, undefined)
    for (const { document } of items) await this.#partDone(document.pending)
  }

  #refuseItem(
    { document }: WriteItem,
    { status, type, reason }: Omit<ItemProblem, 'item'>,
  ): Promise<void> {
    return this.#refuse({ document, cause: type, reason }, status)
  }

  async #refuse(
    { document: { pending, routing, number }, cause, reason }: Unwritable,
    status: number,
  ): Promise<void> {
    this.#context.figures.deadLetters++
    pending.isRefused = true
    await this.#context.onRefused({
      ...{ index: pending.flow.name, id: pending.id, routing },
      seqNo: number < 0 ? null : number,
      ...{ status, cause, reason: reason.slice(0, reasonMax) },
    })
  }

  async #partDone(pending: PendingDocument): Promise<void> {
    if (--pending.parts === 0) await this.#context.finish(pending)
  }
}

/** A mapping error may quote the whole document. */
const reasonMax = 1000

/** Of these the source's own copy is taken by all flows; `_parent` is told by a read alone. */
function isReadOnly({ target: { sourceForm, types } }: TargetPlace): boolean {
  return sourceForm !== 'full' || (types !== undefined && types.join !== null)
}

function byFlow(documents: readonly PresentDocument[]): Map<IndexFlow, PresentDocument[]> {
  const flows = new Map<IndexFlow, PresentDocument[]>()
  for (const document of documents) {
    const { flow } = document.pending
    const known = flows.get(flow)
    if (known === undefined) flows.set(flow, [document])
    else known.push(document)
  }
  return flows
}

function routedReason({ name }: IndexFlow, { id, routing, target }: WriteItem): string {
  return (
    `index ${name} holds routed documents (${JSON.stringify(id)} with routing ${JSON.stringify(routing)}), but its target ` +
    `index ${target.targetIndex} has another number of shards, so that documents of one id could overwrite each other. ` +
    "Delete it and make it again with the source's number of shards (osmigrate metadata migrate)"
  )
}
