import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { MigrationError } from '../../src/base/errors.ts'
import type { CaptureLogWriter } from '../../src/traffic/capture-log.ts'
import type { KafkaLogin, KafkaOptions } from '../../src/traffic/kafka-client.ts'
import { openKafkaReader } from '../../src/traffic/kafka-reader.ts'
import { openKafkaWriter } from '../../src/traffic/kafka-writer.ts'
import {
  ask,
  startCapture,
  writeCaptureConfig,
  Writers,
  type RunningProxy,
} from '../support/capture.ts'
import { appendAll, readAll } from '../support/capture-log-contract.ts'
import { numberedRequest } from '../support/capture-records.ts'
import { cliFolder } from '../support/cli.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { kafkaUser, useSecuredKafka } from '../support/secured-kafka.ts'

const kafka = await useSecuredKafka()
const source = await useEngine('elasticsearch', '7')
const { ca, cert, key } = kafka.certificates

const ways: { name: string; broker: string; sasl?: KafkaLogin; tls?: KafkaOptions['tls'] }[] = [
  { name: 'PLAIN', broker: kafka.sasl, sasl: { mechanism: 'plain', ...kafkaUser } },
  { name: 'SCRAM-SHA-256', broker: kafka.sasl, sasl: { mechanism: 'scram-sha-256', ...kafkaUser } },
  {
    name: 'SCRAM-SHA-512 over TLS',
    broker: kafka.saslTls,
    sasl: { mechanism: 'scram-sha-512', ...kafkaUser },
    tls: { ca },
  },
  {
    name: 'a token over TLS',
    broker: kafka.saslTls,
    sasl: { mechanism: 'oauthbearer', token: unsignedToken },
    tls: { ca },
  },
  { name: 'a client certificate', broker: kafka.tls, tls: { ca, cert, key } },
]

for (const { name, broker, sasl, tls } of ways) {
  test(`a log is written and read with ${name}`, async () => {
    const options = {
      brokers: [broker],
      topic: uniqueName('login'),
      create: { partitions: 1 },
      ...(sasl && { sasl }),
      ...(tls && { tls }),
    }
    const writer = await openKafkaWriter({ kafka: options, proxy: 'p1' })
    const records = [numberedRequest(1), numberedRequest(2)]
    await appendAll(writer, records)
    await writer.close()
    const reader = await openKafkaReader(options)
    const [stream] = await reader.streams()
    const read = await readAll(reader, stream!.oldest)
    assert.deepEqual(
      read.map(({ record }) => record),
      records,
    )
    await reader.close()
  })
}

const refused: {
  name: string
  broker: string
  sasl?: KafkaLogin
  tls?: KafkaOptions['tls']
  message: RegExp
}[] = [
  {
    name: 'a wrong password',
    broker: kafka.sasl,
    sasl: { mechanism: 'plain', username: 'capture', password: 'swordfish' },
    message: /refuse the login/,
  },
  {
    name: 'a wrong password for SCRAM',
    broker: kafka.sasl,
    sasl: { mechanism: 'scram-sha-512', username: 'capture', password: 'swordfish' },
    message: /refuse the login/,
  },
  {
    name: 'no authority for the certificate of the broker',
    broker: kafka.saslTls,
    sasl: { mechanism: 'plain', ...kafkaUser },
    tls: {},
    message: /certificate/,
  },
  { name: 'TLS where there is none', broker: kafka.plain, tls: { ca }, message: /TLS/ },
  { name: 'no TLS where there is', broker: kafka.tls, message: /TLS/ },
]

for (const { name, broker, sasl, tls, message } of refused) {
  test(`${name}: the error says so, and no secret`, async () => {
    const options = {
      brokers: [broker],
      topic: uniqueName('login'),
      ...(sasl && { sasl }),
      ...(tls && { tls }),
    }
    await assert.rejects(openKafkaWriter({ kafka: options, proxy: 'p1' }), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'MA_CAPTURE_LOG')
      assert.match(error.message, message)
      assert.ok(!error.message.includes('swordfish') && !error.message.includes(kafkaUser.password))
      return true
    })
  })
}

/** RFC 7515 with "alg": "none", which a broker takes that was told no key. */
async function unsignedToken(): Promise<string> {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const token = `${encode({ alg: 'none' })}.${encode({ sub: 'capture', iat: now - 10, exp: now + 3600 })}.`
  return Promise.resolve(token)
}

