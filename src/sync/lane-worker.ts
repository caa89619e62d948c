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
import { hasGoneBack, isExplained } from './explained-conflict.ts'
import type { IndexFlow } from './index-flow.ts'
import type { KeptDeletes } from './kept-deletes.ts'
import type { DocumentReader } from './document-reader.ts'
import type { OwnWrites } from './own-writes.ts'
import { forgetNumbers, type PendingDocument } from './pending-document.ts'
import type { DocumentPlacer } from './place-documents.ts'
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

type Refusal = Pick<RefusedDocument, 'status' | 'cause' | 'reason'>

/** What a lane does its work with, shared by all lanes. */
export interface LaneContext {
  readonly target: Cluster
  readonly state: StateStore
  readonly placer: DocumentPlacer
  readonly pace: Pace
  readonly kept: KeptDeletes
  readonly reader: DocumentReader
  readonly ours: OwnWrites
  readonly figures: ApplierFigures
  readonly numbered: boolean
  readonly signal: AbortSignal
  readonly waitMaxMs: number
  readonly gzip: boolean
  /** Of one bulk: less when the target finds one too large. */
  readonly limits: { bulkBytesMax: number }
  readonly onWait: (key: string, what: string | undefined) => void
  placesOf(flow: IndexFlow): Promise<PlacesOf>
  /** Resolves when the target's metadata is as the source's was after this was called. */
  ready(): Promise<void>
  onRefused(refused: RefusedDocument): Promise<void>
  /** Everything about it is settled, or it is given back to its lane by `pending.heldBy`. */
  finish(pending: PendingDocument): Promise<void>
  /** Nothing more is written to the index. */
  giveUp(flow: IndexFlow, why: string): void
}

/** Does what one lane takes on: reads what has to be read, and sends the rest meanwhile. */
export class LaneWorker {
  readonly #context: LaneContext
  readonly #name: string
  readonly #batch: ChangeBatch

  constructor(number: number, context: LaneContext) {
    this.#context = context
    this.#name = `lane ${number}`
    this.#batch = new ChangeBatch(context.limits.bulkBytesMax)
  }

