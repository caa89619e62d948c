import { Worker } from 'node:worker_threads'
import { blobRetryChannel } from '../blob/retry.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type {
  BackfillWorker,
  ItemRun,
  ItemTask,
  OpenedShard,
  Report,
  SegmentTask,
  ShardTask,
} from './local-worker.ts'
import {
  errorData,
  errorOf,
  type FromWorker,
  type ToWorker,
  type WorkerData,
} from './worker-messages.ts'

interface Call {
  opened?: (shard: OpenedShard) => void
  read?: (item: ItemRun) => void
  checked?: () => void
  report?: Report
  settled?: PromiseWithResolvers<void>
  reject: (error: unknown) => void
}

/** A thread makes little garbage beside its pools; by default V8 would let 48 MB of it gather in each of them. */
const youngGenerationMbMax = 6

/** A worker in a thread of its own. What is under way is bounded there: a bulk's place is free once its report is stored here. */
export class ThreadWorker implements BackfillWorker {
  readonly #thread: Worker
  readonly #calls = new Map<number, Call>()
  readonly #exited: Promise<void>
  readonly #onWait: (wait: BulkWait) => void
  #ids = 0
  #dead: Error | undefined

  constructor(data: WorkerData, onWait: (wait: BulkWait) => void) {
    this.#onWait = onWait
    // As this module: .ts in development, .js when compiled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#thread = new Worker(new URL(`./worker-thread.${extension}`, import.meta.url), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMbMax },
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    this.#thread.on('message', (message: FromWorker) => this.#receive(message))
    this.#thread.on('error', (error) => this.#die(error as Error))
    this.#thread.on('exit', (code) => {
      this.#die(new Error(`a worker thread ended by itself (exit code ${code})`))
      resolve()
    })
  }

  openShard(task: ShardTask): Promise<OpenedShard> {
    return new Promise((opened, reject) => {
      const id = this.#call({ opened, reject })
      this.#post({ type: 'open', id, task })
    })
  }

  run(task: ItemTask, report: Report): Promise<ItemRun> {
    return new Promise((read, reject) => {
      const settled = Promise.withResolvers<void>()
      // Whoever awaits it later gets the error then.
      settled.promise.catch(() => {})
      const id = this.#call({ read, report, settled, reject })
      this.#post({ type: 'run', id, task })
    })
  }

  checkSegment(task: SegmentTask): Promise<void> {
    return new Promise((checked, reject) => {
      const id = this.#call({ checked, reject })
      this.#post({ type: 'check', id, task })
    })
  }

  stop(index?: string): void {
    this.#post({ type: 'stop', ...(index !== undefined && { index }) })
  }

  giveUp(): void {
    this.#post({ type: 'giveUp' })
  }

  async close(): Promise<void> {
    this.#post({ type: 'close' })
    await this.#exited
  }

  #call(call: Call): number {
    const id = ++this.#ids
    this.#calls.set(id, call)
    if (this.#dead) this.#fail(id, this.#dead)
    return id
  }

  #post(message: ToWorker): void {
    if (!this.#dead) this.#thread.postMessage(message)
  }

  #receive(message: FromWorker): void {
    if (message.type === 'wait') {
      this.#onWait(message.wait)
      return
    }
    if (message.type === 'blobRetry') {
      blobRetryChannel.publish(message.retry)
      return
    }
    const call = this.#calls.get(message.id)
    if (!call) return
    switch (message.type) {
      case 'opened':
        this.#calls.delete(message.id)
        call.opened?.(message.shard)
        break
      case 'read':
        call.read?.({ read: message.read, settled: call.settled!.promise })
        break
      case 'checked':
        this.#calls.delete(message.id)
        call.checked?.()
        break
      case 'report':
        void this.#store(call, message)
        break
      case 'settled':
        this.#calls.delete(message.id)
        if (message.error) call.settled?.reject(errorOf(message.error))
        else call.settled?.resolve()
        break
      case 'failed':
        this.#fail(message.id, errorOf(message.error))
        break
    }
  }

  async #store(call: Call, message: FromWorker & { type: 'report' }): Promise<void> {
    try {
      await call.report?.(message.content)
      this.#post({ type: 'stored', report: message.report })
    } catch (error) {
      this.#post({ type: 'stored', report: message.report, error: errorData(error) })
    }
  }

  #die(error: Error): void {
    this.#dead ??= error
    for (const id of [...this.#calls.keys()]) this.#fail(id, error)
  }

  #fail(id: number, error: Error): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    call?.reject(error)
    call?.settled?.reject(error)
  }
}
