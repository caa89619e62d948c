import { MigrationError } from '../base/errors.ts'
import { stoppedError } from '../cluster/backoff.ts'
import { Pace } from '../cluster/pace.ts'
import type { ApplierInput } from './applier-input.ts'
import { noFigures, type ApplierFigures } from './applier-figures.ts'
import { asRead, type Change } from './change.ts'
import { rememberClientVersions } from './client-versions.ts'
import { IndexFlow, holdOn, type Stop } from './index-flow.ts'
import type { DeleteAgain } from './kept-deletes.ts'
import { LaneWorker, type PlacesOf } from './lane-worker.ts'
import { Lane, laneOf } from './lanes.ts'
import { DocumentReader } from './document-reader.ts'
import { OwnWrites } from './own-writes.ts'
import {
  bytesOf,
  pendingOf,
  Ticket,
  type PendingDocument,
  type SourceKind,
} from './pending-document.ts'
import { DocumentPlacer } from './place-documents.ts'

const documentsMax = 5000
/** Of memoryMax: what an index that waits may hold, before its changes are left to the audit. */
const shareOfWaiting = 0.25

/**
 * Brings changes to the target, in any order that they come in, and at any number of times: what is newest stays. All
 * changes of a document go one way (lane), with one bulk under way each, so that a later write is sent when an earlier one
 * is settled; what waits of one document is put together. See design §3 and §4.
 */
export class Applier {
  readonly figures: ApplierFigures = noFigures()
  readonly ours = new OwnWrites()
  readonly #input: ApplierInput
  readonly #kind: SourceKind
  readonly #limits: { bulkBytesMax: number }
  readonly #lanes: Lane[]
  readonly #workers: LaneWorker[]
  readonly #flows = new Map<string, IndexFlow>()
  readonly #timers = new Map<Lane, NodeJS.Timeout>()
  #isStarting = false
  #changed = Promise.withResolvers<void>()
  #failure: { error: unknown } | undefined

