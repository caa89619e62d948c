import type { Producer } from '@platformatic/kafka'
import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogWriter, StreamEnd } from './capture-log.ts'
import type { CaptureRecord } from './exchange.ts'
import {
  clientOptions,
  loadKafka,
  streamName,
  type KafkaOptions,
  type KafkaPackage,
} from './kafka-client.ts'
import { faultIds, kafkaError } from './kafka-errors.ts'
import { openConsumer, readOffsets } from './kafka-fetch.ts'
import { buildMessage, messageHeadBytes, recordsMax } from './kafka-message.ts'
import { findEndOf } from './kafka-tail.ts'
import { prepareTopic } from './kafka-topic.ts'
import { FrameBatch } from './record-encode.ts'

export interface KafkaWriterOptions {
  readonly kafka: KafkaOptions
  /** Its name decides the partition, the same one as long as the topic has as many of them. */
  readonly proxy: string
  /** How long brokers may leave a batch unanswered before its records are refused. Default 2 s. */
  readonly ackTimeoutMs?: number
  /** Told of each batch that the brokers have acknowledged. */
  readonly onFlush?: (flush: { seconds: number; records: number; bytes: number }) => void
  /** Told when records begin to be refused, with the cause, and when they are taken again. */
  readonly onState?: (failing: MigrationError | undefined) => void
  /** Sentences on settings of the topic by which records can be lost. */
  readonly onWarning?: (warning: string) => void
}

const defaultAckTimeoutMs = 2000
/** Records that wait for the brokers; what comes above is refused. */
const waitingBytesMax = 64 * 1024 * 1024
/** One message; the brokers may allow less. */
const messageBytesMax = 1024 * 1024
const smallestMessageBytes = 8 * 1024
/** More than Kafka puts around a message, the proxy's name included. */
const overheadBytes = 1024
const firstRetryMs = 20
const reconnectMs = { first: 100, most: 2000 }

/** A record on its way. */
interface Waiting {
  readonly frame: Buffer
  readonly durable: (error?: Error) => void
  /** Bytes of it that are in messages already. */
  taken: number
}

/** A connection to the brokers, as long as it works. */
interface Session {
  readonly producer: Producer
  readonly partition: number
  messageBytesMax: number
}

/**
 * Writes a capture log into Kafka. All records of a writer go, in order, into one partition: so its records are read in
 * the order of `append`, a response after its request, and a batch is one request to one broker. There is one batch
 * under way; what comes meanwhile makes up the next one (group commit).
 *
 * Every batch waits for all replicas in step (`acks=all`). The idempotence of Kafka's producers is not used: it holds
 * within one producer only, and the messages' own sequences (kafka-message.ts) tell what came twice over all that are
 * opened after one another. So an error of `append` means that the record is not known to be in the log: a batch that
 * timed out may still arrive.
 *
 * Brokers that do not answer are waited for once, for `ackTimeoutMs`; from then on records are refused at once until
 * they are back, which is tried all the time.
 */
export async function openKafkaWriter(options: KafkaWriterOptions): Promise<CaptureLogWriter> {
  const writer = new KafkaLogWriter(await loadKafka(), options)
  await writer.open()
  return writer
}

class KafkaLogWriter implements CaptureLogWriter {
  last: StreamEnd | undefined
  readonly #kafka: KafkaPackage
  readonly #options: KafkaWriterOptions
  readonly #key: Buffer
  readonly #started = Date.now()
  readonly #ackTimeoutMs: number
  readonly #closing = new AbortController()
  readonly #encoder = new FrameBatch()
  #session: Session | undefined
  /** Why records are refused. */
  #failing: MigrationError | undefined
  #sequence = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #writtenBytes = 0
  #sending: Promise<void> | undefined
  #reconnecting: Promise<void> | undefined

  constructor(kafka: KafkaPackage, options: KafkaWriterOptions) {
    this.#kafka = kafka
    this.#options = options
    this.#key = Buffer.from(options.proxy)
    this.#ackTimeoutMs = options.ackTimeoutMs ?? defaultAckTimeoutMs
  }

