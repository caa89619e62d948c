import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ByteSource } from './byte-source.ts'
import { readAhead } from './read-ahead.ts'
import { memorySource } from './sources.ts'

const whole = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7 + (i >> 8)) & 255))

interface Watched {
  source: ByteSource
  reads: [offset: number, length: number][]
  underWayMax: number
}

/** Answers after `turns` turns of the event loop, and counts. */
function watched(turns = 1): Watched {
  const memory = memorySource('blob', whole)
  let underWay = 0
  const seen: Watched = {
    reads: [],
    underWayMax: 0,
    source: {
      ...memory,
      async read(offset, length, into) {
        seen.reads.push([offset, length])
        seen.underWayMax = Math.max(seen.underWayMax, ++underWay)
        for (let i = 0; i < turns; i++) await new Promise(setImmediate)
        underWay--
        return memory.read(offset, length, into)
      },
    },
  }
  return seen
}

const expected = (offset: number, length: number): Buffer => whole.subarray(offset, offset + length)

test('what is announced is read from front to back in windows, each once', async () => {
  const { source, reads } = watched()
  const ahead = readAhead(source, { windowBytes: 1000, windowsMax: 3 })
  ahead.expectReads!(500, 9_500)
  for (let at = 500; at < 9_500; at += 300) {
    assert.deepEqual(Buffer.from(await ahead.read(at, 300)), expected(at, 300))
  }
  assert.deepEqual(
    reads,
    Array.from({ length: 9 }, (_, i) => [500 + i * 1000, 1000]),
  )
  await ahead.close()
})

test('windows are fetched at the same time, and no more than windowsMax', async () => {
  const seen = watched(3)
  const ahead = readAhead(seen.source, { windowBytes: 100, windowsMax: 4 })
  ahead.expectReads!(0, whole.length)
  for (let at = 0; at < whole.length; at += 50) await ahead.read(at, 50)
  assert.equal(seen.underWayMax, 4)
  await ahead.close()
})

test('a read longer than all windows is put together from them', async () => {
  const { source } = watched()
  const ahead = readAhead(source, { windowBytes: 100, windowsMax: 2 })
  ahead.expectReads!(0, 5_000)
  assert.deepEqual(Buffer.from(await ahead.read(10, 4_000)), expected(10, 4_000))
  await ahead.close()
})

test('reads elsewhere, backwards, across the end and unannounced give the same bytes', async () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1e9)
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state % below
  }
  const { source } = watched()
  const ahead = readAhead(source, { windowBytes: 128, windowsMax: 3 })
  for (let i = 0; i < 2_000; i++) {
    if (random(10) === 0) {
      const offset = random(whole.length)
      ahead.expectReads!(offset, offset + random(whole.length - offset + 1))
    }
    const offset = random(whole.length + 1)
    const length = random(Math.min(400, whole.length - offset) + 1)
    const into = random(2) === 0 ? new Uint8Array(length + 3) : undefined
    const found = Buffer.from(await ahead.read(offset, length, into))
    assert.deepEqual(found, expected(offset, length), `seed ${seed}, read ${i}`)
  }
  await ahead.close()
})

test('readers of one source at the same time get their own bytes', async () => {
  const { source } = watched()
  const ahead = readAhead(source, { windowBytes: 128, windowsMax: 3 })
  const reader = async (from: number, to: number): Promise<void> => {
    ahead.expectReads!(from, to)
    for (let at = from; at < to; at += 70) {
      const length = Math.min(70, to - at)
      assert.deepEqual(Buffer.from(await ahead.read(at, length)), expected(at, length))
    }
  }
  await Promise.all([reader(0, 4_000), reader(3_000, 9_000), reader(100, 200)])
  await ahead.close()
})

test('an error of a window is met by who reads it, and by nobody else', async () => {
  const memory = memorySource('blob', whole)
  const ahead = readAhead(
    {
      ...memory,
      read: (offset, length, into) =>
        offset >= 2000 ? Promise.reject(new Error('broken')) : memory.read(offset, length, into),
    },
    { windowBytes: 1000, windowsMax: 4 },
  )
  ahead.expectReads!(0, whole.length)
  assert.deepEqual(Buffer.from(await ahead.read(0, 2000)), expected(0, 2000))
  await assert.rejects(ahead.read(2000, 10), /broken/)
  await assert.rejects(ahead.read(2000, 10), /broken/)
  await ahead.close()
})
