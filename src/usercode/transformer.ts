import { Worker } from 'node:worker_threads'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import {
  packDocuments,
  transformedBlock,
  type PackedDocuments,
  type TransformedBlock,
} from '../transform/packed-documents.ts'
import {
  changesDocuments,
  mappingName,
  stepsOfMapping,
  stepWithoutInverse,
  type Direction,
  type MappingOf,
  type StepShape,
  type Unsent,
} from '../transform/pipeline.ts'
import type { ReadRequest } from '../transform/module.ts'
import type { TransformSpec } from '../transform/spec.ts'
import type { FromThread, ThreadData, ToThread } from './messages.ts'

/** How documents of an index are changed. */
export interface TransformTask {
  readonly index: string
  /** Id and routing may change: see mayRename(). */
  readonly mayRename: boolean
  /** Default: document. */
  readonly direction?: Direction
}

/**
 * True where a transform may change id and routing: all numbers come from one shard, so that of two documents which get
 * one id the newer stays (design §3.2).
 */
export function mayRename(shards: { sourceShards: number; targetShards: number }): boolean {
  return shards.sourceShards === 1 && shards.targetShards === 1
}

/** Modules may read files and make tables before they are ready. */
const loadMaxMs = 60_000
/** Threads that documents may end before it is taken for a mistake in the module, not in documents. */
const deathsMax = 10
const heapMbMax = 512

/**
 * Runs the code of users in a thread of its own, so that nothing it does holds anything up for longer than the deadline:
 * then the thread is ended, the document that it was at is named, and a new thread goes on with the next.
 * One thing at a time: what is asked meanwhile waits for its turn. Throws MA_TRANSFORM, and MA_CONFIG for modules that cannot be used.
 */