  async work(taken: readonly PendingDocument[]): Promise<void> {
    const ready: PresentDocument[] = []
    const unread: PendingDocument[] = []
    for (const [flow, documents] of byFlow(taken, (pending) => pending.flow)) {
      for (const pending of documents) {
        pending.parts = 1
        pending.heldBy = undefined
      }
      const places = await this.#placesOf(flow, documents)
      for (const pending of places.length === 0 ? [] : documents) {
        const isPast = pending.life !== flow.life
        if (isPast && pending.again !== undefined) await this.#partDone(pending)
        else if (isToRead(pending) || isPast || places.some(isReadOnly)) {
          if (isPast) forgetNumbers(pending)
          unread.push(pending)
        } else ready.push(presentOf(pending))
      }
    }
    let read: readonly PresentDocument[] = []
    const reading = this.#read(unread).then((found) => {
      read = found
    })
    await allOf([reading, this.#write(ready)])
    if (read.length > 0) await this.#write(read)
  }

  /** Empty: nothing is done now about these documents of the index, and a part of each is settled here. */
  async #placesOf(
    flow: IndexFlow,
    documents: readonly PendingDocument[],
  ): Promise<readonly TargetPlace[]> {
    const places = await this.#context.placesOf(flow)
    if (isList(places) && places.length > 0) {
      flow.noteTargets(places)
      return places
    }
    for (const pending of documents) {
      if (typeof places === 'object' && 'waiting' in places) pending.heldBy = places.waiting
      pending.isAnew = places === 'anew'
      await this.#partDone(pending)
    }
    return []
  }

  async #read(documents: readonly PendingDocument[]): Promise<readonly PresentDocument[]> {
    if (documents.length === 0) return []
    const { figures, reader } = this.#context
    const { present, nothing, held, refused } = await reader.readBack(documents)
    figures.readBack += documents.length
    for (const one of present) {
      const { pending, number, source, routing } = one
      pending.parts++
      pending.foundRouting = routing
      if (routing !== null) pending.flow.isRouted = true
      if (source !== null && number >= 0 && this.#context.numbered) pending.seqNos.push(number)
    }
    for (const { document, reason } of held) document.heldBy = reason
    for (const { document, cause, reason } of refused) {
      await this.#refuse(document, { status: 400, cause, reason })
    }
    figures.foundNothing += nothing.length
    for (const document of documents) await this.#partDone(document)
    // What was read may have fields that came after the mapping was looked at.
    if (present.length > 0) await this.#context.ready()
    return present
  }

  async #write(documents: readonly PresentDocument[]): Promise<void> {
    const items: WriteItem[] = []
    const written: PresentDocument[] = []
    for (const [flow, some] of byFlow(documents, ({ pending }) => pending.flow)) {
      const pendings = some.map(({ pending }) => pending)
      const { life } = flow
      const places = await this.#placesOf(flow, pendings)
      if (places.length === 0) continue
      written.push(...some)
      if (flow.life !== life) {
        for (const pending of pendings) pending.heldBy = 'its target index was made anew'
        continue
      }
      for (const { target } of places) {
        for (const item of await this.#itemsFor(flow, target, some)) {
          const { again } = item.document.pending
          if (again !== undefined && again !== target.targetUuid) continue
          item.document.pending.parts++
          items.push(item)
        }
      }
    }
    await this.#deliver(items)
    // The part that each document itself is: its items are settled before it.
    for (const { pending } of written) await this.#partDone(pending)
  }

  async #itemsFor(
    flow: IndexFlow,
    target: TargetIndex,
    documents: readonly PresentDocument[],
  ): Promise<readonly WriteItem[]> {
    try {
      const { items, unwritable, left } = await this.#context.placer.place(documents, target)
      for (const { document, ...why } of unwritable) {
        await this.#refuse(document.pending, { ...document, ...why, status: 0 })
      }
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
    const { bulkBytesMax } = this.#context.limits
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
    const { target, pace, signal, waitMaxMs, gzip, figures, limits, onWait } = this.#context
    const { items, body } = this.#batch
    await pace.enter(signal)
    this.#context.ours.sent(items)
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
    if (outcome.tooLarge && items.length > 1) {
      limits.bulkBytesMax = Math.max(bulkBytesLeast, limits.bulkBytesMax >> 1)
    }
    figures.bulks += outcome.requests
    figures.bytesSent += outcome.bytesSent
    await this.#settle(items, outcome)
    this.#batch.reset(this.#context.limits.bulkBytesMax)
  }

  async #settle(items: readonly WriteItem[], outcome: BulkOutcome): Promise<void> {
    const { conflicts, refused, held = [] } = outcome
    const { figures, ours } = this.#context
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
    ours.answered(items, { unwritten, refused, repeated: outcome.waits > 0 })
    figures.written += items.length - unwritten.size
    for (let i = 0; i < items.length; i++) {
      const { document, source } = items[i]!
      if (source === null && !unwritten.has(i)) await this.#keep(items[i]!)
      const { pending } = document
      if (--pending.parts === 0) await this.#context.finish(pending)
    }
  }

  async #conflict(item: WriteItem, problem: ItemProblem): Promise<void> {
    const { figures, reader } = this.#context
    figures.conflicts++
    const { flow } = item.document.pending
    if (flow.hasClientVersions || !this.#context.numbered) {
      if (!(await hasGoneBack(problem.reason, item, reader))) return
      const wentBack = flow.hasClientVersions ? clientsWentBack : sourceWentBack
      const reason = `${problem.reason}: ${wentBack}`
      return this.#refuseItem(item, { ...problem, type: 'version_went_back', reason })
    }
    const known = { epochBase: item.target.epochBase, numberMost: () => reader.numberMost(flow) }
    if (!(await isExplained(problem.reason, flow, known))) await this.#refuseItem(item, problem)
  }

  async #keep({ document, target: { targetUuid } }: WriteItem): Promise<void> {
    const { pending, routing, type, number, version } = document
    if (pending.again !== undefined) return
    await this.#context.kept.keep({
      ...{ index: pending.flow.name, targetUuid, id: pending.id, routing, number },
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
    return this.#refuse(document.pending, { ...document, status, cause: type, reason })
  }

  /** `routing` and `number`: those of the document as it was read. */
  async #refuse(
    pending: PendingDocument,
    {
      routing = pending.routing ?? null,
      number = pending.number,
      status,
      cause,
      reason,
    }: Refusal & Partial<Pick<PresentDocument, 'routing' | 'number'>>,
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

const sendLater = 'Have it sent again when the target has forgotten the delete (sync.gcDeletes)'
const sourceWentBack = `the source has counted its versions from 1 again, since it was deleted for more than a minute. ${sendLater}`
const clientsWentBack = `a client has given it a lower version than that of its delete, which the source had forgotten. ${sendLater}`
const bulkBytesLeast = 64 * 1024
/** A mapping error may quote the whole document. */
const reasonMax = 1000

/** Of these the source's own copy is taken by all flows; `_parent` is told by a read alone. */
function isReadOnly({ target: { sourceForm, types } }: TargetPlace): boolean {
  return sourceForm !== 'full' || (types !== undefined && types.join !== null)
}

/** A delete that clients numbered may have been followed by a lower version, once the source had forgotten it. */
function isToRead({ what, again, flow }: PendingDocument): boolean {
  return what === 'read' || (again !== undefined && flow.hasClientVersions)
}

function isList(places: PlacesOf): places is readonly TargetPlace[] {
  return Array.isArray(places)
}

function byFlow<T>(list: readonly T[], flowOf: (one: T) => IndexFlow): Map<IndexFlow, T[]> {
  const flows = new Map<IndexFlow, T[]>()
  for (const one of list) {
    const known = flows.get(flowOf(one))
    if (known === undefined) flows.set(flowOf(one), [one])
    else known.push(one)
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
