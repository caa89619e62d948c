import type { DocumentBlock } from '../../src/document/document-block.ts'

export interface BlockDocument {
  doc: number
  id: string
  routing?: string
  type?: string
  parent?: string
  /** Absent: the index keeps none. */
  source?: string
  /** It has a `_timestamp` or `_ttl`. */
  timed?: boolean
  /** Absent: written by 5.x. */
  seqNo?: number
}

/** A block as the decoder would give it. */
export function documentBlock(
  documents: readonly BlockDocument[],
  range: { fromDoc?: number; toDoc?: number } = {},
): DocumentBlock {
  const parts: Buffer[] = []
  let length = 0
  const add = (text: string | undefined): [number, number] => {
    if (text === undefined) return [-1, -1]
    const bytes = Buffer.from(text)
    parts.push(bytes)
    length += bytes.length
    return [length - bytes.length, length]
  }
  const names = documents.map(({ id, routing, type, parent, source }) => {
    const about = { routing: add(routing), type: add(type), parent: add(parent) }
    return { id: add(id), ...about, source: add(source) }
  })
  return {
    count: documents.length,
    fromDoc: range.fromDoc ?? documents[0]?.doc ?? 0,
    toDoc: range.toDoc ?? (documents.at(-1)?.doc ?? -1) + 1,
    bytes: Buffer.concat(parts),
    doc: Int32Array.from(documents, ({ doc }) => doc),
    idStart: Int32Array.from(names, ({ id }) => id[0]),
    idEnd: Int32Array.from(names, ({ id }) => id[1]),
    routingStart: Int32Array.from(names, ({ routing }) => routing[0]),
    routingEnd: Int32Array.from(names, ({ routing }) => routing[1]),
    typeStart: Int32Array.from(names, ({ type }) => type[0]),
    typeEnd: Int32Array.from(names, ({ type }) => type[1]),
    parentStart: Int32Array.from(names, ({ parent }) => parent[0]),
    parentEnd: Int32Array.from(names, ({ parent }) => parent[1]),
    timed: Int32Array.from(documents, ({ timed }) => (timed ? 1 : 0)),
    sourceStart: Int32Array.from(names, ({ source }) => source[0]),
    sourceEnd: Int32Array.from(names, ({ source }) => source[1]),
    seqNo: Float64Array.from(documents, ({ seqNo }) => seqNo ?? -1),
    version: new Float64Array(documents.length).fill(1),
    checksum: undefined,
  }
}