test('a broker that is killed under load: what was acknowledged is there once, and the writer comes back', async () => {
  const options = plainTopic()
  const load = await startLoad(options)
  await load.until(() => load.acknowledged.length > 500)
  kafka.kill()
  await load.until(() => load.failing !== undefined)
  const known = load.acknowledged.length
  assert.ok(load.longestWaitMs < 2 * ackTimeoutMs, `a client waited ${load.longestWaitMs} ms`)
  const refused = await refusal(load.writer)
  assert.ok(
    refused.ms < 100,
    `a refusal took ${refused.ms} ms while the broker was known to be away`,
  )
  assert.equal(refused.error.code, 'MA_CAPTURE_LOG')
  await kafka.start()
  await load.until(() => load.acknowledged.length > known + 500)
  await load.stop()
  await checkLog(options, load.acknowledged)
})

test('a broker that stands still: refused within the bound, then at once, and back when it goes on', async () => {
  const options = plainTopic()
  const load = await startLoad(options)
  await load.until(() => load.acknowledged.length > 200)
  kafka.freeze()
  try {
    await load.until(() => load.failing !== undefined)
    assert.ok(load.longestWaitMs < 2 * ackTimeoutMs, `a client waited ${load.longestWaitMs} ms`)
    assert.ok((await refusal(load.writer)).ms < 100)
  } finally {
    kafka.thaw()
  }
  const known = load.acknowledged.length
  await load.until(() => load.acknowledged.length > known + 200)
  await load.stop()
  await checkLog(options, load.acknowledged)
})

test('a proxy whose Kafka stands still answers its clients; what is not in the log is in a gap', async () => {
  const folder = cliFolder()
  const topic = uniqueName('proxy')
  writeFileSync(path.join(folder, 'ca.pem'), ca)
  writeFileSync(path.join(folder, 'password'), kafkaUser.password)
  const sasl = {
    mechanism: 'scram-sha-512',
    username: kafkaUser.username,
    password: 'file:password',
  }
  const log = {
    kafka: { brokers: [kafka.saslTls], topic, partitions: 1, sasl, tls: { ca: 'file:ca.pem' } },
  }
  writeCaptureConfig(folder, source.url, { log })
  const index = uniqueName('kafka')
  const proxy = await startCapture(folder)
  const writers = new Writers(proxy.url, { index, prefix: 'w', atOnce: 4 })
  await writers.until(100)
  kafka.freeze()
  try {
    await writers.until(writers.acknowledged.size + 100)
    await logState(proxy, 'failing')
  } finally {
    kafka.thaw()
  }
  await logState(proxy, 'ok')
  await writers.until(writers.acknowledged.size + 100)
  await writers.stop()
  assert.equal(writers.failures, 0)
  await proxy.kill()
  await (await startCapture(folder)).stop()

  const reader = await openKafkaReader({ brokers: [kafka.plain], topic })
  const [stream] = await reader.streams()
  const records = (await readAll(reader, stream!.oldest)).map(({ record }) => record)
  await reader.close()
  const targets = new Set(records.flatMap((one) => (one.kind === 'request' ? [one.target] : [])))
  const missing = [...writers.acknowledged].filter((id) => !targets.has(`/${index}/_doc/${id}`))
  const gaps = records.flatMap((one) => (one.kind === 'gap' ? [one] : []))
  assert.ok(missing.length > 0, 'the broker stood still for long enough')
  const inGaps = gaps.reduce((sum, { requests }) => sum + requests, 0)
  assert.ok(inGaps >= missing.length, `${missing.length} are missing, ${inGaps} in gaps`)
  const marks = records.map(({ kind }) => kind).filter((kind) => /^st/.test(kind))
  assert.deepEqual(marks, ['started', 'started', 'stopped'])
})

