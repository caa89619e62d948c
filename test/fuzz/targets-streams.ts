/** Records of a capture log on their way: messages of Kafka, the log over the admin port, chunks of the known tool. */
import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { MessageJoiner } from '../../src/traffic/kafka-join.ts'
import { buildMessage, messageHeadBytes } from '../../src/traffic/kafka-message.ts'
import { KnownStreams } from '../../src/traffic/known-stream.ts'
import { endEntry, parseLogStream, recordHead } from '../../src/traffic/log-stream.ts'
import { encodeRecord } from '../../src/traffic/record-encode.ts'
import { randomRecord } from '../support/capture-records.ts'
import { buildChunk, type Passed } from '../support/known-streams.ts'
import { randomSource } from '../support/random-json.ts'
import { mutate } from './mutations.ts'
import type { Target } from './target.ts'

const frames = Array.from({ length: 12 }, (_, i) => encodeRecord(randomRecord(randomSource(i), i)))

const message: Target = {
  name: 'kafka-message',
  async samples() {
    const head = { writer: 1, sequence: 1, begins: true, ends: true }
    const contents = [frames.slice(0, 3), frames.slice(3, 9), [frames[9]!]]
    return contents.map((content, i) => {
      const bytes = buildMessage(head, content)
      return {
        ...{ name: `${i}`, bytes, guarded: true, decode: decodeMessage },
        vary: (random) => checked(mutate(random, bytes)),
      }
    })
  },
}

function decodeMessage(bytes: Uint8Array): number[] {
  const joiner = new MessageJoiner('hostile')
  const found = joiner.accept({ key: 'p1', value: Buffer.from(bytes), offset: 0, at: 0 })
  assert.ok(joiner.nextOffset(0) <= 1)
  return found.map((frame) => frame.length)
}

/** With the checksum that it should have. */
function checked(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length >= messageHeadBytes) copy.writeUInt32BE(crc32(copy.subarray(4)), 0)
  return copy
}

const logStream: Target = {
  name: 'log-stream',
  async samples() {
    const entries = frames.flatMap((frame, i) => [recordHead({ stream: 's', offset: i }), frame])
    const bytes = Buffer.concat([...entries, endEntry])
    return [{ name: 'all', bytes, decode: decodeStream, vary: (random) => mutate(random, bytes) }]
  },
}

async function decodeStream(bytes: Uint8Array): Promise<number> {
  let records = 0
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let start = 0; start < bytes.length; start += 100) {
      yield Buffer.from(bytes.subarray(start, start + 100))
    }
  }
  for await (const entry of parseLogStream(chunks(), 'hostile')) {
    if (entry.kind === 'record') records++
  }
  return records
}

const known: Target = {
  name: 'known-stream',
  async samples() {
    const put = 'PUT /i/_doc/1 HTTP/1.1\r\ncontent-length: 7\r\n\r\n{"a":1}'
    const bulk = 'POST /_bulk HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    const answer = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    const passed: Passed[] = [put, bulk, put + bulk].flatMap((data, at) => [
      { kind: 'read', at, data },
      { kind: 'requestEnd', at },
      { kind: 'write', at, data: answer },
      { kind: 'writeSegment', at, data: answer },
    ])
    const chunk = { number: 1, requestsBefore: 0, isLast: true, passed }
    const samples = [buildChunk(chunk), buildChunk({ ...chunk, beginsInRequest: true })]
    return samples.map((bytes, i) => ({
      ...{ name: `${i}`, bytes, decode: decodeChunk },
      vary: (random) => mutate(random, bytes, { donors: samples }),
    }))
  },
}

function decodeChunk(bytes: Uint8Array): number {
  const streams = new KnownStreams('hostile')
  const records = [...streams.accept(Buffer.from(bytes), 5), ...streams.end()]
  for (const record of records) encodeRecord(record)
  assert.equal(streams.nextOffset(5), 6)
  return records.length
}

export const streamTargets: readonly Target[] = [message, logStream, known]
