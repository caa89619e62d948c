import type { Admin } from '@platformatic/kafka'
import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { clientOptions, loadKafka, type KafkaOptions, type KafkaPackage } from './kafka-client.ts'
import { faultIds, kafkaError } from './kafka-errors.ts'

export interface TopicFacts {
  readonly partitions: number
  /** `max.message.bytes`: of a batch as it is sent. */
  readonly messageBytesMax: number
  readonly minInsyncReplicas: number
  /** Sentences on settings of the topic by which records can be lost. */
  readonly warnings: readonly string[]
}

/** What brokers take by default. */
const defaultMessageBytesMax = 1_048_588
const leastMessageBytes = 16 * 1024
const describeTimeoutMs = 10_000
const madeWithinMs = 15_000
const madePollMs = 50

/** Nothing but the reader removes records, and no order is lost. */
const topicSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
}

/**
 * Looks the topic up, and makes it where it is missing. Throws MA_CONFIG for a topic that cannot hold a log, MA_CAPTURE_LOG
 * where it cannot be had.
 */
export async function prepareTopic(
  kafka: KafkaPackage,
  admin: Admin,
  options: KafkaOptions,
): Promise<TopicFacts> {
  const what = `topic ${options.topic}`
  let partitions = await countPartitions(admin, options.topic, what)
  if (partitions === undefined) {
    await createTopic(admin, options)
    partitions = await untilMade(admin, options.topic, what)
  }
  return { partitions, ...(await readSettings(kafka, admin, options.topic)) }
}

/** What the topic of a log is like. Errors as of prepareTopic(). */
export async function describeTopic(options: KafkaOptions): Promise<TopicFacts> {
  const kafka = await loadKafka()
  const admin = new kafka.Admin(clientOptions(options, { timeoutMs: describeTimeoutMs }))
  try {
    return await prepareTopic(kafka, admin, options)
  } finally {
    await admin.close()
  }
}

/** Brokers hear of a new topic one after the other, and choose leaders for its partitions. */
async function untilMade(admin: Admin, topic: string, what: string): Promise<number> {
  for (const deadline = Date.now() + madeWithinMs; Date.now() < deadline;) {
    const partitions = await countPartitions(admin, topic, what)
    const found = admin.currentMetadata?.topics.get(topic)?.partitions ?? []
    if (partitions !== undefined && found.every(({ leader }) => leader >= 0)) return partitions
    await wait(madePollMs)
  }
  throw new MigrationError('MA_CAPTURE_LOG', `${what} was made and is not there yet: try again`, {
    retryable: true,
  })
}

/** undefined: there is no such topic. */
export async function countPartitions(
  admin: Pick<Admin, 'metadata'>,
  topic: string,
  what: string,
): Promise<number | undefined> {
  try {
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    return metadata.topics.get(topic)?.partitionsCount
  } catch (error) {
    // The package says "Unknown topic" as a mistake of its user, without the code of the protocol.
    if (/Unknown topic/.test(String((error as Error).message))) return undefined
    if (faultIds(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) return undefined
    throw kafkaError(what, error)
  }
}

async function createTopic(admin: Admin, { topic, create }: KafkaOptions): Promise<void> {
  const configs = Object.entries(topicSettings).map(([name, value]) => ({ name, value }))
  try {
    await admin.createTopics({
      topics: [topic],
      // -1: what the brokers have as default.
      partitions: create?.partitions ?? -1,
      replicas: create?.replicas ?? -1,
      configs,
    })
  } catch (error) {
    if (faultIds(error).includes('TOPIC_ALREADY_EXISTS')) return
    const settings = configs.map(({ name, value }) => `--config ${name}=${value}`).join(' ')
    const fault = kafkaError(`topic ${topic} is not there and could not be made`, error)
    throw new MigrationError(
      'MA_CAPTURE_LOG',
      `${fault.message}. Make it by: kafka-topics.sh --create --topic ${topic} --partitions ${create?.partitions ?? 1} ${settings}`,
      { cause: error, retryable: fault.retryable },
    )
  }
}

async function readSettings(
  kafka: KafkaPackage,
  admin: Admin,
  topic: string,
): Promise<Omit<TopicFacts, 'partitions'>> {
  const settings = new Map<string, string>()
  try {
    const resource = { resourceType: kafka.ConfigResourceTypes.TOPIC, resourceName: topic }
    const [described] = await admin.describeConfigs({ resources: [resource] })
    for (const { name, value } of described?.configs ?? []) {
      if (value !== null && value !== undefined) settings.set(name, value)
    }
  } catch (error) {
    const ids = faultIds(error)
    const forbidden = ids.some((id) => id.endsWith('AUTHORIZATION_FAILED'))
    if (!forbidden) throw kafkaError(`topic ${topic}`, error)
  }
  if (settings.get('cleanup.policy')?.includes('compact') === true) {
    throw new MigrationError(
      'MA_CONFIG',
      `topic ${topic} has cleanup.policy=${settings.get('cleanup.policy')}, which removes records by their key: ` +
        'set cleanup.policy=delete, or name another topic',
    )
  }
  const compression = settings.get('compression.type')
  if (compression === 'lz4' || compression === 'snappy') {
    throw new MigrationError(
      'MA_CONFIG',
      `topic ${topic} has compression.type=${compression}, which is not read: set producer, gzip or zstd`,
    )
  }
  const messageBytesMax = Number(settings.get('max.message.bytes') ?? defaultMessageBytesMax)
  if (messageBytesMax < leastMessageBytes) {
    throw new MigrationError(
      'MA_CONFIG',
      `topic ${topic} has max.message.bytes=${messageBytesMax}, too little for a log: set ${leastMessageBytes} at least`,
    )
  }
  return {
    messageBytesMax,
    minInsyncReplicas: Number(settings.get('min.insync.replicas') ?? 1),
    warnings: warningsOf(topic, settings),
  }
}

function warningsOf(topic: string, settings: ReadonlyMap<string, string>): string[] {
  if (settings.size === 0) {
    return [
      `the settings of topic ${topic} may not be read (right DescribeConfigs): see to it that retention.ms and retention.bytes are -1`,
    ]
  }
  return ['retention.ms', 'retention.bytes']
    .filter((name) => Number(settings.get(name) ?? -1) >= 0)
    .map(
      (name) =>
        `topic ${topic} has ${name}=${settings.get(name)}: the brokers remove records by it, read or not. Set it to -1`,
    )
}
