import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptData } from '../base/errors.ts'
import type { BlobStore, ByteSource } from './byte-source.ts'
import { countingStore } from './counting-store.ts'
import { concatenatedSource, memorySource } from './sources.ts'

const whole = Buffer.from('abcdefghij')

function parts(sizes: number[]): { source: ByteSource; open: Set<number> } {
  const open = new Set<number>()
  let start = 0
  const list = sizes.map((byteLength, i) => {
    const bytes = whole.subarray(start, (start += byteLength))
    return {
      byteLength,
      async open() {
        open.add(i)
        return { ...memorySource(`part${i}`, bytes), close: async () => void open.delete(i) }
      },
    }
  })
  return { source: concatenatedSource('file', list), open }
}

test('a concatenated source reads every range as one file would', async () => {
  for (const sizes of [[10], [4, 4, 2], [1, 1, 8], [0, 5, 0, 5, 0]]) {
    const { source } = parts(sizes)
    assert.equal(source.byteLength, 10)
    for (let offset = 0; offset <= 10; offset++) {
      for (let length = 0; offset + length <= 10; length++) {
        const into = new Uint8Array(12)
        const expected = whole.toString('utf8', offset, offset + length)
        assert.equal(Buffer.from(await source.read(offset, length)).toString(), expected)
        assert.equal(Buffer.from(await source.read(offset, length, into)).toString(), expected)
        assert.equal(Buffer.from(into.subarray(0, length)).toString(), expected)
      }
    }
  }
})

test('a concatenated source opens only the parts that are touched, and closes them', async () => {
  const { source, open } = parts([4, 4, 2])
  await source.read(5, 2)
  assert.deepEqual([...open], [1])
  await source.close()
  assert.deepEqual([...open], [])
})

test('parts are read at the same time, and all of them before an error is thrown', async () => {
  const gate = Promise.withResolvers<void>()
  let reading = 0
  let ended = 0
  const slow = (i: number): ByteSource => ({
    ...memorySource(`part${i}`, new Uint8Array(4)),
    async read(_offset, length) {
      if (++reading === 3) gate.resolve()
      await gate.promise
      if (i === 0) throw new Error('gone')
      await Promise.resolve()
      ended++
      return new Uint8Array(length)
    },
  })
  const list = [0, 1, 2].map((i) => ({ byteLength: 4, open: async () => slow(i) }))
  await assert.rejects(concatenatedSource('file', list).read(1, 10), /gone/)
  assert.equal(ended, 2)
})

test('ranges outside, empty sources and parts of another length are handled by type', async () => {
  const { source } = parts([4, 6])
  await assert.rejects(source.read(9, 2), CorruptData)
  const none = concatenatedSource('none', [])
  assert.equal((await none.read(0, 0)).length, 0)
  await assert.rejects(none.read(0, 1), CorruptData)
  const wrong = concatenatedSource('wrong', [
    { byteLength: 5, open: async () => memorySource('part', Buffer.from('1234')) },
  ])
  await assert.rejects(wrong.read(0, 5), /expected 5 bytes, found 4/)
  await assert.rejects(memorySource('m', whole).read(0, 11), CorruptData)
})

test('countingStore() counts the bytes of each blob', async () => {
  const store: BlobStore = {
    location: 'memory',
    isFar: false,
    list: async () => [{ name: 'b', byteLength: whole.length }],
    open: async (path) => memorySource(path, whole),
  }
  const counting = countingStore(store)
  const source = await counting.open('a/b')
  await source.read(0, 3)
  await source.read(2, 5)
  assert.equal(counting.bytesReadTotal, 8)
  assert.equal(counting.reads, 2)
  assert.deepEqual([...counting.bytesRead], [['a/b', 8]])
  assert.equal(counting.distinctBytes('a/b'), 7)
  for (const [offset, length] of [
    [9, 1],
    [8, 1],
    [0, 1],
    [1, 3],
  ] as const) {
    await source.read(offset, length)
  }
  assert.equal(counting.distinctBytes('a/b'), 9)
  await source.read(0, 10)
  assert.equal(counting.distinctBytesTotal(), 10)
  assert.equal(counting.distinctBytes('other'), 0)
  counting.reset()
  assert.equal(counting.distinctBytesTotal(), 0)
  assert.equal(counting.bytesReadTotal, 0)
  assert.equal((await counting.list(''))?.length, 1)
})
