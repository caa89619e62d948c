import { Buffer } from 'node:buffer'
import { stretchDocs } from '../lucene/docs-with-field.ts'
import { parentFieldPrefix, type Segment } from '../lucene/segment.ts'
import type { OpenedSorted } from '../lucene/segment-doc-values.ts'

/**
 * The ids of parents where the engine keeps them in doc values alone: Elasticsearch 5, and indices made by it that live on
 * in 6. There is a field for each type that has children, `_parent#type`; a child has the id of its parent in it, and a
 * document of the type itself its own.
 */
export class ParentColumns {
  readonly #columns: Column[]

  private constructor(columns: Column[]) {
    this.#columns = columns
  }

  /** undefined where the segment has no such field, or keeps parents with the stored fields (before 5). */
  static async open(segment: Segment): Promise<ParentColumns | undefined> {
    const { fieldInfos, luceneVersion } = segment
    const names = [...fieldInfos.keys()].filter((name) => name.startsWith(parentFieldPrefix))
    if (names.length === 0 || Number.parseInt(luceneVersion, 10) < firstWithoutStored)
      return undefined
    const columns: Column[] = []
    try {
      for (const name of names) {
        const opened = await segment.openSorted(name)
        const type = Buffer.from(name.slice(parentFieldPrefix.length))
        if (opened !== undefined) columns.push({ type, opened, fromDoc: 0, terms: [] })
      }
    } catch (error) {
      for (const { opened } of columns) await opened.source.close()
      throw error
    }
    return new ParentColumns(columns)
  }

  /** Reads what find() will need for documents [fromDoc, toDoc) of one stretch. */
  async load(fromDoc: number, toDoc: number): Promise<void> {
    const stretch = Math.floor(fromDoc / stretchDocs)
    for (const column of this.#columns) {
      const { ordinals, terms } = column.opened
      await ordinals.load(stretch)
      column.fromDoc = fromDoc
      column.terms = []
      for (let doc = fromDoc; doc < toDoc; doc++) {
        const ordinal = ordinals.values[doc - stretch * stretchDocs]!
        column.terms.push(ordinal < 0 ? undefined : await terms.read(ordinal))
      }
    }
  }

  /** The id of the parent of a document whose type stands in `bytes`; undefined where it has none. */
  find(doc: number, bytes: Buffer, typeStart: number, typeEnd: number): Buffer | undefined {
    for (const { type, terms, fromDoc } of this.#columns) {
      const term = terms[doc - fromDoc]
      if (term !== undefined && type.compare(bytes, typeStart, typeEnd) !== 0) return term
    }
    return undefined
  }

  async close(): Promise<void> {
    for (const { opened } of this.#columns) await opened.source.close()
  }
}

interface Column {
  /** Of the parents. */
  readonly type: Buffer
  readonly opened: OpenedSorted
  fromDoc: number
  terms: (Buffer | undefined)[]
}

/** Lucene of Elasticsearch 5. */
const firstWithoutStored = 6
