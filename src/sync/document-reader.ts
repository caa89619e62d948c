import { Pace } from '../cluster/pace.ts'
import type { ApplierInput } from './applier-input.ts'
import type { IndexFlow } from './index-flow.ts'
import { patiently } from './patient.ts'
import type { PendingDocument, SourceKind } from './pending-document.ts'
import { readBack, type ReadBackResult } from './read-back.ts'
import { SourceDocuments } from './source-documents.ts'

type Input = Pick<ApplierInput, 'source' | 'view' | 'options' | 'budget' | 'signal' | 'onWait'>

const readBytesMax = 4 * 1024 * 1024
const readDocumentsMax = 500
const readsAtOnceMax = 4

/** Reads documents from the source in bounded pieces, at a bounded rate, and waits for a source that cannot be read. */
export class DocumentReader {
  readonly #input: Input
  readonly #kind: SourceKind
  readonly #documents: SourceDocuments
  readonly #pace = new Pace(readsAtOnceMax)

  constructor(input: Input, kind: SourceKind) {
    this.#input = input
    this.#kind = kind
    this.#documents = new SourceDocuments(input.source, input.signal)
  }

  async readBack(wanted: readonly PendingDocument[]): Promise<ReadBackResult> {
    const all: ReadBackResult = { present: [], nothing: [], held: [], refused: [] }
    for (let at = 0; at < wanted.length;) {
      const some = wanted.slice(at, at + this.#atOnce(wanted[at]!))
      at += some.length
      const { present, nothing, held, refused } = await this.#readSome(some)
      for (const one of present) all.present.push(one)
      for (const one of nothing) all.nothing.push(one)
      for (const one of held) all.held.push(one)
      for (const one of refused) all.refused.push(one)
    }
    return all
  }

  /** The greatest number that the source has given in an index; undefined where that cannot be told now. */
  async numberMost(flow: IndexFlow): Promise<number | undefined> {
    const shards = await this.#patiently(() => this.#input.view.shards([flow.name]))
    const numbers = shards.get(flow.name)?.map(({ maxSeqNo }) => maxSeqNo ?? Infinity)
    return numbers && Math.max(...numbers)
  }

  #atOnce({ flow }: PendingDocument): number {
    return Math.max(1, Math.min(readDocumentsMax, Math.floor(readBytesMax / flow.documentBytes)))
  }

  async #readSome(some: readonly PendingDocument[]): Promise<ReadBackResult> {
    const { signal, view, budget } = this.#input
    await budget.take(some.length, signal)
    await this.#pace.enter(signal)
    const start = performance.now()
    try {
      return await this.#patiently(() =>
        readBack(some, {
          ...{ documents: this.#documents, kind: this.#kind, signal },
          shards: (names) => view.shards(names),
        }),
      )
    } finally {
      this.#pace.leave({ latencyMs: performance.now() - start })
    }
  }

  #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const { signal, onWait, options } = this.#input
    const onFailure = (): void => this.#pace.pushBack()
    return patiently('source', { onWait, waitMaxMs: options.waitMaxMs, signal, onFailure }, ask)
  }
}
