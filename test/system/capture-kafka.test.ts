import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  Producer,
} from '@platformatic/kafka'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Metrics } from '../../src/capture/metrics.ts'
import { openStream } from '../../src/capture/open-log.ts'
import type {
  CaptureLogReader,
  CaptureLogWriter,
  LoggedRecord,
} from '../../src/traffic/capture-log.ts'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'
import type { KafkaOptions } from '../../src/traffic/kafka-client.ts'
import { openKafkaReader, openKnownTopicReader } from '../../src/traffic/kafka-reader.ts'
import { openKafkaWriter } from '../../src/traffic/kafka-writer.ts'
import { append, testCaptureLogStore } from '../support/capture-log-contract.ts'
import { startCapture, until, writeCaptureConfig } from '../support/capture.ts'
import { cliFolder } from '../support/cli.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { buildChunk } from '../support/known-streams.ts'

const broker = await useEngine('kafka', '4')
const older = await useEngine('kafka', '3')

for (const [name, { url }] of [
  ['Kafka 3.9', older],
  ['Kafka 4.1', broker],
] as const) {
  testCaptureLogStore(name, async () => {
    const kafka = { brokers: [url], topic: uniqueName('contract'), create: { partitions: 1 } }
    const writers: CaptureLogWriter[] = []
    return {
      openWriter: async () => {
        const writer = await openKafkaWriter({ kafka, proxy: 'p1' })
        writers.push(writer)
        return writer
      },
      openReader: () => openKafkaReader(kafka),
      remove: async () => {
        await Promise.all(writers.map((writer) => writer.close()))
      },
    }
  })
}

test('what was appended is read in its order, from every position of it', async (t) => {
  const kafka = { brokers: [broker.url], topic: uniqueName('log') }
  const writer = await openKafkaWriter({ kafka, proxy: 'edge-1.0' })
  assert.equal(writer.last, undefined)
  const records = Array.from({ length: 60 }, (_, number) => request(number, 100 * number))
  await Promise.all(records.map((record) => append(writer, record)))
  await append(writer, mark('stopped'))
  await writer.close()

  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  const read = await readAll(reader)
  assert.deepEqual(
    read.map(({ record }) => record),
    [...records, mark('stopped')],
  )
  for (const index of [0, 1, 30, 59, 60]) {
    const rest = await collect(reader, read[index]!.next)
    assert.deepEqual(rest, read.slice(index + 1), `after record ${index}`)
  }
})

test('a writer finds what its proxy ended with, beside the records of others', async () => {
  const kafka = { brokers: [broker.url], topic: uniqueName('log'), create: { partitions: 1 } }
  const first = await openKafkaWriter({ kafka, proxy: 'edge-1.0' })
  const other = await openKafkaWriter({ kafka, proxy: 'edge-2.0' })
  await append(first, request(7, 10))
  for (let number = 0; number < 120; number++) await append(other, request(number, 10, 'edge-2.0'))
  await append(other, mark('stopped', 'edge-2.0'))
  await Promise.all([first.close(), other.close()])
  const again = await openKafkaWriter({ kafka, proxy: 'edge-1.0' })
  assert.deepEqual(again.last, { isClean: false, at: 20, number: 7 })
  const stopped = await openKafkaWriter({ kafka, proxy: 'edge-2.0' })
  assert.deepEqual(stopped.last, { isClean: true, at: 1000, number: 119 })
  await Promise.all([again.close(), stopped.close()])
})

test('a record that is longer than the brokers take comes back whole', async (t) => {
  const kafka = { brokers: [broker.url], topic: uniqueName('log'), create: { partitions: 1 } }
  const writers = await Promise.all(
    ['edge-1.0', 'edge-2.0'].map((proxy) => openKafkaWriter({ kafka, proxy })),
  )
  const records = [5_000_000, 10, 3_000_000].flatMap((bytes, number) => [
    request(number, bytes, 'edge-1.0'),
    request(number, bytes, 'edge-2.0'),
  ])
  await Promise.all(records.map((record, index) => append(writers[index % 2]!, record)))
  await Promise.all(writers.map((writer) => writer.close()))
  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  const read = await readAll(reader)
  for (const proxy of ['edge-1.0', 'edge-2.0']) {
    const ofProxy = (record: CaptureRecord) =>
      'exchange' in record && record.exchange.proxy === proxy
    assert.deepEqual(read.map(({ record }) => record).filter(ofProxy), records.filter(ofProxy))
  }
  // A position among the parts of the other proxy's record repeats, and never misses.
  for (const { next } of read) {
    const rest = (await collect(reader, next)).map(({ record }) => record)
    const missing = read.filter((one) => one.next.offset > next.offset).map(({ record }) => record)
    for (const record of missing) assert.ok(rest.some((one) => isSame(one, record)))
  }
})

