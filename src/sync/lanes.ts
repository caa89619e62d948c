import type { IndexFlow } from './index-flow.ts'
import { coalesce, type PendingDocument } from './pending-document.ts'

/** How much a lane takes on at once. */
export interface TakeLimits {
  /** Bytes of sources; a document that alone is larger is taken alone. */
  readonly bytesMax: number
  readonly documentsMax: number
  /** performance.now(): indices on hold until later are left. */
  readonly now: number
}

/**
 * One way of changes to the target, with one bulk under way at a time, so that of two writes of a document the later is
 * sent when the earlier is settled. What waits of one document is put together.
 */
export class Lane {
  readonly number: number
  /** Indices in the order in which they are taken from. */
  readonly #waiting = new Map<IndexFlow, Map<string, PendingDocument>>()
  isRunning = false

  constructor(number: number) {
    this.number = number
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Gives what it waits as: itself, or another change of the same document, to which it was put. */
  put(document: PendingDocument): PendingDocument {
    const ofIndex = this.#waiting.get(document.flow)
    if (ofIndex === undefined) {
      this.#waiting.set(document.flow, new Map([[document.key, document]]))
      return document
    }
    const known = ofIndex.get(document.key)
    if (known === undefined) ofIndex.set(document.key, document)
    else coalesce(known, document)
    return known ?? document
  }

  /** Takes back what could not be settled; gives the change that has come meanwhile, and is put to it. */
  putBack(document: PendingDocument): PendingDocument | undefined {
    const ofIndex = this.#waiting.get(document.flow)
    const meanwhile = ofIndex?.get(document.key)
    if (meanwhile === undefined) {
      this.put(document)
      return undefined
    }
    coalesce(document, meanwhile)
    ofIndex!.set(document.key, document)
    return meanwhile
  }

  /** The documents that are next, index by index; the index that was taken from last comes last. */
  take({ bytesMax, documentsMax, now }: TakeLimits): PendingDocument[] {
    const taken: PendingDocument[] = []
    let bytes = 0
    for (const [flow, documents] of [...this.#waiting]) {
      if (flow.hold !== undefined && flow.hold.until > now) continue
      this.#waiting.delete(flow)
      for (const [key, document] of documents) {
        const more = document.source?.length ?? 0
        const isFull = taken.length === documentsMax || bytes + more > bytesMax
        if (isFull && taken.length > 0) break
        documents.delete(key)
        taken.push(document)
        bytes += more
      }
      if (documents.size > 0) {
        this.#waiting.set(flow, documents)
        break
      }
    }
    return taken
  }

  /** When the first index on hold is to be tried again; undefined where none is. */
  heldUntil(): number | undefined {
    let first: number | undefined
    for (const { hold } of this.#waiting.keys()) {
      if (hold !== undefined) first = Math.min(first ?? hold.until, hold.until)
    }
    return first
  }

  /** Takes all that waits of an index. */
  drop(flow: IndexFlow): PendingDocument[] {
    const documents = this.#waiting.get(flow)
    this.#waiting.delete(flow)
    return documents === undefined ? [] : [...documents.values()]
  }
}

/** The lane of a document, whatever its routing and type: by FNV-1a of index and id. */
export function laneOf(index: string, id: string, lanes: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < index.length; i++) {
    hash = Math.imul(hash ^ index.charCodeAt(i), 0x01000193)
  }
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % lanes
}
