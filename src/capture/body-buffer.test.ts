import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyBuffer, BodyMemory } from './body-buffer.ts'

const mb = 1 << 20
const piece = new Uint8Array(64 * 1024).fill(7)

function filled(memory: BodyMemory, pieces: number, announced?: number): BodyBuffer {
  const body = new BodyBuffer(memory, 16 * mb, () => announced)
  for (let i = 0; i < pieces; i++) body.add(piece)
  return body
}

test('a body of many pieces takes the length that was announced, and no more', () => {
  const memory = new BodyMemory(100 * mb)
  const body = filled(memory, 3, 3 * piece.length)
  assert.equal(memory.bytes, 3 * piece.length)
  assert.equal(body.kept.length, 3 * piece.length)
  assert.ok(body.kept.every((byte) => byte === 7))
  body.drop()
  assert.equal(memory.bytes, 0)
})

test('an announced length that is too short, or long beyond what has come, is not believed', () => {
  for (const announced of [10, 15 * mb, undefined]) {
    const memory = new BodyMemory(100 * mb)
    const body = filled(memory, 3, announced)
    assert.ok(memory.bytes <= 6 * piece.length, `${announced}: ${memory.bytes}`)
    assert.equal(body.kept.length, 3 * piece.length)
  }
})

test('a body that is held is not written over by those that come after one that was let go', () => {
  const memory = new BodyMemory(100 * mb)
  const first = filled(memory, 3)
  const held = filled(memory, 3)
  first.drop()
  first.drop()
  for (let i = 0; i < 4; i++) {
    const later = new BodyBuffer(memory, 16 * mb)
    for (let j = 0; j < 4; j++) later.add(new Uint8Array(piece.length).fill(i))
    assert.ok(later.kept.every((byte) => byte === i))
    if (i % 2 === 0) later.drop()
  }
  assert.ok(held.kept.every((byte) => byte === 7))
})
