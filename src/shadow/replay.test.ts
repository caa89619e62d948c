import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { Cluster } from '../cluster/cluster.ts'
import { connectCluster } from '../cluster/connect.ts'
import type { CapturedRequest, CapturedResponse } from '../traffic/exchange.ts'
import { CursorIds } from './cursor-ids.ts'
import { ShadowFigures } from './figures.ts'
import { Pace } from './pace.ts'
import { Replay, type ReplayInput } from './replay.ts'
import { TimeQueue } from './time-queue.ts'

/** Answers each request when the test says so, or at once. */
class Target {
  readonly came: string[] = []
  readonly #held: (() => void)[] = []
  underWay = 0
  underWayMax = 0
  hold = false
  status = 200
  cluster!: Cluster

  static async start(): Promise<Target> {
    const target = new Target()
    const server = http.createServer((request, response) => {
      const path = request.url!
      const end = (): void => {
        target.underWay--
        response.writeHead(path === '/' ? 200 : target.status, {
          'content-type': 'application/json',
        })
        response.end(
          path === '/'
            ? '{"tagline":"x","version":{"number":"3.6.0","distribution":"opensearch"}}'
            : '{"hits":{}}',
        )
      }
      target.underWay++
      if (path !== '/') {
        target.came.push(path)
        target.underWayMax = Math.max(target.underWayMax, target.underWay)
      }
      request.resume().on('end', () => {
        if (target.hold) target.#held.push(end)
        else end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    target.cluster = await connectCluster('target', { url: [url] })
    after(async () => {
      await target.cluster.close()
      server.closeAllConnections()
      server.close()
    })
    return target
  }

  release(): void {
    for (const end of this.#held.splice(0)) end()
  }

  async until(count: number): Promise<void> {
    while (this.came.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
}

function exchange(number: number, atMs: number, connection = 'c') {
  const at = atMs * 1000
  const request: CapturedRequest = {
    ...{ kind: 'request', exchange: { proxy: 'edge', number }, connection: 1, method: 'GET' },
    ...{ target: `/i/_search?q=${number}`, headers: [], body: new Uint8Array(0), bodyBytes: 0 },
    ...{ firstByteAt: at, lastByteAt: at, mayWrite: false },
  }
  const body = Buffer.from('{"hits":{}}')
  const response: CapturedResponse = {
    ...{ kind: 'response', exchange: request.exchange, status: 200, headers: [], body },
    ...{ bodyBytes: body.length, firstByteAt: at + 500, lastByteAt: at + 1000 },
  }
  return { connection, request, response, settle: () => {} }
}

function open(target: Target, given: Partial<ReplayInput> = {}) {
  const figures = new ShadowFigures()
  const replay = new Replay({
    ...{ target: target.cluster, figures, pace: { speed: 'max' }, connections: 8, attempts: 1 },
    ...{ memoryMax: 1e6, redact: [], onTuple: undefined, signal: new AbortController().signal },
    plan: { writes: false, isRedacted: false, cursors: new CursorIds(), isTargetTyped: false },
    ...given,
  })
  return { figures, replay }
}

const numberOf = (path: string): number => Number(/q=(\d+)/.exec(path)![1])

test('requests of one connection go one after the other, those of others beside them', async () => {
  const target = await Target.start()
  target.hold = true
  const { replay, figures } = open(target)
  for (let n = 0; n < 30; n++) replay.add(exchange(n, n, `c${n % 3}`))
  const drained = replay.drained()
  for (let round = 1; round <= 10; round++) {
    await target.until(3 * round)
    assert.equal(target.came.length, 3 * round)
    target.release()
  }
  await drained
  assert.equal(target.underWayMax, 3)
  for (let c = 0; c < 3; c++) {
    const own = target.came.map(numberOf).filter((n) => n % 3 === c)
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    )
  }
  assert.equal(figures.totals.sent, 30)
  assert.equal(figures.totals.different, 0)
})

test('no more requests are under way than there are connections, and no more is read than there is room for', async () => {
  const target = await Target.start()
  target.hold = true
  const { replay } = open(target, { connections: 2, memoryMax: 10_000 })
  let added = 0
  while (!replay.isFull) replay.add(exchange(added, added++, `c${added}`))
  assert.ok(added < 6)
  const room = replay.room()
  await target.until(2)
  assert.equal(target.came.length, 2)
  target.hold = false
  target.release()
  await room
  await replay.drained()
  assert.equal(target.underWayMax, 2)
  assert.equal(target.came.length, added)
})

test('a stop ends what waits for its time, and what is under way is finished', async () => {
  const target = await Target.start()
  target.hold = true
  const { replay, figures } = open(target, { pace: { speed: 1 } })
  replay.add(exchange(0, 0))
  replay.add(exchange(1, 3_600_000))
  await target.until(1)
  const stopped = replay.stop()
  target.release()
  await stopped
  assert.equal(figures.totals.sent, 1)
  assert.equal(target.came.length, 1)
})

test('a busy target is asked again as often as configured, and what it said last counts', async () => {
  const target = await Target.start()
  target.status = 429
  const { replay, figures } = open(target, { attempts: 3 })
  replay.add(exchange(0, 0))
  await replay.drained()
  assert.equal(target.came.length, 3)
  assert.equal(figures.totals.retries, 2)
  assert.equal(figures.totals.errors, 1)
  assert.equal(figures.totals.statusDiffers, 1)
})

test('what is read ahead waits in the order of its times, and of one time as it came', () => {
  const queue = new TimeQueue<{ at: number; n: number }>()
  const items = Array.from({ length: 500 }, (_, n) => ({ at: (n * 7919) % 83, n }))
  for (const item of items) queue.push(item)
  const popped = items.map(() => queue.pop()!)
  assert.deepEqual(
    popped,
    items.toSorted((a, b) => a.at - b.at || a.n - b.n),
  )
  assert.equal(queue.pop(), undefined)
})

test('requests are due at their times, faster, at a rate, or at once', () => {
  const recorded = 1_700_000_000_000_000
  const due = (pace: Pace, afterMs: number): number => pace.dueAt(recorded + afterMs * 1000, 500)
  const twice = new Pace({ speed: 2 })
  assert.deepEqual(
    [0, 1000, 10].map((ms) => due(twice, ms)),
    [500, 1000, 505],
  )
  const rate = new Pace({ speed: 2, rate: 100 })
  const times = [0, 1000, 5].map((ms) => {
    const at = due(rate, ms)
    rate.gone()
    return at
  })
  assert.deepEqual(times, [500, 510, 520])
  assert.equal(new Pace({ speed: 'max' }).dueAt(recorded, 700), 700)
})
