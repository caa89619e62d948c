import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LogBehind, LoggedRecord, LogPosition } from './capture-log.ts'
import {
  clientOptions,
  loadKafka,
  partitionOf,
  streamName,
  type KafkaOptions,
  type KafkaPackage,
} from './kafka-client.ts'
import { kafkaError } from './kafka-errors.ts'
import { fetchMessages, openConsumer, readOffsets } from './kafka-fetch.ts'
import type { CaptureRecord } from './exchange.ts'
import { MessageJoiner, type TopicMessage } from './kafka-join.ts'
import { recordsMax } from './kafka-message.ts'
import { KnownStreams } from './known-stream.ts'
import { decodeRecord } from './record-decode.ts'

const releaseTimeoutMs = 15_000

/**
 * Reads a capture log in Kafka: a stream is a partition, with the records of one proxy or of several. What was sent
 * twice comes once, save after a position where another proxy's record had begun and not ended: what lies between is
 * then read again.
 */
export async function openKafkaReader(options: KafkaOptions): Promise<CaptureLogReader> {
  return new KafkaLogReader(await loadKafka(), options, ownDecoder)
}

/**
 * Reads what the known tool has captured in its topic. A position is where the oldest chunk lies that is still needed: what
 * lies behind it and was read is read again, under the same numbers.
 */
export async function openKnownTopicReader(options: KafkaOptions): Promise<CaptureLogReader> {
  return new KafkaLogReader(await loadKafka(), options, knownDecoder)
}

/** A position counts records: the offset of a message, and the place of a record in it. */
function positionOf(offset: number, index: number): number {
  return offset * recordsMax + index
}

function messageOffset(position: number): number {
  return Math.floor(position / recordsMax)
}

/** What the messages of a partition hold, from a position on; each record with the position after it. */
type Decode = (message: TopicMessage) => Iterable<{ record: CaptureRecord; next: number }>

function ownDecoder({ stream, offset: from }: LogPosition): Decode {
  const joiner = new MessageJoiner(stream)
  return function* (message) {
    const { offset } = message
    const frames = joiner.accept(message)
    for (const [index, frame] of frames.entries()) {
      if (positionOf(offset, index) < from) continue
      const isLast = index === frames.length - 1
      const behind = isLast ? positionOf(offset + 1, 0) : positionOf(offset, index + 1)
      const next = Math.min(behind, positionOf(joiner.nextOffset(offset), 0))
      yield { record: decodeRecord(frame, { file: stream, offset }), next }
    }
  }
}

function knownDecoder({ stream }: LogPosition): Decode {
  const streams = new KnownStreams(stream)
  return function* ({ value, offset }) {
    const before = streams.nextOffset(offset - 1)
    const records = streams.accept(value, offset)
    const behind = streams.nextOffset(offset)
    for (const [index, record] of records.entries()) {
      const isLast = index === records.length - 1
      yield { record, next: positionOf(isLast ? behind : before, 0) }
    }
  }
}

class KafkaLogReader implements CaptureLogReader {
  readonly #kafka: KafkaPackage
  readonly #options: KafkaOptions
  readonly #closed = new AbortController()
  readonly #decoder: (from: LogPosition) => Decode

  constructor(kafka: KafkaPackage, options: KafkaOptions, decoder: (from: LogPosition) => Decode) {
    this.#kafka = kafka
    this.#options = options
    this.#decoder = decoder
  }

  async streams(): Promise<{ oldest: LogPosition; end: LogPosition }[]> {
    const { topic } = this.#options
    const consumer = openConsumer(this.#kafka, this.#options)
    try {
      const offsets = await readOffsets(this.#kafka, consumer, topic)
      return offsets.map(({ oldest, end }, partition) => {
        const stream = streamName(topic, partition)
        return {
          oldest: { stream, offset: positionOf(oldest, 0) },
          end: { stream, offset: positionOf(end, 0) },
        }
      })
    } catch (error) {
      throw kafkaError(`topic ${topic}`, error)
    } finally {
      await consumer.close(true)
    }
  }

  async *read(
    from: LogPosition,
    { follow, signal }: { follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<LoggedRecord> {
    const { stream } = from
    const partition = this.#partition(from)
    const stop = AbortSignal.any([this.#closed.signal, ...(signal === undefined ? [] : [signal])])
    const consumer = openConsumer(this.#kafka, this.#options)
    // Ends the question that a broker keeps open.
    const giveUp = (): void => void consumer.close(true).catch(() => undefined)
    stop.addEventListener('abort', giveUp, { once: true })
    try {
      const to = follow ? Infinity : await this.#end(from)
      const range = { partition, from: messageOffset(from.offset), to, signal: stop }
      const decode = this.#decoder(from)
      for await (const message of fetchMessages(consumer, this.#options.topic, range)) {
        for (const { record, next } of decode(message)) {
          yield { record, next: { stream, offset: next } }
        }
      }
    } finally {
      stop.removeEventListener('abort', giveUp)
      await consumer.close(true)
    }
  }

  async behind({ stream, offset }: LogPosition): Promise<LogBehind> {
    const end = await this.#end({ stream, offset })
    return { messages: Math.max(0, end - messageOffset(offset)) }
  }

  async release(position: LogPosition): Promise<void> {
    const { topic } = this.#options
    const partition = this.#partition(position)
    const admin = new this.#kafka.Admin(
      clientOptions(this.#options, { timeoutMs: releaseTimeoutMs }),
    )
    try {
      const partitions = [{ partition, offset: BigInt(messageOffset(position.offset)) }]
      await admin.deleteRecords({ topics: [{ name: topic, partitions }] })
    } catch (error) {
      throw kafkaError(`${position.stream}: what was read could not be removed`, error)
    } finally {
      await admin.close()
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(
      new MigrationError('MA_STOPPED', 'the capture log was closed while it was read'),
    )
    await Promise.resolve()
  }

  async #end({ stream }: LogPosition): Promise<number> {
    const streams = await this.streams()
    const found = streams.find(({ end }) => end.stream === stream)
    if (found === undefined) throw this.#unknownStream(stream)
    return messageOffset(found.end.offset)
  }

  #partition({ stream }: LogPosition): number {
    const partition = partitionOf(this.#options.topic, stream)
    if (partition === undefined) throw this.#unknownStream(stream)
    return partition
  }

  #unknownStream(stream: string): MigrationError {
    const { topic } = this.#options
    return new MigrationError('MA_CAPTURE_LOG', `${stream} is no partition of topic ${topic}`)
  }
}
