import { sourceIndexOf, type DocumentTypes } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import type { BulkOutcome } from '../cluster/bulk-body.ts'
import { Pace } from '../cluster/pace.ts'
import type { WritePlace } from '../cluster/write-place.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import type { ChecksumPart, ShardReader } from '../document/shard-reader.ts'
import type { DeadLetter } from '../state/records.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import type { TransformTask } from '../usercode/transformer.ts'
import {
  createBatch,
  formOf,
  fillBatch,
  firstRouted,
  resetBatch,
  type BulkBatch,
  type BatchLimits,
  type VersionRule,
} from './batch.ts'
import { Checkpoint } from './checkpoint.ts'
import { judge } from './outcome.ts'
import type { WorkItem } from './records.ts'
import { parseShare, stretchesOfShare } from './share.ts'
import { stopped } from './stopped.ts'

/** One shard to be opened, checked and divided into work items. */
export interface ShardTask {
  index: string
  shard: number
  /** `2/5`: only what that share has of the shard is read, and so checked. */
  part?: string | null
}

/** What opening a shard told. */
export interface OpenedShard {
  historyUuid: string | null
  maxSeqNo: number | null
  localCheckpoint: number | null
  segments: { name: string; maxDoc: number; liveCount: number; storedBytes: number }[]
  /** The segments that were not checked, since they are to be read once: checkSegment() is for when they are read. */
  checkedWhileRead: string[]
}

/** What was read of a segment, to be compared with its checksum. */
export interface SegmentTask extends ShardTask {
  segment: string
  parts: ChecksumPart[]
}

/** An item on its way. */
export interface ItemRun {
  /** What was read, where it is to be checked; undefined when reading ended early, of which `settled` tells. */
  read: ChecksumPart | undefined
  /** All bulks are answered and reported. */
  settled: Promise<void>
}

export interface ItemTask extends VersionRule {
  item: WorkItem
  place: WritePlace
  mayHoldRouted: boolean
  /** What becomes of documents because of their mapping types. */
  types?: DocumentTypes | undefined
  /** A transform may change id and routing. */
  mayRename: boolean
  /** Documents without `_source` are no dead letters: see ReadFrom. */
  partialSource: boolean
  /** Sync has begun to write to the target. */
  isFollowed?: boolean
}

/** How far an item has come, and the dead letters that must be stored before (or with) that. */
export interface ItemReport {
  item: WorkItem
  deadLetters: DeadLetter[]
}

/** Takes a report and answers when it is stored. */
export type Report = (report: ItemReport) => Promise<void>

/**
 * What does the work: in this thread (LocalWorker) or in another (ThreadWorker). One task at a time; the bulks of an item
 * may still be under way when the next one begins.
 */
export interface BackfillWorker {
  /** Opens a shard and checks it from end to end, as far as that is done before reading: minutes where it is large. */
  openShard(task: ShardTask): Promise<OpenedShard>
  /** The item's shard was opened in this run, by whatever worker. Resolves when the item has been read. */
  run(task: ItemTask, report: Report): Promise<ItemRun>
  /** Compares the checksum of a segment that was read. Throws CorruptData. */
  checkSegment(task: SegmentTask): Promise<void>
  /** Ends the reading of this index, or of everything. */
  stop(index?: string): void
  /** Gives up the bulks that are under way. */
  giveUp(): void
  close(): Promise<void>
}

export interface WorkerContext {
  /** `checked`: a worker of this run has checked the shard. The signal ends the reading, now and later. */
  openShardReader: (
    task: ShardTask,
    options: { checked: boolean; signal: AbortSignal },
  ) => Promise<ShardReader>
  deliver: (place: WritePlace, batch: BulkBatch, signal: AbortSignal) => Promise<BulkOutcome>
  /** Changes documents on their way; undefined where they go as they are. */
  transform?: BlockTransform
  bulkBytesMax: number
  bulksInFlightMax: number
}

/** Where documents are changed: a Transformer, opened when the first of them is read. */
export interface BlockTransform {
  blocks(blocks: AsyncIterable<DocumentBlock>, task: TransformTask): AsyncIterable<DocumentBlock>
  close(): Promise<void>
}

export class LocalWorker implements BackfillWorker {
  readonly #context: WorkerContext
  readonly #flow: Flow
  readonly #reading = new AbortController()
  readonly #sending = new AbortController()
  readonly #stoppedIndices = new Set<string>()
  readonly #pool: BulkBatch[] = []
  /** The shard opened last is kept open: the next item is most likely of the same. */
  #open: { task: ShardTask; reader: ShardReader } | undefined

