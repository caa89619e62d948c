import type { StateStore } from '../state/store.ts'
import { syncDeadLetterKey, syncDeadLetterKind, type SyncDeadLetter } from './records.ts'

type Document = Pick<SyncDeadLetter, 'index' | 'id' | 'routing'>

/** Changes that the target refused. A later change of the document that the target takes ends its dead letter. */
export class SyncDeadLetters {
  readonly #state: StateStore
  readonly #open = new Map<string, Document>()

  static async load(state: StateStore): Promise<SyncDeadLetters> {
    const letters = new SyncDeadLetters(state)
    for await (const { key, value } of state.each(syncDeadLetterKind)) {
      if (value.state !== 'discarded') letters.#open.set(key, documentOf(value))
    }
    return letters
  }

  private constructor(state: StateStore) {
    this.#state = state
  }

  get count(): number {
    return this.#open.size
  }

  countOf(index: string): number {
    let count = 0
    for (const letter of this.#open.values()) if (letter.index === index) count++
    return count
  }

  has(document: Document): boolean {
    return this.#open.size > 0 && this.#open.has(syncDeadLetterKey(document))
  }

  async put(letter: Omit<SyncDeadLetter, 'at' | 'state'>): Promise<void> {
    const key = syncDeadLetterKey(letter)
    const value: SyncDeadLetter = { ...letter, at: new Date().toISOString(), state: 'open' }
    await this.#state.commit([{ op: 'put', kind: syncDeadLetterKind, key, value }])
    this.#open.set(key, documentOf(letter))
  }

  async written(document: Document): Promise<void> {
    const key = syncDeadLetterKey(document)
    await this.#state.commit([{ op: 'delete', kind: syncDeadLetterKind, key }])
    this.#open.delete(key)
  }

  /** Those that somebody has asked to be sent again; they count as asked for no longer. */
  async takeAgain(): Promise<Document[]> {
    const documents: Document[] = []
    if (this.#open.size === 0) return documents
    for await (const { key, value, revision } of this.#state.each(syncDeadLetterKind)) {
      if (value.state === 'discarded') this.#open.delete(key)
      if (value.state !== 'again') continue
      documents.push(documentOf(value))
      const open: SyncDeadLetter = { ...value, state: 'open' }
      await this.#state.commit([
        { op: 'put', kind: syncDeadLetterKind, key, value: open, revision },
      ])
    }
    return documents
  }
}

function documentOf({ index, id, routing }: Document): Document {
  return { index, id, routing }
}