test('a proxy, and a worker that is started again, serve while Kafka stands still; gaps tell of it', async () => {
  const folder = cliFolder()
  const topic = uniqueName('late')
  writeCaptureConfig(folder, source.url, {
    log: { kafka: { brokers: [kafka.plain], topic, partitions: 1 } },
  })
  const index = uniqueName('late')
  const headers = { 'content-type': 'application/json' }
  kafka.freeze()
  let proxy: RunningProxy
  const write = async (id: string): Promise<number> => {
    const target = `/${index}/_doc/${id}`
    return (await ask(proxy.url, { method: 'PUT', target, body: '{}', headers })).status
  }
  try {
    proxy = await startCapture(folder)
    assert.equal(await write('first'), 201)
    assert.equal((await proxy.status()).log.state, 'failing')
  } finally {
    kafka.thaw()
  }
  await logState(proxy, 'ok')
  assert.equal(await write('second'), 201)
  kafka.freeze()
  try {
    proxy.killWorkers()
    // The first try may go to a connection that was the dead worker's.
    assert.equal(await write('third').catch(() => write('third')), 201)
    await logState(proxy, 'failing')
  } finally {
    kafka.thaw()
  }
  await logState(proxy, 'ok')
  assert.equal(await write('fourth'), 201)
  await proxy.stop()
  const reader = await openKafkaReader({ brokers: [kafka.plain], topic })
  const [stream] = await reader.streams()
  const records = (await readAll(reader, stream!.oldest)).map(({ record }) => record)
  await reader.close()
  const names = records.flatMap((one) =>
    one.kind === 'request' ? [path.basename(one.target)] : [],
  )
  assert.deepEqual(names, ['second', 'fourth'])
  const gaps = records.flatMap((one) => (one.kind === 'gap' ? [one] : []))
  const isKilled = ({ cause }: { cause: string }): boolean =>
    cause.includes('without being stopped')
  assert.equal(gaps.filter((gap) => !isKilled(gap)).length, 2, 'of the first and the third')
  const second = records.find((one) => one.kind === 'request')!
  assert.deepEqual(
    gaps.filter(isKilled).map((gap) => gap.proxy),
    [second.exchange.proxy],
    'of the worker that was killed',
  )
})

async function logState(proxy: RunningProxy, wanted: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await pause(200)) {
    if ((await proxy.status()).log.state === wanted) return
  }
  throw new Error(`the log does not become ${wanted}`)
}

const ackTimeoutMs = 1500

function plainTopic(): KafkaOptions {
  return { brokers: [kafka.plain], topic: uniqueName('load'), create: { partitions: 2 } }
}

interface Load {
  readonly writer: CaptureLogWriter
  readonly acknowledged: number[]
  failing: Error | undefined
  longestWaitMs: number
  until(holds: () => boolean): Promise<void>
  stop(): Promise<void>
}

/** Sixteen clients that append one record after the other; after a refusal they wait a moment. */
async function startLoad(options: KafkaOptions): Promise<Load> {
  let next = 0
  let isStopped = false
  const changed = new EventEmitter()
  changed.setMaxListeners(0)
  const onState = (failing: Error | undefined): void => {
    load.failing = failing
    changed.emit('change')
  }
  const writer = await openKafkaWriter({ kafka: options, proxy: 'p1', ackTimeoutMs, onState })
  const load: Load = {
    writer,
    acknowledged: [],
    failing: undefined,
    longestWaitMs: 0,
    until: async (holds) => {
      const signal = AbortSignal.timeout(60_000)
      while (!holds()) await once(changed, 'change', { signal })
    },
    stop: async () => {
      isStopped = true
      await Promise.all(clients)
      await writer.close()
    },
  }
  const client = async (): Promise<void> => {
    while (!isStopped) {
      const number = next++
      const began = performance.now()
      const error = await new Promise<Error | undefined>((resolve) => {
        writer.append(numberedRequest(number, 1024), resolve)
      })
      load.longestWaitMs = Math.max(load.longestWaitMs, performance.now() - began)
      if (error === undefined) load.acknowledged.push(number)
      else await pause(20)
      changed.emit('change')
    }
  }
  const clients = Array.from({ length: 16 }, client)
  return load
}

async function refusal(writer: CaptureLogWriter): Promise<{ error: MigrationError; ms: number }> {
  const began = performance.now()
  const error = await new Promise<Error | undefined>((resolve) => {
    writer.append(numberedRequest(1e9), resolve)
  })
  return { error: error as MigrationError, ms: performance.now() - began }
}

/** Every acknowledged record is in the log; none is there twice, and they are in the order of `append`. */
async function checkLog(options: KafkaOptions, acknowledged: readonly number[]): Promise<void> {
  const reader = await openKafkaReader(options)
  const read: number[] = []
  for (const { oldest } of await reader.streams()) {
    for (const { record } of await readAll(reader, oldest)) {
      if ('exchange' in record) read.push(record.exchange.number)
    }
  }
  await reader.close()
  const there = new Set(read)
  assert.equal(there.size, read.length, 'a record is there twice')
  assert.deepEqual(
    read,
    read.toSorted((a, b) => a - b),
  )
  assert.deepEqual(
    acknowledged.filter((number) => !there.has(number)),
    [],
  )
}