  constructor(context: WorkerContext) {
    this.#context = context
    this.#flow = { pace: new Pace(context.bulksInFlightMax), bytesMax: context.bulkBytesMax }
  }

  async openShard(task: ShardTask): Promise<OpenedShard> {
    const reader = await this.#reader(task, { checked: false })
    const stretches = stretchesOfShare(reader.segments, parseShare(task.part ?? undefined))
    await reader.check(new Set(stretches.map(({ segment }) => segment)))
    return {
      historyUuid: reader.historyUuid ?? null,
      maxSeqNo: reader.maxSeqNo ?? null,
      localCheckpoint: reader.localCheckpoint ?? null,
      segments: reader.segments.map(({ name, maxDoc, liveCount, storedBytes }) => {
        return { name, maxDoc, liveCount, storedBytes }
      }),
      checkedWhileRead: reader.checksWhileReading
        ? reader.segments.filter(({ liveCount }) => liveCount > 0).map(({ name }) => name)
        : [],
    }
  }

  async run(task: ItemTask, report: Report): Promise<ItemRun> {
    const reader = await this.#reader(task.item, { checked: true })
    const sending = new ItemSending(task, {
      deliver: this.#context.deliver,
      flow: this.#flow,
      report,
      giveBatch: (batch) => this.#pool.push(batch),
      signal: this.#sending.signal,
    })
    let read: ChecksumPart | undefined
    try {
      read = await this.#read(reader, task, sending)
    } catch (error) {
      sending.fail(error)
    }
    return { read, settled: sending.settled() }
  }

  async checkSegment({ segment, parts, ...task }: SegmentTask): Promise<void> {
    const reader = await this.#reader(task, { checked: true })
    await reader.checkParts(segment, parts)
  }

  stop(index?: string): void {
    if (index === undefined) this.#reading.abort()
    else this.#stoppedIndices.add(index)
  }

  giveUp(): void {
    this.#sending.abort()
  }

  async close(): Promise<void> {
    await this.#closeReader()
    await this.#context.transform?.close()
  }

