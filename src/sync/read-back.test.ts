import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../cluster/backoff.ts'
import type { Change } from './change.ts'
import { IndexFlow } from './index-flow.ts'
import { pendingOf, type PendingDocument } from './pending-document.ts'
import { readBack, type ReadBackInput } from './read-back.ts'
import type { FoundDocument } from './read-answer.ts'
import type { SourceIndex, SourceShard } from './source-index.ts'

const index: SourceIndex = {
  ...{ name: 'i', uuid: 'u', isOpen: true, numberOfShards: 1, numberOfRoutingShards: 1 },
  ...{ routingPartitionSize: 1, runsPipeline: false, mayRoute: false, aliases: new Map() },
  shards: [],
}
const kind = { numbered: true, typed: false }

/** Checkpoint, greatest number and term, look by look; the last stays. */
type Look = readonly [checkpoint: number, most: number, term: number] | undefined

function scene(looks: readonly Look[], reads: readonly (Partial<FoundDocument> | undefined)[]) {
  const seen = { looks: 0, reads: 0, waits: 0 }
  const at = <T>(list: readonly T[], number: number): T => list[Math.min(number, list.length - 1)]!
  const input: ReadBackInput = {
    kind,
    signal: new AbortController().signal,
    clock: { ...systemClock, sleep: async () => void seen.waits++ },
    shards: async () => {
      const look = at(looks, seen.looks++)
      if (look === undefined) return new Map()
      const [globalCheckpoint, maxSeqNo, primaryTerm] = look
      const numbers = { globalCheckpoint, maxSeqNo, localCheckpoint: maxSeqNo, primaryTerm }
      return new Map([['i', [{ historyUuid: 'h', ...numbers } satisfies SourceShard]]])
    },
    documents: {
      read: async (documents) => {
        const found = at(reads, seen.reads++)
        const one = { id: 'a', routing: null, found: found !== undefined, ...found }
        return new Map(documents.map((document) => [document, [one]]))
      },
    },
  }
  return { input, seen }
}

const source = Buffer.from('{}')

function wanted(more: Partial<Change> = {}): PendingDocument {
  const change: Change = { index: 'i', id: 'a', routing: null, what: 'read', ...more }
  return pendingOf(change, new IndexFlow(index), kind)
}

test('what is numbered up to the global checkpoint is believed at once', async () => {
  const { input, seen } = scene([[5, 9, 1]], [{ seqNo: 5, source }])
  const { present } = await readBack([wanted()], input)
  assert.equal(present[0]!.number, 5)
  assert.deepEqual(seen, { looks: 1, reads: 1, waits: 0 })
})

test('what is numbered above it waits until it has got there under the same primary', async () => {
  const looks: Look[] = [
    [5, 9, 1],
    [5, 9, 1],
    [6, 9, 1],
    [8, 9, 1],
  ]
  const { input, seen } = scene(looks, [{ seqNo: 8, source }])
  const { present, held } = await readBack([wanted()], input)
  assert.equal(present[0]!.number, 8)
  assert.deepEqual(held, [])
  assert.deepEqual(seen, { looks: 4, reads: 1, waits: 2 })
})

test('where the primary is another one meanwhile it is read again', async () => {
  const looks: Look[] = [
    [5, 9, 1],
    [9, 9, 2],
    [9, 9, 2],
  ]
  const { input } = scene(looks, [
    { seqNo: 8, source },
    { seqNo: 4, source },
  ])
  const { present } = await readBack([wanted()], input)
  assert.deepEqual(
    present.map(({ number }) => number),
    [4],
  )
})

test('copies that never confirm it hold it, by name', async () => {
  const { input, seen } = scene([[5, 9, 1]], [{ seqNo: 8, source }])
  const { present, held } = await readBack([wanted()], input)
  assert.deepEqual(present, [])
  assert.match(held[0]!.reason, /shard 0 on the source have not confirmed its operation 8/)
  assert.ok(seen.waits < 10)
})

test('not found: deleted at the checkpoint read before, once all that was there by then is safe', async () => {
  const looks: Look[] = [
    [5, 5, 1],
    [5, 7, 1],
    [6, 8, 1],
    [7, 9, 1],
  ]
  const { input, seen } = scene(looks, [undefined])
  const { present } = await readBack([wanted()], input)
  assert.deepEqual([present[0]!.number, present[0]!.source], [5, null])
  assert.equal(seen.looks, 4)
})

test('not found while the primary changes: read again, and found', async () => {
  const looks: Look[] = [
    [5, 5, 1],
    [5, 7, 2],
    [7, 7, 2],
  ]
  const { input } = scene(looks, [undefined, { seqNo: 3, source }])
  const { present } = await readBack([wanted()], input)
  assert.deepEqual([present[0]!.number, present[0]!.source], [3, source])
})

test('not found, and its own delete told its number: deleted under that', async () => {
  const { input, seen } = scene([[5, 9, 1]], [undefined])
  const deleted = wanted({ what: 'delete', seqNo: 9 })
  deleted.what = 'read'
  const { present } = await readBack([deleted], input)
  assert.deepEqual([present[0]!.number, present[0]!.source], [9, null])
  assert.equal(seen.looks, 1)
})

test('not found, and a write of it is numbered above the checkpoint: looked for again', async () => {
  const looks: Look[] = [
    [5, 9, 1],
    [9, 9, 1],
    [9, 9, 1],
  ]
  const { input } = scene(looks, [undefined])
  const { present } = await readBack([wanted({ seqNo: 8 })], input)
  assert.equal(present[0]!.number, 9)
})

test('an index that is gone needs nothing; one without a primary is held', async () => {
  const error = { type: 'index_not_found_exception', reason: '' }
  const gone = scene([[5, 9, 1]], [{ found: false, error }])
  assert.equal((await readBack([wanted()], gone.input)).nothing.length, 1)
  const red = scene([undefined], [{ seqNo: 1, source }])
  const { held } = await readBack([wanted()], red.input)
  assert.match(held[0]!.reason, /not started/)
  assert.equal(red.seen.reads, 1)
})

test('a primary that changes each time is not asked for ever', async () => {
  const looks = Array.from({ length: 50 }, (_, term): Look => [5, 9, term])
  const { input, seen } = scene(looks, [{ seqNo: 8, source }])
  const { held } = await readBack([wanted()], input)
  assert.match(held[0]!.reason, /change again and again/)
  assert.ok(seen.reads < 10)
})
