import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { joinCrc32 } from './crc32.ts'

test('the CRC of bytes cut anywhere is that of the whole', (t) => {
  let seed = (Date.now() % 2147483646) + 1
  t.diagnostic(`seed ${seed}`)
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: random(600) }, () => random(256)))
    const cuts = Array.from({ length: random(5) }, () => random(bytes.length + 1))
    let joined = 0
    let at = 0
    for (const end of [...cuts.sort((a, b) => a - b), bytes.length]) {
      joined = joinCrc32(joined, crc32(bytes.subarray(at, end)), end - at)
      at = end
    }
    assert.equal(joined, crc32(bytes))
  }
})

test('order, lengths and content matter', () => {
  const [a, b] = [Buffer.from('abc'), Buffer.from('defgh')]
  const whole = crc32(Buffer.concat([a, b]))
  assert.equal(joinCrc32(crc32(a), crc32(b), b.length), whole)
  assert.notEqual(joinCrc32(crc32(b), crc32(a), a.length), whole)
  assert.notEqual(joinCrc32(crc32(a), crc32(b), b.length + 1), whole)
})

test('lengths beyond 32 bits: as joined from halves', () => {
  const half = crc32(Buffer.alloc(1 << 20))
  const zeros = (bytes: number): number => {
    let crc = half
    for (let length = 1 << 20; length < bytes; length *= 2) crc = joinCrc32(crc, crc, length)
    return crc
  }
  const [large, small] = [zeros(2 ** 40), zeros(2 ** 39)]
  assert.equal(joinCrc32(small, small, 2 ** 39), large)
  assert.equal(
    joinCrc32(joinCrc32(7, half, 2 ** 20), large, 2 ** 40),
    joinCrc32(7, joinCrc32(half, large, 2 ** 40), 2 ** 40 + 2 ** 20),
  )
})
