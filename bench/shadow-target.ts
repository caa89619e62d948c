/**
 * A target that answers every search at once with the same hits: a process of its own, over sockets, so that its CPU is
 * neither counted nor what is measured. It checks that requests of one connection of a client come in order. Started by
 * shadow.ts with fork(); says its port, answers 'report' with what has come since.
 */
import net from 'node:net'
import type { AddressInfo } from 'node:net'

export interface ShadowTargetReport {
  readonly requests: number
  readonly outOfOrder: number
}

const root = '{"tagline":"x","version":{"number":"3.6.0","distribution":"opensearch"}}'
const headEnd = Buffer.from('\r\n\r\n')

/** What both sides answer; `took` makes two answers differ in their text alone. */
export function searchAnswer(took: number): string {
  const hits = Array.from({ length: 3 }, (_, i) => ({
    ...{ _index: 'shop', _id: `id${i}`, _score: 1.5 - i / 10 },
    _source: { name: 'a product with a name', price: 12.5 + i, tags: ['a', 'b'] },
  }))
  return JSON.stringify({
    ...{ took, timed_out: false, _shards: { total: 1, successful: 1, skipped: 0, failed: 0 } },
    hits: { total: { value: 3, relation: 'eq' }, max_score: 1.5, hits },
  })
}

function answer(body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

function serve(): void {
  const answers = { root: answer(root), search: answer(searchAnswer(3)) }
  const last = new Map<string, number>()
  let [requests, outOfOrder] = [0, 0]
  const take = (head: string): Buffer => {
    const found = / \/shop\/_search\?connection=(\d+)&number=(\d+)/.exec(head)
    if (found === null) return answers.root
    const [, connection, number] = found
    requests++
    if (Number(number) <= (last.get(connection!) ?? -1)) outOfOrder++
    last.set(connection!, Number(number))
    return answers.search
  }
  const server = net.createServer((socket) => {
    socket.setNoDelay(true)
    let rest = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      for (;;) {
        const end = rest.indexOf(headEnd)
        if (end < 0) return
        const head = rest.toString('latin1', 0, end)
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
        if (rest.length < end + headEnd.length + length) return
        rest = rest.subarray(end + headEnd.length + length)
        socket.write(take(head))
      }
    })
  })
  server.listen(0, '127.0.0.1', () => {
    process.send!({ port: (server.address() as AddressInfo).port })
  })
  process.on('message', () => {
    const report: ShadowTargetReport = { requests, outOfOrder }
    requests = 0
    outOfOrder = 0
    last.clear()
    process.send!(report)
  })
  process.on('disconnect', () => process.exit())
}

if (process.send && import.meta.main) serve()
