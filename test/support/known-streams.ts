/** Chunks of the known tool, made by hand from the description of its format (src/traffic/known-stream-layout.ts). */

/** A part of what passed over a connection, in order; `at` is in milliseconds. */
export type Passed =
  | {
      readonly kind: 'read' | 'write' | 'readSegment' | 'writeSegment'
      readonly at: number
      readonly data: string | Buffer
    }
  | {
      readonly kind: 'segmentEnd' | 'requestEnd' | 'dropped' | 'close' | 'exception' | 'bind'
      readonly at: number
    }

export interface Chunk {
  readonly connection?: string
  readonly node?: string
  readonly number: number
  readonly isLast?: boolean
  readonly requestsBefore?: number
  readonly beginsInRequest?: boolean
  readonly passed: readonly Passed[]
}

const fields = {
  bind: 2,
  read: 4,
  readSegment: 5,
  write: 8,
  writeSegment: 9,
  close: 11,
  exception: 12,
  segmentEnd: 14,
  requestEnd: 15,
  dropped: 16,
}

export function buildChunk(chunk: Chunk): Buffer {
  const { connection = 'c1', node = 'n1', number, isLast = false, passed } = chunk
  return Buffer.concat([
    text(1, connection),
    text(5, node),
    ...passed.map((one) => bytesField(2, buildObservation(one))),
    varintField(isLast ? 4 : 3, number),
    ...(chunk.requestsBefore === undefined ? [] : [varintField(6, chunk.requestsBefore)]),
    ...(chunk.beginsInRequest === true ? [varintField(7, 1)] : []),
  ])
}

function buildObservation(one: Passed): Buffer {
  const time = Buffer.concat([
    varintField(1, Math.floor(one.at / 1000)),
    varintField(2, (one.at % 1000) * 1_000_000),
  ])
  return Buffer.concat([bytesField(1, time), bytesField(fields[one.kind], contentOf(one))])
}

function contentOf(one: Passed): Buffer {
  if ('data' in one) {
    return bytesField(one.kind.endsWith('Segment') ? 2 : 1, Buffer.from(one.data as string))
  }
  // The lengths of first line and headers where they are not known: -1, which takes ten bytes.
  const minusOne = Buffer.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1)
  if (one.kind === 'requestEnd')
    return Buffer.concat([Buffer.of(8), minusOne, Buffer.of(16), minusOne])
  return one.kind === 'exception' ? text(1, 'connection reset') : Buffer.alloc(0)
}

function text(number: number, value: string): Buffer {
  return bytesField(number, Buffer.from(value))
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function varintField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}
