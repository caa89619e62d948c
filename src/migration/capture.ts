import { availableParallelism, hostname } from 'node:os'
import { join } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { LogPlace } from '../capture/open-log.ts'
import type { ProxySettings } from '../capture/proxy-settings.ts'
import type { RecordingStart } from '../capture/recording-worker.ts'
import { connectCluster } from '../cluster/connect.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import type { LoadedConfig } from './config.ts'
import { clusterOptions } from './migration.ts'
import { required } from './required.ts'

/** What the processes of a proxy are told, from what is configured. */
export interface ConfiguredProxy {
  readonly name: string
  readonly settings: ProxySettings
  readonly recording: RecordingStart
}

const sourceWaitMs = 5000

/**
 * A proxy as migration.yaml describes it. The source is asked for its version, by which some paths mean another thing; one
 * that does not tell it now is told by `onWarning`, and what may write counts.
 */
export async function configuredProxy(
  loaded: LoadedConfig,
  { version, onWarning }: { version: string; onWarning: (message: string) => void },
): Promise<ConfiguredProxy> {
  const { capture, source: sourceConfig } = loaded.config
  if (capture.mode === 'none') {
    throw new MigrationError(
      'MA_CONFIG',
      'capture.mode is none: the source is followed without a proxy, and there is nothing to start. Set it to proxy to record in front of the source.',
    )
  }
  if (capture.log.kafka?.recordedBy === 'opensearch-migrations') {
    throw new MigrationError(
      'MA_CONFIG',
      'capture.log.kafka.recordedBy is opensearch-migrations: its topic is read by sync and never written to. Start the proxy of that tool, or name a topic for this one.',
    )
  }
  const source = required(sourceConfig, 'source.url')
  const name = proxyName(loaded)
  const { url, tls } = clusterOptions(source)
  const engine = await sourceVersion(loaded, onWarning)
  return {
    name,
    settings: {
      listen: parseAddress(capture.listen),
      sourceUrls: url,
      ...(tls && { sourceTls: tls }),
      ...(capture.tls?.cert !== undefined && { tls: listenTls(capture.tls) }),
      workers: workerCount(loaded),
      forwardedHeaders: capture.forwardedHeaders,
      rewriteAddresses: capture.rewriteAddresses,
      ...(capture.setHeaders && { setHeaders: capture.setHeaders }),
      limits: {
        sourceWaitMs: capture.sourceWait,
        idleTimeoutMs: capture.idleTimeout,
        drainTimeoutMs: capture.drainTimeout,
        connectionsMax: capture.connectionsMax,
      },
    },
    recording: {
      log: logPlace(loaded),
      recorder: {
        version,
        onLogFailure: capture.onLogFailure,
        logWaitMaxMs: capture.logWaitMax,
        bodyBytesMax: capture.bodyBytesMax,
        memoryMax: capture.memoryMax,
        reads: capture.reads,
        readBytesMax: capture.readBytesMax,
        redact: capture.redact,
        typed: engine && hasTypes(engine),
      },
    },
  }
}

/** The name under which this proxy stands in the log. */
export function proxyName({ config }: LoadedConfig): string {
  const machine = hostname()
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
  return config.capture.name ?? (machine.slice(0, 63) || 'proxy')
}

function workerCount({ config }: LoadedConfig): number {
  return config.capture.workers ?? Math.max(1, availableParallelism() - 1)
}

/** Where the log of this proxy is. The bound of the whole is shared out to the streams of the workers. */
export function logPlace(loaded: LoadedConfig): LogPlace {
  const { dir, bytesMax, kafka } = loaded.config.capture.log
  return {
    name: proxyName(loaded),
    dir: dir ?? join(loaded.stateFolder, 'log'),
    bytesMax: Math.floor(bytesMax / workerCount(loaded)),
    ...(kafka?.brokers && { kafka }),
  }
}

/** `0.0.0.0:9200`, `[::]:9200`. */
export function parseAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(at + 1))
  if (port > 65_535) throw new MigrationError('MA_CONFIG', `${address}: a port is at most 65535`)
  return { host, port }
}

function listenTls(tls: NonNullable<LoadedConfig['config']['capture']['tls']>) {
  const { cert, key, clientCa } = tls
  return { cert: cert!, key: key!, ...(clientCa !== undefined && { clientCa }) }
}

function hasTypes({ flavour, major }: EngineVersion): boolean {
  return flavour === 'elasticsearch' ? major < 9 : major < 2
}

async function sourceVersion(
  { config }: LoadedConfig,
  onWarning: (message: string) => void,
): Promise<EngineVersion | undefined> {
  try {
    const options = clusterOptions(required(config.source, 'source.url'))
    const cluster = await connectCluster('source', options, AbortSignal.timeout(sourceWaitMs))
    await cluster.close()
    return cluster.version
  } catch (error) {
    if (error instanceof MigrationError && error.code === 'MA_CLUSTER_AUTH') return undefined
    onWarning(
      `the source does not tell its version (${(error as Error).message}); requests go to it all the same`,
    )
    return undefined
  }
}
