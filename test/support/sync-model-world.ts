/**
 * The smallest source, log and target on which the conditions of the version rule can be told apart: one shard with a
 * primary and a replica, requests and answers in a log, an index with tombstones, messages on their way.
 */

export type Id = string

/** One numbered operation of the shard; its place in the array is its number. `id` undefined: a no-op that fills a hole. */
interface Operation {
  readonly id?: Id
  /** null: a delete. */
  readonly value: number | null
  /** On the primary it has its number before it can be seen. */
  isVisible: boolean
  isReplicated: boolean
}

export interface ModelDocument {
  readonly seqNo: number
  readonly value: number
}

/** What a client sent through the proxy. */
export interface Exchange {
  readonly id: Id
  readonly kind: 'write' | 'delete' | 'update'
  readonly value: number | null
  readonly beganAt: number
  operation?: Operation
  /** The number, once the operation is safe; `unknown` when no answer came. */
  outcome?: number | 'unknown'
}

export type LogRecord = { readonly kind: 'request' | 'response'; readonly exchange: Exchange }

export interface ModelSnapshot {
  readonly incarnation: string
  readonly term: number
  readonly localCheckpoint: number
  readonly maxSeqNo: number
  readonly documents: ReadonlyMap<Id, ModelDocument>
}

export class ModelSource {
  /** Index UUID and history UUID. */
  incarnation = 'i0'
  term = 1
  #operations: Operation[] = []
  #incarnations = 0

  get maxSeqNo(): number {
    return this.#operations.length - 1
  }

  get localCheckpoint(): number {
    return this.#through(({ isVisible }) => isVisible)
  }

  get globalCheckpoint(): number {
    return this.#through(({ isReplicated }) => isReplicated)
  }

  /** An engine holds a lock for a document from its number on until it can be seen. */
  isBusyWith(id: Id): boolean {
    return this.#operations.some((one) => one.id === id && !one.isVisible)
  }

  begin(id: Id, value: number | null): Operation {
    const operation = { id, value, isVisible: false, isReplicated: false }
    this.#operations.push(operation)
    return operation
  }

  invisible(): Operation[] {
    return this.#operations.filter(({ isVisible }) => !isVisible)
  }

  unreplicated(): Operation[] {
    return this.#operations.filter(({ isVisible, isReplicated }) => isVisible && !isReplicated)
  }

  seqNoOf(operation: Operation): number | undefined {
    const place = this.#operations.indexOf(operation)
    return place === -1 ? undefined : place
  }

  /** The documents of a copy: the newest operation that it has of each. */
  documents(copy: 'primary' | 'replica'): Map<Id, ModelDocument> {
    const found = new Map<Id, ModelDocument>()
    for (const [seqNo, { id, value, isVisible, isReplicated }] of this.#operations.entries()) {
      if (id === undefined || !(copy === 'primary' ? isVisible : isReplicated)) continue
      if (value === null) found.delete(id)
      else found.set(id, { seqNo, value })
    }
    return found
  }

  /** The replica becomes the primary: what it does not have is gone, and its numbers are given once more. */
  losePrimary(): void {
    const kept = this.#operations.findLastIndex(({ isReplicated }) => isReplicated) + 1
    this.#operations = this.#operations
      .slice(0, kept)
      .map((one) => (one.isReplicated ? one : { value: null, isVisible: true, isReplicated: true }))
    this.term++
  }

  /** A snapshot of the source's own is restored over the index: its first operations, another history. */
  restore(operations: number): void {
    this.#operations = this.#operations
      .slice(0, operations)
      .map((one) => ({ ...one, isVisible: true, isReplicated: true }))
    this.#turn()
  }

  recreate(): void {
    this.#operations = []
    this.#turn()
  }

  snapshot(): ModelSnapshot {
    const { incarnation, term, localCheckpoint, maxSeqNo } = this
    return { incarnation, term, localCheckpoint, maxSeqNo, documents: this.documents('primary') }
  }

  #turn(): void {
    this.incarnation = `i${++this.#incarnations}`
    this.term++
  }

  #through(has: (operation: Operation) => boolean): number {
    const missing = this.#operations.findIndex((one) => !has(one))
    return missing === -1 ? this.maxSeqNo : missing - 1
  }
}

/** A write on its way to the target. */
export interface Message {
  readonly fence: number
  readonly id: Id
  readonly version: number
  readonly value: number | null
  /** Tells the sender: it is there, something newer is, or there is no such index. Absent: nobody waits any more. */
  answer: ((outcome: 'done' | 'conflict' | 'no-index') => void) | undefined
}

interface Versioned {
  readonly version: number
  /** null: a tombstone. */
  readonly value: number | null
}

/** An index of the target, which is made anew for each incarnation; what is sent names the one that it is for. */
export class ModelTarget {
  fence = 1
  #held = new Map<Id, Versioned>()

  makeAnew(): void {
    this.fence++
    this.#held.clear()
  }

  documents(): Map<Id, Versioned> {
    return new Map([...this.#held].filter(([, { value }]) => value !== null))
  }

  hasTombstones(): boolean {
    return [...this.#held.values()].some(({ value }) => value === null)
  }

  /** What a restart, a relocation, closing and opening do. */
  forgetTombstones(): void {
    this.#held = this.documents()
  }

  take(
    { fence, id, version, value }: Message,
    rules: { readonly versions: boolean; readonly fence: boolean },
  ): 'done' | 'conflict' | 'no-index' {
    if (rules.fence && fence !== this.fence) return 'no-index'
    const there = this.#held.get(id)
    if (rules.versions && there !== undefined && there.version > version) return 'conflict'
    this.#held.set(id, { version, value })
    return 'done'
  }
}
