import type { StateStore } from '../state/store.ts'
import { syncDeadLetterKey, syncDeadLetterKind, type SyncDeadLetter } from './records.ts'

type Document = Pick<SyncDeadLetter, 'index' | 'id' | 'routing'>

/** Changes that the target refused. A later change of the document that the target takes ends its dead letter. */
export class SyncDeadLetters {
  readonly #state: StateStore
  readonly #perIndexMax: number
  readonly #open = new Map<string, Document>()
  readonly #counts = new Map<string, number>()
  /** Indices that have too many, until somebody does something about them. */
  readonly #full = new Set<string>()

  /** `perIndexMax`: with more than so many an index is not to be written to any more. */
  static async load(state: StateStore, perIndexMax: number): Promise<SyncDeadLetters> {
    const letters = new SyncDeadLetters(state, perIndexMax)
    for await (const { key, value } of state.each(syncDeadLetterKind)) {
      if (value.state !== 'discarded') letters.#add(key, value)
    }
    return letters
  }

  private constructor(state: StateStore, perIndexMax: number) {
    this.#state = state
    this.#perIndexMax = perIndexMax
  }

  get count(): number {
    return this.#open.size
  }

  has(document: Document): boolean {
    return this.#open.size > 0 && this.#open.has(syncDeadLetterKey(document))
  }

  /** Stored when it resolves; with why nothing more is to be written to the index, where this one is one too many. */
  async put(letter: Omit<SyncDeadLetter, 'at' | 'state'>): Promise<string | undefined> {
    const key = syncDeadLetterKey(letter)
    const { index } = letter
    const value: SyncDeadLetter = { ...letter, at: new Date().toISOString(), state: 'open' }
    await this.#state.commit([{ op: 'put', kind: syncDeadLetterKind, key, value }])
    // What is sent again, and refused again, is nothing new.
    if (!this.#add(key, letter) || this.#countOf(index) <= this.#perIndexMax) return undefined
    this.#full.add(index)
    return tooMany(index, this.#countOf(index), this.#perIndexMax)
  }

  async written(document: Document): Promise<void> {
    const key = syncDeadLetterKey(document)
    await this.#state.commit([{ op: 'delete', kind: syncDeadLetterKind, key }])
    this.#remove(key)
  }

  /**
   * Those that somebody has asked to be sent again; they count as asked for no longer. `mended`: indices that had too many,
   * of which some were asked for, or so many discarded that the others are few.
   */
  async takeAgain(): Promise<{ again: Document[]; mended: string[] }> {
    const again: Document[] = []
    if (this.#open.size === 0) return { again, mended: [] }
    for await (const { key, value, revision } of this.#state.each(syncDeadLetterKind)) {
      if (value.state === 'discarded') this.#remove(key)
      if (value.state !== 'again') continue
      again.push(documentOf(value))
      const open: SyncDeadLetter = { ...value, state: 'open' }
      await this.#state.commit([
        { op: 'put', kind: syncDeadLetterKind, key, value: open, revision },
      ])
    }
    const asked = new Set(again.map(({ index }) => index))
    const mended = [...this.#full].filter(
      (index) => asked.has(index) || this.#countOf(index) <= this.#perIndexMax,
    )
    for (const index of mended) this.#full.delete(index)
    return { again, mended }
  }

  #countOf(index: string): number {
    return this.#counts.get(index) ?? 0
  }

  /** False where there is one of this document. */
  #add(key: string, document: Document): boolean {
    const isNew = !this.#open.has(key)
    this.#open.set(key, documentOf(document))
    if (isNew) this.#counts.set(document.index, this.#countOf(document.index) + 1)
    return isNew
  }

  #remove(key: string): void {
    const index = this.#open.get(key)?.index
    if (index === undefined) return
    this.#open.delete(key)
    this.#counts.set(index, this.#countOf(index) - 1)
  }
}

function tooMany(index: string, count: number, max: number): string {
  return (
    `the target refused ${count} of its documents, more than sync.deadLettersMax (${max}): osmigrate deadletters list --index ` +
    `${index} shows why. Mend the target index and have them sent again (deadletters retry), discard them, or raise the option and start sync anew`
  )
}

function documentOf({ index, id, routing }: Document): Document {
  return { index, id, routing }
}
