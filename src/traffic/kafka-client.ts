import type * as Kafka from '@platformatic/kafka'
import type { BaseOptions } from '@platformatic/kafka'
import { isIP } from 'node:net'
import { loadOptional } from '../base/optional-package.ts'

/** Where the topic is and how to log in; secrets and certificates are texts here, already read. */
export interface KafkaOptions {
  /** host:port of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[]
  readonly topic: string
  /** Present, if empty: TLS, with the certificate authorities of Node.js unless `ca` is given. PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly sasl?: KafkaLogin
  /** For a topic that is not there yet. Default: what the brokers have set. */
  readonly create?: { readonly partitions?: number; readonly replicas?: number }
}

export type KafkaLogin =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  /** A token each time that a connection logs in: JWT of an identity provider, or signed by AWS (kafka-msk-token.ts). */
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> }

export type KafkaPackage = typeof Kafka

/** The client of Kafka, which only those install who need it. Throws MA_CONFIG that says how. */
export function loadKafka(): Promise<KafkaPackage> {
  const name = '@platformatic/kafka'
  return loadOptional(() => import('@platformatic/kafka'), {
    name,
    install: name,
    neededBy: 'a capture log in Kafka',
  })
}

/** What all clients are made with. Nothing is tried again by the package: its callers know their deadlines. */
export function clientOptions(
  { brokers, tls, sasl }: KafkaOptions,
  { timeoutMs }: { timeoutMs: number },
): BaseOptions {
  return {
    clientId: 'osmigrate',
    bootstrapBrokers: [...brokers],
    connectTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    timeout: timeoutMs,
    retries: 0,
    metadataMaxAge: 60_000,
    autocreateTopics: false,
    ...(tls !== undefined && { tls: { ...tls }, tlsServerName: !brokers.some(isAddress) }),
    ...(sasl !== undefined && { sasl: saslOptions(sasl) }),
  }
}

/** An address of IP has no place in the server name of TLS. */
function isAddress(broker: string): boolean {
  return isIP(broker.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')) !== 0
}

function saslOptions(login: KafkaLogin): NonNullable<BaseOptions['sasl']> {
  if (login.mechanism === 'oauthbearer') return { mechanism: 'OAUTHBEARER', token: login.token }
  const { username, password } = login
  const mechanisms = {
    plain: 'PLAIN',
    'scram-sha-256': 'SCRAM-SHA-256',
    'scram-sha-512': 'SCRAM-SHA-512',
  } as const
  return { mechanism: mechanisms[login.mechanism], username, password }
}

/** The name of a partition as a stream of the log, as Kafka itself names its folder: `topic-3`. */
export function streamName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** The partition of a stream; undefined for a stream that is not of this topic. */
export function partitionOf(topic: string, stream: string): number | undefined {
  const digits = stream.startsWith(`${topic}-`) ? stream.slice(topic.length + 1) : ''
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined
}
