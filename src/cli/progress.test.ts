import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress } from './progress.ts'

function recorder(isTTY: boolean): {
  isTTY: boolean
  columns: number
  text: string
  write(text: string): void
} {
  return {
    isTTY,
    columns: 80,
    text: '',
    write(text) {
      this.text += text
    },
  }
}

test('Progress writes a line every 10 s where there is no terminal', () => {
  const stream = recorder(false)
  let now = 0
  const progress = new Progress(stream, () => now)
  for (; now <= 25_000; now += 1000) {
    progress.update([{ label: 'backfill', done: now / 1000, total: 50, note: '1/s' }])
  }
  progress.end()
  assert.equal(stream.text, 'backfill: 10 of 50 (20 %)  1/s\nbackfill: 20 of 50 (40 %)  1/s\n')
})

test('Progress redraws bars in place on a terminal, and leaves the last state', () => {
  const stream = recorder(true)
  let now = 0
  const progress = new Progress(stream, () => now)
  progress.update([{ label: 'a', done: 1, total: 2 }])
  now += 50
  progress.update([{ label: 'a', done: 2, total: 2 }])
  progress.end()
  const drawn = stream.text.split('\x1b[1A')
  assert.equal(drawn.length, 2)
  assert.match(drawn[0]!, /a {2}█{12}░{12} {2}50 % {2}1 of 2\n$/)
  assert.match(drawn[1]!, /a {2}█{24} 100 % {2}2 of 2\n$/)
})

test('Progress never writes past the width of the terminal', () => {
  const stream = { ...recorder(true), columns: 30 }
  new Progress(stream, () => 0).update([
    { label: 'x'.repeat(50), done: 1, total: 2, note: 'y'.repeat(50) },
  ])
  const line = stream.text.replace(/\x1b\[\d*[A-Z]/g, '').trimEnd()
  assert.ok(line.length < 30, line)
})