export class Transformer {
  readonly spec: TransformSpec
  readonly #place = new Int32Array(new SharedArrayBuffer(4))
  #thread: Worker
  /** The thread has ended. */
  #gone = false
  #steps: readonly StepShape[] = []
  #deaths = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(spec: TransformSpec) {
    this.spec = spec
    this.#thread = this.#start()
  }

  /** Loads the modules. */
  static async open(spec: TransformSpec): Promise<Transformer> {
    const transformer = new Transformer(spec)
    await transformer.#load()
    return transformer
  }

  changesDocuments(index: string): boolean {
    return changesDocuments(this.#steps, index)
  }

  changesMapping(of: MappingOf): boolean {
    return stepsOfMapping(this.#steps, of).some(({ functions }) => functions.includes('mapping'))
  }

  /** Whether a step has a say in reading requests. */
  get changesRequests(): boolean {
    return this.#steps.some(({ functions }) => functions.includes('request'))
  }

  /** Name of the first step that changes documents of the index and has no inverse. */
  withoutInverse(index: string): string | undefined {
    return stepWithoutInverse(this.#steps, index)?.name
  }

  /** The blocks with their documents changed, in smaller pieces. */
  async *blocks(
    blocks: AsyncIterable<DocumentBlock>,
    task: TransformTask,
  ): AsyncIterable<TransformedBlock> {
    for await (const block of blocks) {
      let from = 0
      do {
        const packed = packDocuments(block, from)
        const { documents, unsent } = await this.#inTurn(() => this.#documents(packed, task))
        yield transformedBlock(block, from, documents, unsent)
        from += packed.count
      } while (from < block.count)
    }
  }

  /** The mapping as the steps change it. */
  mapping(of: MappingOf, mapping: JsonObject): Promise<JsonObject> {
    return this.#inTurn(() => this.#mapping(of, mapping))
  }

  async #mapping(of: MappingOf, mapping: JsonObject): Promise<JsonObject> {
    const message = { type: 'mapping', of, mapping: JSON.stringify(mapping) } as const
    const answer = await this.#ask(message, 'mapping')
    if (answer !== 'dead' && answer.type === 'mapping') {
      return JSON.parse(answer.mapping) as JsonObject
    }
    const name = mappingName(of)
    return this.#fail(answer, `the mapping of ${name}`, {
      what: name,
      details: { index: of.index },
    })
  }

  /** The request as the steps change it; throws MA_TRANSFORM. */
  request(request: ReadRequest): Promise<ReadRequest> {
    return this.#inTurn(() => this.#request(request))
  }

  async #request(request: ReadRequest): Promise<ReadRequest> {
    const answer = await this.#ask({ type: 'request', request }, 'request')
    if (answer !== 'dead' && answer.type === 'request') return answer.request
    const { method, path } = request
    const what = `${method} ${path}`
    return this.#fail(answer, `the request ${what}`, { what, details: { method, path } })
  }

  /** What is done with the thread, its end and a new one included, ends before the next begins. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Throws what is wrong with the answer, when the thread is one that answers again. */
  async #fail(
    answer: FromThread | 'dead',
    failedOn: string,
    { what, details }: { what: string; details: { [name: string]: string } },
  ): Promise<never> {
    const complaint = this.#complaint(answer)
    if (answer === 'dead') await this.#restart(what)
    const message = `the transform failed on ${failedOn}: ${complaint}`
    throw new MigrationError('MA_TRANSFORM', message, { details })
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }

  #complaint(answer: FromThread | 'dead'): string {
    if (answer === 'dead') return this.#reason
    return 'reason' in answer ? answer.reason : `it answered ${answer.type}`
  }

  async #documents(
    documents: PackedDocuments,
    { index, mayRename, direction = 'document' }: TransformTask,
  ): Promise<{ documents: PackedDocuments; unsent: Map<number, Unsent> }> {
    const ended = new Map<number, Unsent>()
    for (;;) {
      const leaveOut = [...ended.keys()]
      const about = { type: 'documents', index, direction, mayRename, leaveOut } as const
      const answer = await this.#ask({ ...about, documents }, 'documents')
      if (answer !== 'dead') {
        if (answer.type !== 'documents') throw new Error(this.#complaint(answer))
        const unsent = new Map([...ended, ...answer.unsent])
        for (const one of unsent.values()) {
          if (one.why === 'refused') throw refused(index, one.reason)
        }
        return { documents: answer.documents, unsent }
      }
      const at = Atomics.load(this.#place, 0)
      const why = await this.#restart(`index ${index}`)
      if (at !== between) ended.set(at, why)
    }
  }

  /** A new thread after one that ended; what is said of the document that it was at. */
  async #restart(at: string): Promise<Unsent> {
    const { deadlineMs } = this.spec
    const reason = this.#reason
    if (++this.#deaths > deathsMax) {
      throw new MigrationError(
        'MA_TRANSFORM',
        `the transform has ended its thread or overrun its deadline ${this.#deaths} times, the last time at ` +
          `${at}: ${reason}. Mend the module; osmigrate transform test shows what it does to documents.`,
        { details: { at, deadlineMs } },
      )
    }
    this.#thread = this.#start()
    await this.#load()
    return { why: 'failed', reason }
  }

  /** Why the thread ended. */
  #reason = ''

  #start(): Worker {
    this.#place[0] = between
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const data: ThreadData = { spec: this.spec, place: this.#place }
    const thread = new Worker(new URL(`./thread.${extension}`, import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
      // What modules print must not get between the results on stdout.
      stdout: true,
    })
    thread.stdout.on('data', (printed: Uint8Array) => process.stderr.write(printed))
    // Whoever waits hears of it; between two questions the next one finds the thread gone.
    thread.on('error', () => {})
    this.#gone = false
    thread.once('exit', () => (this.#gone ||= this.#thread === thread))
    thread.unref()
    return thread
  }

  async #load(): Promise<void> {
    const answer = await this.#answer(() => {}, loadMaxMs, 'modules')
    if (answer !== 'dead' && answer.type === 'ready') {
      this.#steps = answer.steps
      return
    }
    await this.close()
    throw new MigrationError('MA_CONFIG', `transform: ${this.#complaint(answer)}`)
  }

  #ask(message: ToThread, what: Asked): Promise<FromThread | 'dead'> {
    return this.#answer((thread) => thread.postMessage(message), this.spec.deadlineMs, what)
  }

  /**
   * The answer of the thread. Each document has the time for itself: a thread that is at the same one twice as the clock
   * strikes is ended, so that none takes longer than twice the deadline; so is one that is at none for a minute, since code
   * of its module runs between them. Of anything else the whole has the time.
   */
  async #answer(
    ask: (thread: Worker) => void,
    deadlineMs: number,
    what: Asked,
  ): Promise<FromThread | 'dead'> {
    const thread = this.#thread
    const { promise, resolve } = Promise.withResolvers<FromThread | 'dead'>()
    this.#reason = ''
    if (this.#gone) {
      this.#reason = 'its thread ended by itself between two documents'
      return 'dead'
    }
    let seen = between
    let idleMs = 0
    const timer = setInterval(() => {
      const now = Atomics.load(this.#place, 0)
      idleMs = now === between ? idleMs + deadlineMs : 0
      if (what !== 'documents' || (now === seen && now !== between) || idleMs > loadMaxMs) {
        this.#reason = `the ${nouns[what]} took longer than the deadline of ${deadlineMs} ms`
        void thread.terminate()
      }
      seen = now
    }, deadlineMs)
    const onError = (error: Error): void => {
      this.#reason ||= `its thread ended: ${error.message}`
    }
    const onExit = (code: number): void => {
      this.#reason ||= `its thread ended by itself (exit code ${code})`
      resolve('dead')
    }
    thread.once('message', resolve).once('error', onError).once('exit', onExit)
    try {
      ask(thread)
      return await promise
    } finally {
      clearInterval(timer)
      thread.off('message', resolve).off('error', onError).off('exit', onExit)
    }
  }
}

type Asked = 'documents' | 'mapping' | 'request' | 'modules'
const nouns = {
  documents: 'document',
  mapping: 'mapping',
  request: 'request',
  modules: 'loading of the modules',
}
/** Place of a thread that is at no document. */
const between = -1

function refused(index: string, reason: string): MigrationError {
  return new MigrationError('MA_TRANSFORM', reason, { details: { index } })
}