test('brokers that take shorter messages from one moment to the next lose nothing', async (t) => {
  const kafka = newTopic()
  const writer = await openKafkaWriter({ kafka, proxy: 'p1' })
  await append(writer, request(0, 200_000))
  await setTopic(kafka.topic, { 'max.message.bytes': '20000' })
  const records = Array.from({ length: 12 }, (_, number) => request(number + 1, 30_000))
  await Promise.all(records.map((record) => append(writer, record)))
  await writer.close()
  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  assert.deepEqual(
    (await readAll(reader)).map(({ record }) => record),
    [request(0, 200_000), ...records],
  )
})

test('a topic that removes records by itself is refused or warned of', async () => {
  const kafka = newTopic()
  await (await openKafkaWriter({ kafka, proxy: 'p1' })).close()
  await setTopic(kafka.topic, { 'retention.ms': '86400000' })
  const warnings: string[] = []
  const onWarning = (warning: string): void => void warnings.push(warning)
  await (await openKafkaWriter({ kafka, proxy: 'p1', onWarning })).close()
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /retention\.ms=86400000/)
  // As a worker opens it.
  const place = {
    name: 'edge',
    dir: cliFolder(),
    bytesMax: 1,
    kafka: { brokers: [broker.url], topic: kafka.topic },
  }
  await (await openStream(place, { metrics: new Metrics(), onWarning })).writer.close()
  assert.equal(warnings.length, 2)
  // As a person sees it who starts the proxy.
  const folder = cliFolder()
  writeCaptureConfig(folder, 'http://127.0.0.1:9', { log: { kafka: place.kafka } })
  const proxy = await startCapture(folder)
  const isTold = (): boolean => proxy.said().includes('retention.ms=86400000')
  await until('it is told on the terminal', () => Promise.resolve(isTold()))
  await proxy.stop()
  await setTopic(kafka.topic, { 'max.message.bytes': '900' })
  const tiny = openKafkaWriter({ kafka, proxy: 'p1' })
  await assert.rejects(tiny, { code: 'MA_CONFIG', message: /max\.message\.bytes=900/ })
  await setTopic(kafka.topic, { 'cleanup.policy': 'compact', 'max.message.bytes': '1000000' })
  const compacted = openKafkaWriter({ kafka, proxy: 'p1' })
  await assert.rejects(compacted, { code: 'MA_CONFIG', message: /cleanup\.policy=compact/ })
})

test('partitions that are added later are streams, and a writer stays in its own', async (t) => {
  const kafka = newTopic()
  const writer = await openKafkaWriter({ kafka, proxy: 'p1' })
  t.after(() => writer.close())
  await append(writer, request(1, 10))
  const admin = newAdmin()
  t.after(() => admin.close())
  const assignments = Array.from({ length: 7 }, () => ({ brokerIds: [1] }))
  await admin.createPartitions({ topics: [{ name: kafka.topic, count: 8, assignments }] })
  await append(writer, request(2, 10))
  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  const streams = await reader.streams()
  assert.equal(streams.length, 8)
  const records = (await collect(reader, streams[0]!.oldest)).map(({ record }) => record)
  assert.deepEqual(records, [request(1, 10), request(2, 10)])
})

test('records that the brokers have removed are missed by name', async (t) => {
  const kafka = newTopic()
  const writer = await openKafkaWriter({ kafka, proxy: 'p1' })
  for (let number = 0; number < 5; number++) await append(writer, request(number, 10))
  await writer.close()
  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  const read = await readAll(reader)
  await reader.release(read[2]!.next)
  const { stream } = read[0]!.next
  await assert.rejects(collect(reader, { stream, offset: 0 }), {
    code: 'MA_CAPTURE_LOG',
    message: /does not have|do not have this message any more/,
  })
  assert.deepEqual(await collect(reader, read[2]!.next), read.slice(3))
  assert.deepEqual((await reader.streams())[0]!.oldest, read[2]!.next)
})

