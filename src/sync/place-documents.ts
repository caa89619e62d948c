import { typeMark, type DocumentTypes } from '../base/document-types.ts'
import { documentAt, type DocumentBlock } from '../document/document-block.ts'
import type { TargetIndex } from '../state/records.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import type { Unsent } from '../transform/pipeline.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import type { Transform } from '../usercode/transform.ts'
import type { SourceKind } from './pending-document.ts'
import type { PresentDocument } from './present-document.ts'
import { targetVersion, type WriteItem } from './write-item.ts'

/** A document that is not written: what is wrong with it. */
export interface Unwritable {
  readonly document: PresentDocument
  readonly cause: string
  readonly reason: string
}

export interface Placed {
  readonly items: WriteItem[]
  readonly unwritable: Unwritable[]
  /** Documents whose version cannot be told. */
  readonly left: PresentDocument[]
}

/** Makes of documents of the source what is written to one target index: mapping types and the user's transform are applied. */
export class DocumentPlacer {
  readonly #kind: SourceKind
  readonly #transform: Transform | undefined
  /** The transform does one thing at a time. */
  #transforming: Promise<unknown> = Promise.resolve()

  constructor(kind: SourceKind, transform: Transform | undefined) {
    this.#kind = kind
    this.#transform = transform
  }

  /** Throws MA_TRANSFORM where the transform cannot be used for this index. */
  async place(documents: readonly PresentDocument[], target: TargetIndex): Promise<Placed> {
    const placed: Placed = { items: [], unwritable: [], left: [] }
    const changed: PresentDocument[] = []
    const isChanged = target.types !== undefined || (await this.#isTransformed(documents))
    for (const document of documents) {
      const { source, routing, pending } = document
      if (document.lacksSource) {
        if (target.sourceForm === 'full') placed.unwritable.push(sourceMissing(document))
      } else if (source === null) {
        for (const names of namesOf(document, target.types))
          this.#put(placed, document, target, names)
      } else if (isChanged) changed.push(document)
      else this.#put(placed, document, target, { id: pending.id, routing, source })
    }
    if (changed.length > 0) await this.#placeChanged(changed, target, placed)
    return placed
  }

  async #isTransformed([first]: readonly PresentDocument[]): Promise<boolean> {
    if (this.#transform === undefined || first === undefined) return false
    return (await this.#transform.open()).changesDocuments(first.pending.flow.name)
  }

  #put(
    { items, left }: Placed,
    document: PresentDocument,
    target: TargetIndex,
    to: Pick<WriteItem, 'id' | 'routing'> & { source?: Buffer | null },
  ): void {
    const version = targetVersion(document, target, this.#kind)
    if (version === undefined) left.push(document)
    else items.push({ document, target, source: null, ...to, version })
  }

  async #placeChanged(
    documents: readonly PresentDocument[],
    target: TargetIndex,
    placed: Placed,
  ): Promise<void> {
    const block = blockOf(documents)
    for await (const changed of this.#changed(block, documents[0]!, target)) {
      for (let i = 0; i < changed.count; i++) {
        const document = documents[changed.doc[i]!]!
        const { id, routing = null, source } = documentAt(changed, i)
        const unsent = (changed as Partial<TransformedBlock>).unsent?.get(i)
        if (unsent?.why === 'dropped') this.#put(placed, document, target, { id, routing })
        else if (unsent !== undefined || source === undefined) {
          placed.unwritable.push(transformFailed(document, unsent))
        } else
          this.#put(placed, document, target, { id, routing, source: Buffer.from(source.buffer) })
      }
    }
  }

  async *#changed(
    block: DocumentBlock,
    { pending }: PresentDocument,
    target: TargetIndex,
  ): AsyncIterable<DocumentBlock> {
    const typed = target.types ? typedBlocks(one(block), target.types) : one(block)
    if (this.#transform === undefined) {
      yield* typed
      return
    }
    const before = this.#transforming
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#transforming = promise
    await before
    try {
      // Deletes go to the id that the source has: so no transform may change ids here.
      yield* this.#transform.blocks(typed, { index: pending.flow.name, mayRename: false })
    } finally {
      resolve()
    }
  }
}

async function* one(block: DocumentBlock): AsyncIterable<DocumentBlock> {
  yield block
}

/** By what names a document of the source that is gone was on the target; several where its type is not known. */
function namesOf(
  { type, routing, pending: { id } }: PresentDocument,
  types: DocumentTypes | undefined,
): { id: string; routing: string | null }[] {
  if (types === undefined) return [{ id, routing }]
  const { only, keepIn, routeById } = types
  if (type !== undefined && only !== null && !only.includes(type)) return []
  const routed = routing ?? (routeById ? id : null)
  if (keepIn === null) return [{ id, routing: routed }]
  const possible = type === undefined ? (only ?? []) : [type]
  return possible.map((one) => ({ id: one + typeMark + id, routing: routed }))
}

function sourceMissing(document: PresentDocument): Unwritable {
  const reason = 'the index keeps no _source of this document, so the source does not give it'
  return { document, cause: 'source_missing', reason }
}

function transformFailed(document: PresentDocument, unsent: Unsent | undefined): Unwritable {
  const reason = unsent?.reason ?? 'the transform left no document'
  return { document, cause: 'transform_failed', reason }
}

/** The documents as the decoder of a snapshot would give them; `doc` is the place in the list. */
function blockOf(documents: readonly PresentDocument[]): DocumentBlock {
  const parts: Buffer[] = []
  let length = 0
  const column = (of: (document: PresentDocument) => string | Buffer | null | undefined) => {
    const start = new Int32Array(documents.length).fill(-1)
    const end = new Int32Array(documents.length)
    documents.forEach((document, i) => {
      const value = of(document)
      if (value === undefined || value === null) return
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      parts.push(bytes)
      start[i] = length
      end[i] = length += bytes.length
    })
    return [start, end] as const
  }
  const [idStart, idEnd] = column(({ pending }) => pending.id)
  const [routingStart, routingEnd] = column(({ routing }) => routing)
  const [typeStart, typeEnd] = column(({ type }) => type)
  const [parentStart, parentEnd] = column(({ parent }) => parent)
  const [sourceStart, sourceEnd] = column(({ source }) => source)
  return {
    count: documents.length,
    fromDoc: 0,
    toDoc: documents.length,
    bytes: Buffer.concat(parts, length),
    doc: Int32Array.from(documents, (_, i) => i),
    ...{ idStart, idEnd, routingStart, routingEnd, typeStart, typeEnd, parentStart, parentEnd },
    ...{ sourceStart, sourceEnd },
    timed: new Int32Array(documents.length),
    seqNo: Float64Array.from(documents, ({ number }) => number),
    version: Float64Array.from(documents, ({ version }) => version ?? -1),
    checksum: undefined,
  }
}
