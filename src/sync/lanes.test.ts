import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from './change.ts'
import { holdOn, IndexFlow } from './index-flow.ts'
import { Lane, laneOf } from './lanes.ts'
import { coalesce, pendingOf, Ticket, type PendingDocument } from './pending-document.ts'
import type { SourceIndex } from './source-index.ts'

function flowOf(name: string): IndexFlow {
  const source: SourceIndex = {
    ...{ name, uuid: name, isOpen: true, numberOfShards: 1, numberOfRoutingShards: 1 },
    ...{ routingPartitionSize: 1, runsPipeline: false, mayRoute: false, aliases: new Map() },
    shards: [],
  }
  return new IndexFlow(source)
}

const kind = { numbered: true, typed: false }
const flow = flowOf('i')

function write(id: string, seqNo: number, of = flow): PendingDocument {
  const source = Buffer.from(`{"n":${seqNo}}`)
  return pendingOf({ index: 'i', id, routing: null, what: 'write', seqNo, source }, of, kind)
}

function gone(id: string, seqNo: number, more: Partial<Change> = {}): PendingDocument {
  return pendingOf({ index: 'i', id, routing: null, what: 'delete', seqNo, ...more }, flow, kind)
}

function read(id: string, more: Partial<Change> = {}): PendingDocument {
  return pendingOf({ index: 'i', id, routing: null, what: 'read', ...more }, flow, kind)
}

test('of two changes the greater number stays, whatever came first, and all numbers are kept', () => {
  for (const [one, other] of [
    [write('a', 1), gone('a', 2)],
    [gone('a', 2), write('a', 1)],
  ] as const) {
    coalesce(one, other)
    assert.deepEqual([one.what, one.number, one.source], ['delete', 2, undefined])
    assert.deepEqual(one.seqNos.toSorted(), [1, 2])
  }
})

test('a read swallows what was told before and after it, and remembers the delete that was told', () => {
  const one = write('a', 1)
  coalesce(one, read('a'))
  coalesce(one, gone('a', 5))
  coalesce(one, write('a', 3))
  assert.deepEqual([one.what, one.source, one.number, one.deletedBy], ['read', undefined, 5, 5])
})

test('a delete that is applied once more gives way to anything as new as itself', () => {
  const again = pendingOf(
    { index: 'i', id: 'a', routing: null, what: 'delete', seqNo: 5 },
    flow,
    kind,
    't',
  )
  assert.deepEqual(again.seqNos, [])
  const one = gone('a', 5)
  coalesce(one, again)
  assert.equal(one.again, undefined)
  coalesce(again, write('a', 6))
  assert.deepEqual([again.what, again.again], ['write', undefined])
})

test('documents of one id and different routings, or an unknown one, are kept apart in one lane', () => {
  const lane = new Lane(0)
  const routed = pendingOf(
    { index: 'i', id: 'a', routing: 'r', what: 'write', seqNo: 1, source: Buffer.from('{}') },
    flow,
    kind,
  )
  const unknown = read('a', { routing: undefined })
  for (const one of [write('a', 1), routed, unknown]) assert.equal(lane.put(one), one)
  assert.notEqual(lane.put(write('a', 2)), undefined)
  const taken = lane.take({ bytesMax: 1e6, documentsMax: 10, now: 0 })
  assert.equal(taken.length, 3)
  assert.equal(lane.isEmpty, true)
  const ids = Array.from({ length: 1000 }, (_, i) => laneOf('i', `id${i}`, 7))
  assert.equal(new Set(ids).size, 7)
})

test('a lane takes as much as fits, at least one, and all indices in turn', () => {
  const lane = new Lane(0)
  const other = flowOf('other')
  for (let n = 0; n < 4; n++) lane.put(write(`a${n}`, n))
  lane.put(write('b', 9, other))
  const limits = { bytesMax: 14, documentsMax: 10, now: 0 }
  const names = (): string[] => lane.take(limits).map(({ id }) => id)
  assert.deepEqual(names(), ['a0', 'a1'])
  assert.deepEqual(names(), ['b', 'a2'])
  assert.deepEqual(names(), ['a3'])
  assert.deepEqual(names(), [])
  lane.put(write('large', 12345678901234))
  assert.deepEqual(names(), ['large'])
})

test('what is given back is put before what has come meanwhile', () => {
  const lane = new Lane(0)
  const back = write('a', 1)
  assert.equal(lane.putBack(back), undefined)
  lane.take({ bytesMax: 1e6, documentsMax: 10, now: 0 })
  const meanwhile = write('a', 2)
  lane.put(meanwhile)
  assert.equal(lane.putBack(back), meanwhile)
  const [taken] = lane.take({ bytesMax: 1e6, documentsMax: 10, now: 0 })
  assert.deepEqual([taken, taken!.number, taken!.seqNos], [back, 2, [1, 2]])
})

test('an index on hold is not taken from until its time has come', () => {
  const lane = new Lane(0)
  const held = flowOf('held')
  held.hold = holdOn(held, 'why', 1000)
  assert.equal(held.hold.until, 1250)
  assert.equal(holdOn(held, 'another', 1100).until, 1250)
  assert.equal((held.hold = holdOn(held, 'again', 1300)).until, 1800)
  lane.put(write('a', 1, held))
  lane.put(write('b', 2))
  const idsAt = (now: number): string[] =>
    lane.take({ bytesMax: 1e6, documentsMax: 10, now }).map(({ id }) => id)
  assert.deepEqual(idsAt(1700), ['b'])
  assert.equal(lane.heldUntil(), 1800)
  assert.deepEqual(idsAt(1800), ['a'])
  assert.equal(lane.heldUntil(), undefined)
})

test('a ticket tells once, when all that was added is done, and whether all was taken', () => {
  const told: boolean[] = []
  const ticket = new Ticket((taken) => told.push(taken))
  ticket.add()
  ticket.add()
  ticket.done(true)
  ticket.done(false)
  assert.deepEqual(told, [])
  ticket.done(true)
  assert.deepEqual(told, [false])
})

test('what is not certain is read: no number, no routing, no version where clients give them', () => {
  const clients = flowOf('clients')
  clients.hasClientVersions = true
  assert.equal(read('a').what, 'read')
  assert.equal(gone('a', 1, { routing: undefined }).what, 'read')
  const told = { index: 'i', id: 'a', routing: null, what: 'delete' } as const
  assert.equal(pendingOf(told, flow, kind).what, 'read')
  assert.equal(pendingOf({ ...told, seqNo: 1 }, clients, kind).what, 'read')
  assert.equal(pendingOf({ ...told, seqNo: 1, version: 7 }, clients, kind).what, 'delete')
  const old = { numbered: false, typed: true }
  assert.equal(pendingOf({ ...told, version: 7, type: 't' }, flow, old).number, 7)
})
