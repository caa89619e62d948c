import type { DocumentBlock } from '../document/document-block.ts'
import type { PageReader } from './cluster-scan.ts'
import type { Hit, HitPage, HitPageReader } from './hit-page.ts'

export type BlockChange = (blocks: AsyncIterable<DocumentBlock>) => AsyncIterable<DocumentBlock>

/**
 * Reads pages as HitPageReader does, and has their documents changed before they are visited: as blocks, in the form that
 * those of a snapshot have. Memory: twice a page.
 */
export class HitBlockReader implements PageReader<never> {
  readonly #hits: HitPageReader
  readonly #change: BlockChange
  readonly #visit: (block: DocumentBlock) => void

  constructor(parts: {
    hits: HitPageReader
    change: BlockChange
    visit: (block: DocumentBlock) => void
  }) {
    this.#hits = parts.hits
    this.#change = parts.change
    this.#visit = parts.visit
  }

  async read(bytes: Buffer, where: string): Promise<HitPage> {
    const hits: Hit[] = []
    const page = this.#hits.read(bytes, where, () => void hits.push(this.#hits.hit()))
    for await (const block of this.#change(one(blockOf(hits)))) this.#visit(block)
    return page
  }
}

async function* one(block: DocumentBlock): AsyncIterable<DocumentBlock> {
  if (block.count > 0) yield block
}

/** The documents as the decoder of a snapshot would give them; `doc` is the place in the list. */
export function blockOf(hits: readonly Hit[]): DocumentBlock {
  const parts: Buffer[] = []
  let length = 0
  const column = (of: (hit: Hit) => string | Buffer | undefined) => {
    const start = new Int32Array(hits.length).fill(-1)
    const end = new Int32Array(hits.length)
    hits.forEach((hit, i) => {
      const value = of(hit)
      if (value === undefined) return
      const bytes = typeof value === 'string' ? Buffer.from(value) : value
      parts.push(bytes)
      start[i] = length
      end[i] = length += bytes.length
    })
    return [start, end] as const
  }
  const [idStart, idEnd] = column(({ id }) => id)
  const [routingStart, routingEnd] = column(({ routing }) => routing)
  const [typeStart, typeEnd] = column(({ type }) => type)
  const [parentStart, parentEnd] = column(({ parent }) => parent)
  const [sourceStart, sourceEnd] = column(({ source }) => source)
  const numbers = Float64Array.from(hits, ({ number }) => number)
  return {
    count: hits.length,
    ...{ fromDoc: 0, toDoc: hits.length },
    bytes: Buffer.concat(parts, length),
    doc: Int32Array.from(hits, (_, i) => i),
    ...{ idStart, idEnd, routingStart, routingEnd, typeStart, typeEnd, parentStart, parentEnd },
    ...{ sourceStart, sourceEnd },
    timed: new Int32Array(hits.length),
    ...{ seqNo: numbers, version: numbers },
    checksum: undefined,
  }
}
