import { takeFolderLock, type FolderLock } from '../base/folder-lock.ts'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import type { CaptureLogReader, CaptureLogWriter } from '../traffic/capture-log.ts'
import type { KafkaLogin, KafkaOptions } from '../traffic/kafka-client.ts'
import { unusableError } from '../traffic/log-errors.ts'
import { makeFolder } from '../traffic/log-folder.ts'
import type { Metrics } from './metrics.ts'
import type { CaptureOptions } from './options.ts'

type KafkaConfig = NonNullable<CaptureOptions['log']['kafka']>

/** Where a proxy keeps its log; plain data, secrets are references. */
export interface LogPlace {
  /** Name of the proxy: its streams are NAME.0, NAME.1 … */
  readonly name: string
  /** Of the log itself, and with Kafka of what says which stream is taken. */
  readonly dir: string
  /** Of one stream. */
  readonly bytesMax: number
  readonly kafka?: KafkaConfig
}

export interface OpenStream {
  readonly stream: string
  readonly writer: CaptureLogWriter
  /** For the status: the folder, or brokers and topic. */
  readonly place: string
}

/** Who is told of what a stream does. */
export interface StreamTold {
  readonly metrics: Metrics
  /** Of settings of the topic by which records can be lost. */
  readonly onWarning?: ((warning: string) => void) | undefined
}

export function placeOf({ dir, kafka }: LogPlace): string {
  return kafka === undefined ? dir : `${(kafka.brokers ?? []).join(',')}/${kafka.topic}`
}

const streamsMax = 1000

/**
 * Opens the first stream of the proxy that no process writes to: workers find one each, and those of a proxy that takes
 * over find others than those that still drain.
 */
export async function openStream(log: LogPlace, told: StreamTold): Promise<OpenStream> {
  for (let number = 0; number < streamsMax; number++) {
    const opened = await openNamedStream(log, `${log.name}.${number}`, told)
    if (opened !== undefined) return opened
  }
  throw new MigrationError(
    'MA_LOCKED',
    `all ${streamsMax} streams of the proxy ${log.name} are written to by other processes; give this one another capture.name`,
  )
}

/** Opens one stream; undefined when another process writes to it. */
export async function openNamedStream(
  log: LogPlace,
  stream: string,
  told: StreamTold,
): Promise<OpenStream | undefined> {
  const folder = join(log.dir, stream)
  if (log.kafka !== undefined) return openKafkaStream({ ...log, kafka: log.kafka }, stream, told)
  const { openLocalLog } = await import('../traffic/local-log.ts')
  try {
    const { bytesMax } = log
    const onWrite = countFlushes(told.metrics)
    const writer = await openLocalLog({ folder, stream, bytesMax, onWrite })
    return { stream, writer, place: placeOf(log) }
  } catch (error) {
    if (error instanceof MigrationError && error.code === 'MA_LOCKED') return undefined
    throw error
  }
}

async function openKafkaStream(
  log: LogPlace & { kafka: KafkaConfig },
  stream: string,
  { metrics, onWarning }: StreamTold,
): Promise<OpenStream | undefined> {
  const lock = await lockFolder(join(log.dir, stream))
  if (lock === undefined) return undefined
  try {
    const { openKafkaWriter } = await import('../traffic/kafka-writer.ts')
    const kafka = await resolveKafka(log.kafka)
    const writer = await openKafkaWriter({
      kafka,
      proxy: stream,
      onFlush: countFlushes(metrics),
      ...(onWarning && { onWarning }),
    })
    return { stream, writer: releasing(writer, lock), place: placeOf(log) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The reader of the whole log: the streams of all proxies that write to its folder, or to its topic. */
export async function openLogReader({ dir, kafka }: LogPlace): Promise<CaptureLogReader> {
  if (kafka !== undefined) {
    const { openKafkaReader } = await import('../traffic/kafka-reader.ts')
    return openKafkaReader(await resolveKafka(kafka))
  }
  const { openLocalLogReader } = await import('../traffic/local-log-reader.ts')
  return openLocalLogReader(dir)
}

function countFlushes(metrics: Metrics): (flush: { seconds: number; bytes: number }) => void {
  return ({ seconds, bytes }) => {
    metrics.observe('osmigrate_capture_log_sync_duration_seconds', seconds)
    metrics.add('osmigrate_capture_log_written_bytes_total', bytes)
  }
}

async function lockFolder(folder: string): Promise<FolderLock | undefined> {
  try {
    await makeFolder(folder)
    return takeFolderLock(folder)
  } catch (error) {
    throw unusableError(folder, error)
  }
}

function releasing(writer: CaptureLogWriter, lock: FolderLock): CaptureLogWriter {
  return {
    last: writer.last,
    append: (record, durable) => writer.append(record, durable),
    usage: () => writer.usage(),
    close: () => writer.close().finally(() => lock.release()),
  }
}

/** Reads the secrets that the configuration points to. Errors: MA_CONFIG, MA_SECRET. */
export async function resolveKafka(config: KafkaConfig): Promise<KafkaOptions> {
  const { brokers, topic, partitions, replicas, sasl, tls } = config
  const pem = async (reference: string | undefined, what: string): Promise<string | undefined> =>
    reference === undefined ? undefined : resolveSecret(reference, `capture.log.kafka.tls.${what}`)
  const [ca, cert, key] = [
    await pem(tls?.ca, 'ca'),
    await pem(tls?.cert, 'cert'),
    await pem(tls?.key, 'key'),
  ]
  return {
    brokers: brokers ?? [],
    topic,
    create: {
      ...(partitions !== undefined && { partitions }),
      ...(replicas !== undefined && { replicas }),
    },
    ...(tls !== undefined && {
      tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    }),
    ...(sasl !== undefined && { sasl: await resolveLogin(sasl) }),
  }
}

async function resolveLogin(sasl: NonNullable<KafkaConfig['sasl']>): Promise<KafkaLogin> {
  const { mechanism, username, password, region } = sasl
  if (mechanism === 'aws-msk-iam') {
    const { mskToken } = await import('../traffic/kafka-msk-token.ts')
    return { mechanism: 'oauthbearer', token: mskToken(region) }
  }
  return {
    mechanism,
    username: username!,
    password: await resolveSecret(password!, 'capture.log.kafka.sasl.password'),
  }
}