  async #closeReader(): Promise<void> {
    await this.#open?.reader.close()
    this.#open = undefined
  }

  /** Gives what was read; undefined when sending failed meanwhile. */
  async #read(
    reader: ShardReader,
    task: ItemTask,
    sending: ItemSending,
  ): Promise<ChecksumPart | undefined> {
    const { item } = task
    const { fromDoc, toDoc, checkpoint } = item
    const crc = checkpoint === fromDoc ? 0 : item.crc
    const range = { fromDoc: checkpoint, toDoc, ...(crc !== undefined && { crc }) }
    let checksum: DocumentBlock['checksum']
    let batch = this.#takeBatch(checkpoint)
    const stored = reader.readBlocks(item.segment, range)
    const typed = task.types ? typedBlocks(stored, task.types) : stored
    const { transform } = this.#context
    const about = { index: sourceIndexOf(item.index), mayRename: task.mayRename }
    const blocks = transform?.blocks(typed, about) ?? typed
    for await (const block of blocks) {
      // Where it is not known how it began, the sum says nothing.
      if (crc !== undefined) checksum = block.checksum
      this.#checkBlock(block, task)
      for (let at = fillBatch(batch, block, 0, this.#limits(task)); at < block.count;) {
        const next = block.doc[at]!
        await sending.send(batch, this.#reading.signal, checksum?.at(batch.toDoc))
        if (sending.failed) return undefined
        if (this.#stoppedIndices.has(item.index)) throw stopped()
        batch = this.#takeBatch(next)
        at = fillBatch(batch, block, at, this.#limits(task))
      }
    }
    batch.toDoc = toDoc
    const end = checksum?.at(toDoc)
    await sending.send(batch, this.#reading.signal, end)
    return { fromDoc, toDoc, ...(end !== undefined && { crc: end }) }
  }

  #checkBlock(block: DocumentBlock, { item, mayHoldRouted }: ItemTask): void {
    if (this.#reading.signal.aborted || this.#stoppedIndices.has(item.index)) throw stopped()
    const routed = mayHoldRouted ? -1 : firstRouted(block)
    if (routed >= 0) throw routedError(item, block, routed)
  }

  #limits({ epochBase, versionFrom, place }: ItemTask): BatchLimits {
    const { bytesMax } = this.#flow
    return { bytesMax, epochBase, versionFrom, ...formOf(place) }
  }

  #takeBatch(fromDoc: number): BulkBatch {
    const bytesMax = this.#context.bulkBytesMax
    const batch = this.#pool.pop() ?? createBatch(bytesMax)
    resetBatch(batch, fromDoc, bytesMax)
    return batch
  }

  async #reader(task: ShardTask, { checked }: { checked: boolean }): Promise<ShardReader> {
    const { index, shard } = task
    if (this.#open?.task.index === index && this.#open.task.shard === shard) {
      return this.#open.reader
    }
    await this.#closeReader()
    const reader = await this.#context.openShardReader(
      { index, shard },
      { checked, signal: this.#reading.signal },
    )
    this.#open = { task: { index, shard }, reader }
    return reader
  }
}

/** How much at once: the number of bulks and the size of one follow the target's answers. */
interface Flow {
  readonly pace: Pace
  bytesMax: number
}

const bytesMaxLeast = 64 * 1024

interface SendingContext {
  deliver: WorkerContext['deliver']
  flow: Flow
  report: Report
  giveBatch(batch: BulkBatch): void
  signal: AbortSignal
}

/** The bulks of one item. The first failure is kept, the rest is awaited. */
class ItemSending {
  readonly #task: ItemTask
  readonly #context: SendingContext
  readonly #checkpoint: Checkpoint
  readonly #underWay = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined

  constructor(task: ItemTask, context: SendingContext) {
    this.#task = task
    this.#context = context
    this.#checkpoint = new Checkpoint(task.item)
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /**
   * Waits for a place, then sends without waiting for the answer. The batch belongs to the bulk until then. `crc`: of the
   * item's stored bytes up to the end of the batch, where it is known.
   */
  async send(batch: BulkBatch, reading: AbortSignal, crc: number | undefined): Promise<void> {
    await this.#context.flow.pace.enter(reading)
    const bulk = this.#deliver(batch, crc)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#underWay.delete(bulk)
        this.#context.giveBatch(batch)
      })
    this.#underWay.add(bulk)
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    if (this.#failure) throw this.#failure.error
  }

  async #deliver(batch: BulkBatch, crc: number | undefined): Promise<void> {
    const { item, partialSource, place, isFollowed } = this.#task
    const newerStays = place.stream !== undefined || isFollowed === true
    const stretch = this.#checkpoint.add(batch.toDoc, crc)
    const start = performance.now()
    try {
      const outcome = await this.#outcome(batch)
      const { settled, deadLetters } = judge(batch, outcome, { ...item, partialSource, newerStays })
      this.#checkpoint.settle(stretch, settled)
      await this.#context.report({ item: this.#checkpoint.item, deadLetters })
    } finally {
      this.#context.flow.pace.leave({ latencyMs: performance.now() - start })
    }
  }

  async #outcome(batch: BulkBatch): Promise<BulkOutcome> {
    if (batch.count === 0) return nothingToSend
    const { deliver, flow, signal } = this.#context
    const outcome = await deliver(this.#task.place, batch, signal)
    if (outcome.waits > 0) flow.pace.pushBack()
    if (outcome.tooLarge && batch.count > 1) {
      flow.bytesMax = Math.max(bytesMaxLeast, Math.min(flow.bytesMax, outcome.bytesSent) >> 1)
    }
    return outcome
  }
}

const nothingToSend: BulkOutcome = {
  written: 0,
  conflicts: [],
  refused: [],
  bytesSent: 0,
  requests: 0,
  waits: 0,
  tooLarge: false,
}

function routedError(item: WorkItem, block: DocumentBlock, i: number): MigrationError {
  const text = (start: number, end: number): string => block.bytes.toString('utf8', start, end)
  const id = text(block.idStart[i]!, block.idEnd[i]!)
  const routing = text(block.routingStart[i]!, block.routingEnd[i]!)
  return new MigrationError(
    'MA_TARGET_INDEX',
    `index ${item.index} holds routed documents (${JSON.stringify(id)} with routing ${JSON.stringify(routing)}), ` +
      'but its target index spreads documents otherwise (another number of shards, or made before 2.0), so that ' +
      'documents of one id could overwrite each other. ' +
      "Delete the target index and make it again with the source's number of shards (osmigrate metadata migrate).",
    { details: { index: item.index, shard: item.shard, id, routing } },
  )
}