  constructor(input: ApplierInput) {
    this.#input = input
    const { flavour, major } = input.source.version
    this.#kind = {
      numbered: flavour === 'opensearch' || major >= 6,
      typed: flavour === 'elasticsearch' && major < 7,
    }
    const { options, signal, onWait } = input
    this.#limits = { bulkBytesMax: options.bulkBytesMax }
    this.#lanes = Array.from({ length: options.lanes }, (_, number) => new Lane(number))
    const reader = new DocumentReader(input, this.#kind)
    const context = {
      ...{ target: input.target, state: input.state, signal, kept: input.kept, onWait },
      placer: new DocumentPlacer(this.#kind, input.transform),
      pace: new Pace(options.lanes),
      ...{ figures: this.figures, ours: this.ours, numbered: this.#kind.numbered },
      ...{ waitMaxMs: options.waitMaxMs, gzip: options.gzip ?? false },
      ...{ limits: this.#limits, reader, onRefused: input.onDeadLetter },
      ready: async () => void (await input.places.ready?.()),
      placesOf: (flow: IndexFlow) => this.#placesOf(flow),
      finish: (pending: PendingDocument) => this.#finish(pending),
      giveUp: (flow: IndexFlow, why: string) => this.#giveUp(flow, why),
    }
    this.#workers = this.#lanes.map(({ number }) => new LaneWorker(number, context))
    signal.addEventListener('abort', this.#onAbort)
  }

  /** Why it has ended by itself: nothing is written any more, and add() and flush() throw it. */
  get failure(): unknown {
    return this.#failure?.error
  }

  /** False while an index waits, or was given up. */
  takes(index: string): boolean {
    const flow = this.#flows.get(index)
    return flow?.hold === undefined && flow?.stopped === undefined
  }

  /** Indices that nothing is written to any more. */
  get stopped(): (Pick<Stop, 'why' | 'since'> & { readonly index: string })[] {
    return [...this.#flows.values()].flatMap(({ name: index, stopped }) =>
      stopped === undefined ? [] : [{ index, why: stopped.why, since: stopped.since }],
    )
  }

  /**
   * Takes changes, once there is room for them. `settled` is called once, when each of them is written, in conflict with
   * something newer, or a dead letter; with false where one was left to the audit instead.
   * Throws what ended the applier: MA_CLUSTER_* of a cluster that could not be used for `waitMaxMs`, MA_STOPPED.
   */
  async add(changes: readonly Change[], settled: (taken: boolean) => void): Promise<void> {
    let bytes = 0
    for (const { source } of changes) bytes += source?.length ?? 0
    await this.#room(bytes)
    const ticket = new Ticket(settled)
    for (const change of changes) this.#take(change, ticket)
    ticket.done(true)
    this.#start()
  }

  /** Applies kept deletes once more, where the target index still is the same. Resolves when that is done. */
  async applyAgain(deletes: readonly DeleteAgain[]): Promise<void> {
    await this.#room(0)
    let isDone = false
    const ticket = new Ticket(() => (isDone = true))
    for (const one of deletes) this.#take(one, ticket, one.targetUuid)
    ticket.done(true)
    this.#start()
    await this.#until(() => isDone)
  }

  /** Resolves when all that was taken is settled. */
  async flush(): Promise<void> {
    await this.#until(() => this.figures.heldDocuments === 0)
  }

  /** An index that was given up may be written to again: what stood in the way is mended. */
  resume(index: string): void {
    const flow = this.#flows.get(index)
    if (flow !== undefined) flow.stopped = flow.hold = undefined
  }

  /** Nothing more is written to the index, until resume(). */
  giveUp(index: string, why: string): void {
    const flow = this.#flows.get(index)
    if (flow !== undefined) this.#giveUp(flow, why)
  }

  /** Writes to an index again that was given up because it had to wait; gives why nothing is written to it, if that stands. */
  tryAgain(index: string): string | undefined {
    const stopped = this.#flows.get(index)?.stopped
    if (stopped?.isWait !== true) return stopped?.why
    this.resume(index)
    return undefined
  }

  /** Nothing more is begun; what is under way ends by the signal. */
  close(): void {
    this.#fail(new MigrationError('MA_STOPPED', 'no more changes are taken: sync ends'))
    this.#input.signal.removeEventListener('abort', this.#onAbort)
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#notify()
  }

  readonly #onAbort = (): void => this.#fail(stoppedError('applying changes', this.#input.signal))

  #take(change: Change, ticket: Ticket, again?: string): void {
    const { figures } = this
    figures.taken++
    const flow = this.#flowOf(change.index)
    // It is gone on the source, and goes on the target.
    if (flow === undefined) return
    if (change.hasClientVersion === true) flow.hasClientVersions = true
    if (typeof change.routing === 'string') flow.isRouted = true
    if ((change.seqNo ?? -1) > flow.numberMost) flow.numberMost = change.seqNo!
    ticket.add()
    const { memoryMax } = this.#input.options
    const isTooMuch = flow.hold !== undefined && flow.heldBytes > memoryMax * shareOfWaiting
    if (flow.stopped !== undefined || (isTooMuch && this.#kind.numbered)) {
      figures.left++
      ticket.done(false)
      return
    }
    const pending = pendingOf(change, flow, this.#kind, again)
    if (pending.what !== 'read' && again === undefined && this.#isInSnapshot(pending)) {
      figures.inSnapshot++
      ticket.done(true)
      return
    }
    pending.tickets.push(ticket)
    this.#put(pending)
  }

  /** What the snapshot lacks of it was deleted before it was made, and must not come back. */
  #isInSnapshot({ flow, id, routing, shard, number }: PendingDocument): boolean {
    const { accounts } = this.#input
    if (!this.#kind.numbered || accounts.isInSnapshot === undefined) return false
    return accounts.isInSnapshot(flow.source, { id, routing, shard }, number)
  }

  #flowOf(name: string): IndexFlow | undefined {
    const source = this.#input.view.index(name)
    const known = this.#flows.get(name)
    if (known?.source === source) return known
    if (source === undefined) return undefined
    if (known?.source.uuid === source.uuid) {
      known.source = source
      return known
    }
    const flow = new IndexFlow(source)
    this.#flows.set(name, flow)
    return flow
  }

  #laneOf({ flow, id }: PendingDocument): Lane {
    return this.#lanes[laneOf(flow.name, id, this.#lanes.length)]!
  }

  #put(pending: PendingDocument): void {
    const standing = this.#laneOf(pending).put(pending)
    if (standing === pending) this.figures.heldDocuments++
    else this.figures.coalesced++
    this.#count(standing, bytesOf(standing))
  }

  #count(pending: PendingDocument, bytes: number): void {
    this.figures.heldBytes += bytes - pending.bytes
    pending.flow.heldBytes += bytes - pending.bytes
    pending.bytes = bytes
  }

  /** Something alone that is larger than all room goes when there is nothing else. */
  async #room(bytes: number): Promise<void> {
    const { memoryMax } = this.#input.options
    await this.#until(() => {
      const { heldBytes } = this.figures
      return heldBytes === 0 || heldBytes + bytes <= memoryMax
    })
  }

  async #until(isDone: () => boolean): Promise<void> {
    for (;;) {
      this.#throwFailure()
      if (isDone()) return
      await this.#changed.promise
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #notify(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  /** When all that comes in this turn is there: a few large bulks cost less than many small ones. */
  #start(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    setImmediate(() => {
      this.#isStarting = false
      for (const lane of this.#lanes) {
        if (!lane.isRunning && !lane.isEmpty) void this.#run(lane)
      }
    })
  }

  /** Works until nothing is left that may be begun; never rejects. */
  async #run(lane: Lane): Promise<void> {
    lane.isRunning = true
    try {
      while (this.#failure === undefined) {
        const now = performance.now()
        const taken = lane.take({ bytesMax: this.#limits.bulkBytesMax, documentsMax, now })
        if (taken.length === 0) break
        await this.#workers[lane.number]!.work(taken)
        this.#notify()
      }
    } catch (error) {
      this.#fail(error)
    }
    lane.isRunning = false
    this.#wakeWhenHeldNoMore(lane)
  }

  #wakeWhenHeldNoMore(lane: Lane): void {
    const until = lane.heldUntil()
    clearTimeout(this.#timers.get(lane))
    if (until === undefined || this.#failure !== undefined) return
    const ms = Math.max(1, until - performance.now())
    this.#timers.set(
      lane,
      setTimeout(() => !lane.isRunning && void this.#run(lane), ms),
    )
  }

  async #placesOf(flow: IndexFlow): Promise<PlacesOf> {
    const { view } = this.#input
    const { uuid } = flow.source
    const now = view.index(flow.name)
    if (now === undefined || flow.stopped !== undefined) return 'gone'
    if (now.uuid !== uuid) return 'anew'
    const found = await this.#knownPlaces(flow)
    if (found === 'left-out' || 'waiting' in found) return found
    const other = found.find(({ target }) => target.sourceUuid !== uuid)
    if (other === undefined) return found
    return {
      waiting: `its target index ${other.target.targetIndex} was made for another life of it`,
    }
  }

  /** With the note that clients give the versions, which the audit compares by, in every life of the index. */
  async #knownPlaces(flow: IndexFlow): ReturnType<ApplierInput['places']['placesOf']> {
    const { places, state } = this.#input
    const found = await places.placesOf(flow.name)
    if (found === 'left-out' || 'waiting' in found) return found
    if (found.some(({ target }) => target.clientVersions)) flow.hasClientVersions = true
    if (!flow.hasClientVersions || found.every(({ target }) => target.clientVersions)) return found
    await rememberClientVersions(state, flow.name)
    places.forget?.(flow.name)
    return places.placesOf(flow.name)
  }

  async #finish(pending: PendingDocument): Promise<void> {
    const { flow } = pending
    if (pending.isAnew) return this.#readAnew(pending)
    const isStopped = flow.stopped !== undefined
    if (pending.heldBy !== undefined && !isStopped) return this.#wait(pending, pending.heldBy)
    const isTaken = !isStopped && !pending.isLeft
    if (isTaken) await this.#acknowledge(pending)
    this.#settle(pending, isTaken)
  }

  async #acknowledge(pending: PendingDocument): Promise<void> {
    const { flow, id, shard, primaryTerm, seqNos } = pending
    const { accounts, hasDeadLetter, onWritten } = this.#input
    const routing = pending.routing === undefined ? pending.foundRouting : pending.routing
    if (seqNos.length > 0) {
      accounts.acknowledged(flow.source, { id, routing, shard, primaryTerm, seqNos })
    }
    if (pending.isRefused || routing === undefined) return
    if (hasDeadLetter?.(flow.name, id, routing)) await onWritten?.(flow.name, id, routing)
  }

  #settle(pending: PendingDocument, isTaken: boolean): void {
    this.#release(pending)
    if (!isTaken) this.figures.left++
    for (const ticket of pending.tickets) ticket.done(isTaken)
  }

  #release(pending: PendingDocument): void {
    const { flow } = pending
    this.figures.heldDocuments--
    this.#count(pending, 0)
    if (pending.heldSince === undefined || --flow.waiting > 0) return
    flow.hold = undefined
    this.#input.onWait(keyOf(flow), undefined)
  }

  /** Its numbers belong to another life of the index. */
  #readAnew(pending: PendingDocument): void {
    const { id, routing, type, flow, tickets } = pending
    this.#release(pending)
    const now = this.#flowOf(flow.name)
    const change = asRead({ index: flow.name, id, type }, routing)
    const isNews = now !== undefined && pending.again === undefined
    if (!isNews) for (const ticket of tickets) ticket.done(true)
    else this.#put({ ...pendingOf(change, now, this.#kind), tickets })
    this.#start()
  }

  #wait(pending: PendingDocument, reason: string): void {
    const { flow } = pending
    const { waitMaxMs } = this.#input.options
    const meanwhile = this.#laneOf(pending).putBack(pending)
    if (meanwhile !== undefined) this.#release(meanwhile)
    this.#count(pending, bytesOf(pending))
    const now = performance.now()
    if (pending.heldSince === undefined) flow.waiting++
    pending.heldSince ??= now
    flow.hold = holdOn(flow, reason, now)
    if (now - pending.heldSince > waitMaxMs) this.#giveUp(flow, reason, { isWait: true })
    else this.#input.onWait(keyOf(flow), reason)
  }

  #giveUp(flow: IndexFlow, why: string, { isWait = false } = {}): void {
    if (flow.stopped !== undefined) return
    flow.stopped = { why, since: new Date().toISOString(), isWait }
    for (const lane of this.#lanes) {
      for (const pending of lane.drop(flow)) this.#settle(pending, false)
    }
  }
}

function keyOf({ name }: IndexFlow): string {
  return `index ${name}`
}
