/** Services beside the search engines, Kafka and s3proxy: their configuration, and the arguments of their JVM. */
import path from 'node:path'
import { memoryFlags } from './java.ts'
import type { LaunchOptions } from './launch.ts'

/** The file server.properties. */
export function kafkaProperties({ port, transportPort, dir, settings }: LaunchOptions): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${transportPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${transportPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${dir}/data`,
    'num.partitions': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...settings,
  }
  return propertiesText(properties)
}

/** Arguments of one of Kafka's main classes, working on the configuration that prepareLaunch wrote. */
export function kafkaArguments(
  options: LaunchOptions,
  main: string,
  ...before: string[]
): string[] {
  return [
    ...memoryFlags(options.heapMb),
    `-Djava.io.tmpdir=${options.dir}/tmp`,
    '-cp',
    `${options.home}/lib/*`,
    main,
    ...before,
    path.join(options.dir, 'config/server.properties'),
  ]
}

/** The only key that the S3 service knows; it listens on 127.0.0.1 only. */
export const s3Credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' }

/**
 * Objects are plain files DIR/BUCKET/KEY, and files that others put there are served too: with the folder of another
 * engine as `jclouds.filesystem.basedir`, its repositories are bucket `snap`.
 */
export function s3Properties({ port, dir, settings }: LaunchOptions): string {
  return propertiesText({
    's3proxy.endpoint': `http://127.0.0.1:${port}`,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': s3Credentials.accessKeyId,
    's3proxy.credential': s3Credentials.secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.identity': 'local',
    'jclouds.credential': 'local',
    'jclouds.filesystem.basedir': `${dir}/data`,
    ...settings,
  })
}

/** It serves what the configuration that was written says. */
export function s3Arguments({ heapMb, dir, home }: LaunchOptions): string[] {
  const main = 'org.gaul.s3proxy.Main'
  const properties = path.join(dir, 'config/s3proxy.conf')
  const temporary = `-Djava.io.tmpdir=${dir}/tmp`
  return [
    ...memoryFlags(heapMb),
    temporary,
    '-cp',
    `${home}/lib/*`,
    main,
    '--properties',
    properties,
  ]
}

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