test('a topic that is not there, and messages of others, are named', async (t) => {
  const missing = await openKafkaReader(newTopic())
  t.after(() => missing.close())
  await assert.rejects(missing.streams(), { code: 'MA_CAPTURE_LOG', message: /no topic/ })
  const kafka = newTopic()
  await (await openKafkaWriter({ kafka, proxy: 'p1' })).close()
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [broker.url] })
  const value = Buffer.from('a message of somebody else')
  await producer.send({ messages: [{ topic: kafka.topic, partition: 0, value }], acks: -1 })
  await producer.close()
  const reader = await openKafkaReader(kafka)
  t.after(() => reader.close())
  await assert.rejects(readAll(reader), {
    code: 'MA_CAPTURE_LOG',
    message: new RegExp(`${kafka.topic}-0.*osmigrate did not write`),
  })
})

test('a topic of the known tool is read, from every position of it', async (t) => {
  const kafka = newTopic()
  await (await openKafkaWriter({ kafka, proxy: 'p1' })).close()
  const put = 'PUT /i/_doc/1 HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}'
  const created = 'HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}'
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [broker.url] })
  const chunks = Array.from({ length: 40 }, (_, index) => ({
    connection: `c${index % 2}`,
    number: Math.floor(index / 2) + 1,
    requestsBefore: Math.max(0, Math.floor(index / 2) - 1),
    beginsInRequest: index > 1,
    passed: [
      ...(index > 1 ? ([{ kind: 'read', at: 5, data: put.slice(20) }] as const) : []),
      ...(index > 1 ? ([{ kind: 'requestEnd', at: 6 }] as const) : []),
      ...(index > 1 ? ([{ kind: 'write', at: 7, data: created }] as const) : []),
      { kind: 'read', at: 8, data: put.slice(0, 20) },
    ] as const,
  }))
  for (const chunk of chunks) {
    const message = { topic: kafka.topic, partition: 0, value: buildChunk(chunk) }
    await producer.send({ messages: [message], acks: -1 })
  }
  await producer.close()
  const reader = await openKnownTopicReader(kafka)
  t.after(() => reader.close())
  const [stream] = await reader.streams()
  const read = await collect(reader, stream!.oldest)
  assert.equal(read.length, 2 * 38)
  for (const index of [0, 1, 7, 20, 75]) {
    const rest = (await collect(reader, read[index]!.next)).map(({ record }) => record)
    for (const { record } of read.slice(index + 1)) {
      assert.ok(
        rest.some((one) => isDeepStrictEqual(one, record)),
        `after record ${index}`,
      )
    }
  }
})

function newTopic(): KafkaOptions {
  return { brokers: [broker.url], topic: uniqueName('log'), create: { partitions: 1 } }
}

function newAdmin(): Admin {
  return new Admin({ clientId: 'test', bootstrapBrokers: [broker.url] })
}

async function setTopic(topic: string, settings: { [name: string]: string }): Promise<void> {
  const admin = newAdmin()
  const configs = Object.entries(settings).map(([name, value]) => ({
    name,
    value,
    configOperation: IncrementalAlterConfigOperationTypes.SET,
  }))
  await admin.incrementalAlterConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }],
  })
  await admin.close()
}

function isSame(a: CaptureRecord, b: CaptureRecord): boolean {
  return (
    'exchange' in a &&
    'exchange' in b &&
    a.exchange.proxy === b.exchange.proxy &&
    a.exchange.number === b.exchange.number
  )
}

async function readAll(reader: CaptureLogReader): Promise<LoggedRecord[]> {
  const streams = await reader.streams()
  return (await Promise.all(streams.map(({ oldest }) => collect(reader, oldest)))).flat()
}

async function collect(
  reader: CaptureLogReader,
  from: LoggedRecord['next'],
): Promise<LoggedRecord[]> {
  return Array.fromAsync(reader.read(from, { follow: false }))
}

function request(number: number, bytes: number, proxy = 'edge-1.0'): CaptureRecord {
  const body = Buffer.alloc(bytes, number % 251)
  return {
    kind: 'request',
    exchange: { proxy, number },
    connection: 1,
    method: 'PUT',
    target: `/index/_doc/${number}`,
    headers: ['content-type', 'application/json'],
    body,
    bodyBytes: bytes,
    firstByteAt: 10,
    lastByteAt: 20,
    mayWrite: true,
  }
}

function mark(kind: 'started' | 'stopped', proxy = 'edge-1.0'): CaptureRecord {
  return { kind, proxy, at: 1000, version: '1.2.3' }
}
