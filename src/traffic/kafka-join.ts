import { MigrationError } from '../base/errors.ts'
import { parseMessage, splitFrames } from './kafka-message.ts'

export interface TopicMessage {
  /** The proxy's name. */
  readonly key: string
  readonly value: Buffer
  readonly offset: number
  /** Epoch milliseconds that the message was made at. */
  readonly at: number
}

/** What a writer has sent so far. */
interface Writer {
  sequence: number
  /** Of a record that has not ended yet. */
  parts: Buffer[]
  bytes: number
  /** Offset of its first message. */
  first: number
  at: number
}

/** Writers whose sequences are remembered; each start of a proxy is one. */
const writersMax = 4096
/** Parts held of records that have not ended, of all writers of a partition. */
const partBytesMax = 1024 ** 3
/** A writer gives up long before: what has not gone on for so long never ends. */
const partAgeMaxMs = 10 * 60_000

/** Makes records of the messages of one partition, given in their order: joins parts, drops what came twice. */
export class MessageJoiner {
  readonly #file: string
  readonly #writers = new Map<string, Writer>()
  /** Those with an open record. */
  readonly #open = new Set<Writer>()
  #bytes = 0

  /** `file` names the partition in errors. */
  constructor(file: string) {
    this.#file = file
  }

  /** The frames of the records that end with this message. Throws MA_CAPTURE_LOG for a message that is damaged. */
  accept(message: TopicMessage): Buffer[] {
    const { offset, at } = message
    const place = { file: this.#file, offset }
    const { content, ...head } = parseMessage(message.value, place)
    this.#forgetOld(at)
    const writer = this.#writer(message.key, head.writer)
    if (head.sequence <= writer.sequence) return []
    const follows = head.sequence === writer.sequence + 1 && writer.parts.length > 0
    writer.sequence = head.sequence
    if (head.begins) {
      this.#drop(writer)
      if (head.ends) return splitFrames(content, place)
      writer.first = offset
      this.#open.add(writer)
    } else if (!follows) {
      // The beginning was refused, or lies before what is read: a gap stands for the record in the first case.
      this.#drop(writer)
      return []
    }
    writer.at = at
    writer.parts.push(Buffer.from(content)) // a view would hold the whole answer of the broker
    writer.bytes += content.length
    this.#bytes += content.length
    if (head.ends) {
      const frame = Buffer.concat(writer.parts)
      this.#drop(writer)
      return [frame]
    }
    this.#checkBound(offset)
    return []
  }

  /** From where one must read on after the message at `offset`: no later than the beginning of an open record. */
  nextOffset(offset: number): number {
    let next = offset + 1
    for (const writer of this.#open) next = Math.min(next, writer.first)
    return next
  }

  #writer(key: string, start: number): Writer {
    const name = `${start}/${key}`
    let writer = this.#writers.get(name)
    if (writer === undefined) {
      writer = { sequence: 0, parts: [], bytes: 0, first: 0, at: 0 }
      if (this.#writers.size === writersMax) this.#forgetFirst()
    } else {
      this.#writers.delete(name) // and put behind all others
    }
    this.#writers.set(name, writer)
    return writer
  }

  #forgetFirst(): void {
    const [name, writer] = this.#writers.entries().next().value!
    this.#drop(writer)
    this.#writers.delete(name)
  }

  #forgetOld(now: number): void {
    for (const writer of this.#open) if (now - writer.at > partAgeMaxMs) this.#drop(writer)
  }

  #drop(writer: Writer): void {
    this.#bytes -= writer.bytes
    writer.parts = []
    writer.bytes = 0
    this.#open.delete(writer)
  }

  #checkBound(offset: number): void {
    if (this.#bytes <= partBytesMax) return
    throw new MigrationError(
      'MA_CAPTURE_LOG',
      `${this.#file} at offset ${offset}: records that have begun and not ended hold more than 1 GB. ` +
        'Give the topic more partitions, or lower capture.bodyBytesMax',
    )
  }
}
