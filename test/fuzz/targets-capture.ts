/** What reads a capture log: one record, and a segment file of the local log. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { CaptureRecord } from '../../src/traffic/exchange.ts'
import { openLocalLog } from '../../src/traffic/local-log.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { decodeRecord } from '../../src/traffic/record-decode.ts'
import { encodeRecord } from '../../src/traffic/record-encode.ts'
import { frameHeadBytes } from '../../src/traffic/record-layout.ts'
import { append } from '../support/capture-log-contract.ts'
import { randomRecord } from '../support/capture-records.ts'
import { randomSource } from '../support/random-json.ts'
import { mutate } from './mutations.ts'
import type { Random } from './mutations.ts'
import type { Sample, Target } from './target.ts'

const place = { file: 'hostile', offset: 0 }

const record: Target = {
  name: 'capture-record',
  async samples() {
    const frames = Array.from({ length: 40 }, (_, i) => encodeRecord(randomRecord(randomSource(i))))
    return frames.map((bytes, i) => ({
      name: `${i}`,
      bytes,
      guarded: true,
      decode: decodeAndCheck,
      vary: (random) => framed(mutate(random, bytes.subarray(frameHeadBytes), { donors: frames })),
    }))
  },
}

/** What was read is what would be written. */
function decodeAndCheck(bytes: Uint8Array): CaptureRecord {
  const read = decodeRecord(Buffer.from(bytes), place)
  assert.deepEqual(decodeRecord(encodeRecord(read), place), read)
  return read
}

/** Content as a frame, with the length and the checksum that it should have. */
function framed(content: Uint8Array): Buffer {
  const frame = Buffer.concat([Buffer.alloc(frameHeadBytes), content])
  frame.writeUInt32BE(content.length, 4)
  frame.writeUInt32BE(crc32(frame.subarray(4)), 0)
  return frame
}

const segment: Target = {
  name: 'capture-segment',
  bytesPerByte: 10_000,
  workPerByte: 2000,
  async samples() {
    const samples: Sample[] = []
    for (let i = 0; i < 6; i++) {
      const bytes = await makeSegment(randomSource(i))
      samples.push({
        ...{ name: `${i}`, bytes, decode: readSegment },
        vary: (random) => mutate(random, bytes),
      })
    }
    return samples
  },
}

async function makeSegment(random: Random): Promise<Buffer> {
  return withFolder(async (root) => {
    const log = await openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1e9 })
    for (let i = 0; i < 12; i++) await append(log, randomRecord(random, i))
    await log.close()
    return readFileSync(join(root, 'p1/00000001.log'))
  })
}

/** With damage passed over it is read from end to end; the sooner of both may end with an error. */
async function readSegment(bytes: Uint8Array): Promise<number> {
  return withFolder(async (root) => {
    mkdirSync(join(root, 'p1'))
    writeFileSync(join(root, 'p1/00000001.log'), bytes)
    const from = { stream: 'p1', offset: 0 }
    const passed = openLocalLogReader(root, { onDamage: () => undefined })
    let records = 0
    for await (const { record } of passed.read(from, { follow: false })) {
      if (record.kind !== 'gap') records++
    }
    const strict = openLocalLogReader(root)
    for await (const { next } of strict.read(from, { follow: false })) assert.ok(next.offset > 0)
    const log = await openLocalLog({ folder: join(root, 'p1'), stream: 'p1', bytesMax: 1e9 })
    await log.close()
    return records
  })
}

async function withFolder<T>(run: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'fuzz-capture-'))
  try {
    return await run(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

export const captureTargets: readonly Target[] = [record, segment]
