import { CorruptData } from '../base/errors.ts'

/**
 * A TrafficStream, as the capture proxy of opensearch-migrations writes it: what passed over one connection of a client, in
 * chunks. It is a message of Protocol Buffers (version 3), specified in that project's TrafficCaptureStream.proto:
 *
 *   TrafficStream      = 1 connectionId:string 2 subStream:TrafficObservation* (3 number:int32 | 4 numberOfThisLastChunk:int32)
 *                        5 nodeId:string [6 priorRequestsReceived:int32] [7 lastObservationWasUnterminatedRead:bool]
 *   TrafficObservation = 1 ts:Timestamp (2 bind | 3 connect | 4 read | 5 readSegment | 6 requestReleasedDownstream
 *                        | 8 write | 9 writeSegment | 10 disconnect | 11 close | 12 connectionException | 14 segmentEnd
 *                        | 15 endOfMessageIndicator | 16 requestDropped)
 *   read, write        = 1 data:bytes;  readSegment, writeSegment = 2 data:bytes
 *   Timestamp          = 1 seconds:int64 2 nanos:int32
 *   message            = field*;  field = key:varint value;  key = number << 3 | wire type
 *   value              = varint (0) | 8 bytes (1) | length:varint bytes (2) | 4 bytes (5)
 */
export interface TrafficStream {
  readonly nodeId: string
  readonly connectionId: string
  /** Of the chunk, from 1 on in each connection. */
  readonly number: number
  readonly isLast: boolean
  /** Requests of the connection that ended in chunks before; undefined where it is not said. */
  readonly requestsBefore: number | undefined
  /** The chunk before ended within a request. */
  readonly beginsInRequest: boolean
  readonly observations: readonly Observation[]
}

/** What is of use; others say nothing about requests. */
export type Observation =
  | { readonly kind: 'read' | 'write'; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'requestEnd' | 'dropped' | 'closed'; readonly at: number }

type Field = { readonly number: number; readonly value: number; readonly bytes: Buffer }

const none = Buffer.alloc(0)

/** `at` of an observation is in epoch microseconds. Throws CorruptData; `file` and `offset` say what the bytes are from. */
export function parseTrafficStream(
  bytes: Buffer,
  place: { file: string; offset: number },
): TrafficStream {
  const found = {
    nodeId: '',
    connectionId: '',
    number: 0,
    isLast: false,
    requestsBefore: undefined as number | undefined,
    beginsInRequest: false,
    observations: [] as Observation[],
  }
  for (const { number, value, bytes: part } of fieldsOf(bytes, place)) {
    if (number === 1) found.connectionId = part.toString()
    else if (number === 2) pushObservation(found.observations, part, place)
    else if (number === 3) found.number = value
    else if (number === 4) Object.assign(found, { number: value, isLast: true })
    else if (number === 5) found.nodeId = part.toString()
    else if (number === 6) found.requestsBefore = value
    else if (number === 7) found.beginsInRequest = value !== 0
  }
  if (found.connectionId === '') {
    throw new CorruptData({
      ...place,
      expected: 'a TrafficStream with its connection',
      found: 'none',
    })
  }
  return found
}

const kindOf: { readonly [number: number]: Observation['kind'] } = {
  4: 'read',
  5: 'read',
  8: 'write',
  9: 'write',
  10: 'closed',
  11: 'closed',
  12: 'closed',
  15: 'requestEnd',
  16: 'dropped',
}

function pushObservation(
  found: Observation[],
  bytes: Buffer,
  place: { file: string; offset: number },
): void {
  let at = 0
  let content: Field | undefined
  for (const field of fieldsOf(bytes, place)) {
    if (field.number === 1) at = timeOf(field.bytes, place)
    else content = field
  }
  const kind = content && kindOf[content.number]
  if (kind === undefined) return
  if (kind !== 'read' && kind !== 'write') {
    found.push({ kind, at })
    return
  }
  const dataField = content!.number === 5 || content!.number === 9 ? 2 : 1
  for (const { number, bytes: data } of fieldsOf(content!.bytes, place)) {
    if (number === dataField) found.push({ kind, at, data })
  }
}

function timeOf(bytes: Buffer, place: { file: string; offset: number }): number {
  let micros = 0
  for (const { number, value } of fieldsOf(bytes, place)) {
    if (number === 1) micros += value * 1_000_000
    else if (number === 2) micros += Math.floor(value / 1000)
  }
  return micros
}

/** The fields of a message, unknown ones, too. */
function* fieldsOf(
  bytes: Buffer,
  { file, offset }: { file: string; offset: number },
): Generator<Field> {
  let position = 0
  const corrupt = (expected: string, found: string): CorruptData =>
    new CorruptData({
      file,
      offset,
      expected,
      found: `${found} at byte ${position} of ${bytes.length}`,
    })

  /** Up to 10 bytes; what is negative or above 2^53 is no number of this layout, and comes as 2^53. */
  const readVarint = (): number => {
    let value = 0
    for (let index = 0; index < 10; index++) {
      const byte = bytes[position++]
      if (byte === undefined) throw corrupt('a number', 'the end')
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return Math.min(value, 2 ** 53)
    }
    throw corrupt('a number of at most 10 bytes', 'more')
  }
  const take = (length: number): Buffer => {
    if (length > bytes.length - position) throw corrupt(`${length} bytes`, 'the end')
    position += length
    return bytes.subarray(position - length, position)
  }
  while (position < bytes.length) {
    const key = readVarint()
    const number = Math.floor(key / 8)
    const wire = key % 8
    if (number === 0) throw corrupt('the number of a field', '0')
    if (wire === 0) yield { number, value: readVarint(), bytes: none }
    else if (wire === 2) yield { number, value: 0, bytes: take(readVarint()) }
    else if (wire === 1 || wire === 5) take(wire === 1 ? 8 : 4)
    else throw corrupt('wire type 0, 1, 2 or 5', String(wire))
  }
}
