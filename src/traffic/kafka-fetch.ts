import type { Consumer } from '@platformatic/kafka'
import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { clientOptions, type KafkaOptions, type KafkaPackage } from './kafka-client.ts'
import { faultIds, kafkaError } from './kafka-errors.ts'
import { countPartitions } from './kafka-topic.ts'
import type { TopicMessage } from './kafka-join.ts'

/** What a broker sends in one answer; a longer message comes whole all the same. */
const answerBytesMax = 4 * 1024 * 1024
/** How long a broker keeps a question open when there is nothing new. */
const pollMs = 1000
const requestTimeoutMs = 15_000
/** How long brokers may be away before reading ends with an error. */
const awayMaxMs = 30_000
const retryWaitMs = 250

export interface FetchRange {
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly signal?: AbortSignal
}

/** A client that only asks for what it names: it is in no group, and commits nothing. */
export function openConsumer(kafka: KafkaPackage, options: KafkaOptions): Consumer {
  const consumer = new kafka.Consumer({
    ...clientOptions(options, { timeoutMs: requestTimeoutMs }),
    groupId: 'osmigrate', // the package asks for one
    minBytes: 1,
    maxBytes: answerBytesMax,
    maxWaitTime: pollMs,
    isolationLevel: kafka.FetchIsolationLevels.READ_UNCOMMITTED,
  })
  consumer.topics.track(options.topic)
  return consumer
}

/** The oldest offset of each partition, and the one that the next message gets. */
export async function readOffsets(
  kafka: KafkaPackage,
  consumer: Consumer,
  topic: string,
): Promise<{ readonly oldest: number; readonly end: number }[]> {
  const at = (timestamp: bigint) =>
    untilThere({}, async () => {
      const count = await countPartitions(consumer, topic, `topic ${topic}`)
      if (count === undefined) throw missingTopic(topic)
      return consumer.listOffsets({ topics: [topic], timestamp })
    })
  const oldest = (await at(kafka.ListOffsetTimestamps.EARLIEST)).get(topic) ?? []
  const end = (await at(kafka.ListOffsetTimestamps.LATEST)).get(topic) ?? []
  return oldest.map((offset, partition) => ({
    oldest: Number(offset),
    end: Number(end[partition] ?? offset),
  }))
}

function missingTopic(topic: string): MigrationError {
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `there is no topic ${topic}: check its name and the brokers; a proxy makes it when it starts`,
  )
}

/**
 * The messages of a partition from one offset to another, waiting for those that are not there yet. Throws
 * MA_CAPTURE_LOG when messages that are asked for are gone, or brokers are away for longer than 30 s.
 */
export async function* fetchMessages(
  consumer: Consumer,
  topic: string,
  { partition, from, to, signal }: FetchRange,
): AsyncGenerator<TopicMessage> {
  let offset = from
  while (offset < to) {
    signal?.throwIfAborted()
    const answer = await untilThere(signal === undefined ? {} : { signal }, () =>
      fetchOnce(consumer, topic, { partition, offset }),
    ).catch((error: unknown) => {
      throw rangeError(error, { topic, partition, offset })
    })
    for (const batch of answer.responses[0]?.partitions[0]?.records ?? []) {
      const first = Number(batch.firstOffset)
      const isControl = (batch.attributes & 0x20) !== 0
      for (const { key, value, offsetDelta, timestampDelta } of isControl ? [] : batch.records) {
        const at = first + offsetDelta
        if (at < offset || at >= to) continue
        yield {
          key: key?.toString() ?? '',
          value: value ?? Buffer.alloc(0),
          offset: at,
          at: Number(batch.firstTimestamp + timestampDelta),
        }
      }
      // Offsets can be missing at the end of a batch, where a broker has put it together anew.
      offset = Math.max(offset, first + batch.lastOffsetDelta + 1)
    }
  }
}

async function fetchOnce(
  consumer: Consumer,
  topic: string,
  { partition, offset }: { partition: number; offset: number },
): Promise<Awaited<ReturnType<Consumer['fetch']>>> {
  const metadata = await consumer.metadata({ topics: [topic] })
  const found = metadata.topics.get(topic)
  const leader = found?.partitions[partition]?.leader
  if (found === undefined || leader === undefined) {
    throw new MigrationError('MA_CAPTURE_LOG', `topic ${topic} has no partition ${partition}`)
  }
  return consumer.fetch({
    node: leader,
    topics: [
      {
        topicId: found.id,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            fetchOffset: BigInt(offset),
            partitionMaxBytes: answerBytesMax,
          },
        ],
      },
    ],
  })
}

/** Tries again while brokers are away, change their roles or start. */
async function untilThere<T>(
  { signal }: { signal?: AbortSignal },
  ask: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + awayMaxMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      signal?.throwIfAborted()
      const fault = kafkaError('the capture log in Kafka cannot be read', error)
      if (!fault.retryable || isOutOfRange(error) || Date.now() > deadline) throw error
      await wait(retryWaitMs, undefined, signal === undefined ? {} : { signal })
    }
  }
}

function isOutOfRange(error: unknown): boolean {
  return faultIds(error).includes('OFFSET_OUT_OF_RANGE')
}

function rangeError(
  error: unknown,
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
): unknown {
  const place = `topic ${topic}, partition ${partition}, offset ${offset}`
  if (!isOutOfRange(error)) return kafkaError(place, error)
  return new MigrationError(
    'MA_CAPTURE_LOG',
    `${place}: the brokers do not have this message any more. It was removed (retention.ms and retention.bytes of the ` +
      'topic must be -1), or lost with a broker. What it held is found by the audit: go on from the oldest position',
    { cause: error },
  )
}