  /** Throws MA_CAPTURE_LOG or MA_CONFIG when the topic cannot be written to as things are. */
  async open(): Promise<void> {
    const { kafka: options, proxy } = this.#options
    const session = await this.#connect()
    this.#session = session
    const consumer = openConsumer(this.#kafka, options)
    try {
      const offsets = await readOffsets(this.#kafka, consumer, options.topic)
      const { partition } = session
      this.last = await findEndOf(consumer, options.topic, {
        proxy,
        partition,
        ...offsets[partition]!,
      })
    } catch (error) {
      await session.producer.close(true)
      throw kafkaError(`the end of topic ${options.topic} could not be read`, error)
    } finally {
      await consumer.close(true)
    }
  }

  append(record: CaptureRecord, durable: (error?: Error) => void): void {
    const refusal = this.#refusal()
    if (refusal !== undefined) {
      queueMicrotask(() => durable(refusal))
      return
    }
    const frame = this.#encode(record)
    this.#waiting.push({ frame, durable, taken: 0 })
    this.#waitingBytes += frame.length
    // Requests of one turn of the event loop go together.
    this.#sending ??= new Promise((resolve) => {
      setImmediate(() => resolve(this.#sendAll()))
    })
  }

  usage(): { bytes: number; bytesMax: number } {
    return { bytes: this.#writtenBytes, bytesMax: Infinity }
  }

  async close(): Promise<void> {
    await this.#sending
    this.#closing.abort()
    await this.#reconnecting
    await this.#session?.producer.close(true)
    this.#session = undefined
    this.#failing = new MigrationError('MA_CAPTURE_LOG', 'the capture log is closed')
  }

  /** The body is copied: a record that is refused only after a time out may still be on its way. */
  #encode(record: CaptureRecord): Buffer {
    this.#encoder.add(record)
    const frame = Buffer.concat(this.#encoder.pieces())
    this.#encoder.clear()
    return frame
  }

  #refusal(): MigrationError | undefined {
    if (this.#failing !== undefined) return this.#failing
    if (this.#waitingBytes <= waitingBytesMax) return undefined
    return new MigrationError(
      'MA_CAPTURE_LOG',
      `Kafka is slower than the clients: records of ${this.#waitingBytes} bytes wait for the brokers`,
      { retryable: true },
    )
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && this.#session !== undefined) {
      await this.#flush(this.#session)
    }
    this.#sending = undefined
  }

  async #flush(session: Session): Promise<void> {
    const message = this.#takeMessage(session)
    const began = performance.now()
    try {
      await this.#deliver(session, message)
    } catch (error) {
      if (isTooLarge(error) && this.#takeLess(session)) return
      return this.#fail(kafkaError(this.#place(session), error))
    }
    const ended = this.#waiting.findIndex(({ frame, taken }) => taken < frame.length)
    const done = this.#waiting.splice(0, ended < 0 ? this.#waiting.length : ended)
    for (const { frame } of done) this.#waitingBytes -= frame.length
    this.#writtenBytes += message.length
    const seconds = (performance.now() - began) / 1000
    this.#options.onFlush?.({ seconds, records: done.length, bytes: message.length })
    for (const { durable } of done) durable()
  }

  /** A message of as many waiting records as fit; or, of one that is longer, as much of it as fits. */
  #takeMessage({ messageBytesMax }: Session): Buffer {
    const first = this.#waiting[0]!
    const room = messageBytesMax - messageHeadBytes
    const head = { writer: this.#started, sequence: ++this.#sequence }
    const left = first.frame.length - first.taken
    if (left > room || first.taken > 0) {
      const part = first.frame.subarray(first.taken, first.taken + room)
      const begins = first.taken === 0
      first.taken += part.length
      return buildMessage({ ...head, begins, ends: left <= room }, [part])
    }
    const frames: Buffer[] = []
    let bytes = 0
    for (const waiting of this.#waiting) {
      bytes += waiting.frame.length
      if (bytes > room || frames.length === recordsMax) break
      waiting.taken = waiting.frame.length
      frames.push(waiting.frame)
    }
    return buildMessage({ ...head, begins: true, ends: true }, frames)
  }

  /** Sends one message, again while brokers change their roles, until the deadline. */
  async #deliver(session: Session, value: Buffer): Promise<void> {
    const { topic } = this.#options.kafka
    const { producer, partition } = session
    const deadline = performance.now() + this.#ackTimeoutMs
    for (let retryMs = firstRetryMs; ; retryMs *= 2) {
      try {
        const sent = producer.send({
          acks: this.#kafka.ProduceAcks.ALL,
          messages: [{ topic, partition, key: this.#key, value }],
        })
        await within(sent, deadline)
        return
      } catch (error) {
        const left = deadline - performance.now()
        const again = kafkaError('', error).retryable && !isTooLarge(error)
        if (!again || left <= retryMs) throw error
        producer.clearMetadata()
        await wait(retryMs)
      }
    }
  }

  /** The brokers take less than they said, or than is said by default: begins the waiting records anew. */
  #takeLess(session: Session): boolean {
    session.messageBytesMax = Math.floor(session.messageBytesMax / 2)
    for (const waiting of this.#waiting) waiting.taken = 0
    return session.messageBytesMax >= smallestMessageBytes
  }

  #fail(failing: MigrationError): void {
    const refused = this.#waiting
    const session = this.#session
    this.#waiting = []
    this.#waitingBytes = 0
    this.#session = undefined
    this.#failing = failing
    session?.producer.close(true).catch(() => undefined)
    this.#options.onState?.(failing)
    this.#reconnecting = this.#reconnect()
    for (const { durable } of refused) durable(failing)
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing
    for (let pauseMs = reconnectMs.first; ; pauseMs = Math.min(pauseMs * 2, reconnectMs.most)) {
      await wait(pauseMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      try {
        this.#session = await this.#connect()
        this.#failing = undefined
        this.#options.onState?.(undefined)
        return
      } catch (error) {
        this.#failing = kafkaError(`topic ${this.#options.kafka.topic}`, error)
      }
    }
  }

  /** Opens a producer, when the partition has a leader and as many replicas as it asks for. */
  async #connect(): Promise<Session> {
    const { kafka: options, proxy, onWarning } = this.#options
    const client = clientOptions(options, { timeoutMs: this.#ackTimeoutMs })
    const admin = new this.#kafka.Admin(client)
    const facts = await prepareTopic(this.#kafka, admin, options).finally(() => admin.close())
    if (this.#failing === undefined) for (const warning of facts.warnings) onWarning?.(warning)
    const partition = (this.#kafka.murmur2(this.#key) & 0x7fffffff) % facts.partitions
    const producer = new this.#kafka.Producer(client)
    try {
      const metadata = await producer.metadata({ topics: [options.topic] })
      const found = metadata.topics.get(options.topic)?.partitions[partition]
      const inStep = found?.isr.length ?? 0
      if (found === undefined || found.leader < 0 || inStep < facts.minInsyncReplicas) {
        const stream = streamName(options.topic, partition)
        const text = `${stream} of proxy ${proxy} has ${inStep} replicas in step, ${facts.minInsyncReplicas} are asked for`
        throw new MigrationError('MA_CAPTURE_LOG', text, { retryable: true })
      }
    } catch (error) {
      await producer.close(true)
      throw error
    }
    return {
      producer,
      partition,
      messageBytesMax: Math.min(messageBytesMax, facts.messageBytesMax) - overheadBytes,
    }
  }

  #place({ partition }: Session): string {
    return `Kafka did not acknowledge records for ${streamName(this.#options.kafka.topic, partition)}`
  }
}

function isTooLarge(error: unknown): boolean {
  const ids = faultIds(error)
  return ids.includes('MESSAGE_TOO_LARGE') || ids.includes('RECORD_LIST_TOO_LARGE')
}

/** What is late goes on, and nobody hears of it. */
function within(sent: Promise<unknown>, deadline: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = (): void => {
      const text = 'the brokers do not answer in time'
      reject(new MigrationError('MA_CAPTURE_LOG', text, { retryable: true }))
    }
    const timer = setTimeout(late, Math.max(0, deadline - performance.now()))
    sent.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
