import { allOf } from '../base/all-of.ts'
import type { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import { resolveKafka } from '../capture/open-log.ts'
import type { NamedLog } from '../traffic/log-feed.ts'
import type { CaptureLogReader, LogPosition } from '../traffic/capture-log.ts'
import { logPlace } from './capture.ts'
import { adminToken } from './capture-run.ts'
import type { LoadedConfig } from './config.ts'

/** Asking brokers for their streams costs a connection. */
const kafkaLookEveryMs = 5000

/**
 * The capture logs that sync follows: those of the proxies that are named, a topic, or the folder of this machine; none
 * with capture.mode none. Damage in a local log is told by `onWarning`, and is a gap.
 */
export async function syncLogs(
  loaded: LoadedConfig,
  onWarning: (message: string) => void,
): Promise<NamedLog[]> {
  const { capture } = loaded.config
  if (capture.mode === 'none') return []
  if (capture.proxies !== undefined) return remoteLogs(loaded, capture.proxies)
  const { dir, kafka } = logPlace(loaded)
  if (kafka !== undefined) return [await kafkaLog(kafka)]
  const { openLocalLogReader } = await import('../traffic/local-log-reader.ts')
  const onDamage = (damage: MigrationError): void => onWarning(damage.message)
  return [{ name: dir, reader: openLocalLogReader(dir, { onDamage }) }]
}

async function kafkaLog(
  config: NonNullable<ReturnType<typeof logPlace>['kafka']>,
): Promise<NamedLog> {
  const { openKafkaReader, openKnownTopicReader } = await import('../traffic/kafka-reader.ts')
  const options = await resolveKafka(config)
  const isOwn = config.recordedBy !== 'opensearch-migrations'
  const reader = isOwn ? await openKafkaReader(options) : await openKnownTopicReader(options)
  return { name: `topic ${options.topic}`, reader, lookEveryMs: kafkaLookEveryMs }
}

async function remoteLogs(loaded: LoadedConfig, urls: readonly string[]): Promise<NamedLog[]> {
  const { openRemoteLog } = await import('../traffic/remote-log.ts')
  const { ca } = loaded.config.capture.admin.tls ?? {}
  const token = await adminToken(loaded)
  const tls =
    ca === undefined ? {} : { tls: { ca: await resolveSecret(ca, 'capture.admin.tls.ca') } }
  return urls.map((url) => ({ name: url, reader: openRemoteLog({ url, token, ...tls }) }))
}

/** Several logs as one; their streams have different names. */
export function mergedReader(logs: readonly NamedLog[]): CaptureLogReader {
  const readers = logs.map(({ reader }) => reader)
  const byStream = new Map<string, CaptureLogReader>()
  const ofStream = ({ stream }: LogPosition): CaptureLogReader =>
    byStream.get(stream) ?? readers[0]!
  return {
    streams: async () => {
      const all = await Promise.all(
        readers.map(async (reader) => {
          const streams = await reader.streams()
          for (const { end } of streams) byStream.set(end.stream, reader)
          return streams
        }),
      )
      return all.flat()
    },
    read: (from, options) => ofStream(from).read(from, options),
    behind: (position) => ofStream(position).behind(position),
    release: (position) => ofStream(position).release(position),
    close: async () => void (await allOf(readers.map((reader) => reader.close()))),
  }
}
