/**
 * A target that takes everything and keeps nothing: a process of its own, so that its CPU is not counted. It answers
 * `_bulk` as OpenSearch does (an item for each document, cut down by `filter_path`) after having read each item, and keeps
 * the hash of all documents. Started by measured.ts with fork(); says its port, answers 'report' with what has come.
 */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { OutputHash } from './output-hash.ts'

/** What the sink pretends to hold; backfill-child.ts writes the same into its state. */
export const sinkIndex = { name: 'bench', uuid: 'bench-target-uuid', alias: 'osmigrate-bench-0' }

export interface SinkReport {
  documents: number
  sourceBytes: number
  hash: string
  requests: number
  cpuSeconds: number
}

let output = new OutputHash()
let requests = 0
let cpuAtReset = process.cpuUsage()

const newline = 0x0a
const idKey = Buffer.from('"_id":"')

/** body = *( action newline [ source newline ] ); a delete has no source. Returns the number of items. */
function takeItems(body: Buffer): number {
  let items = 0
  for (let position = 0; position < body.length; items++) {
    const actionEnd = lineEnd(body, position)
    // {"index":… {"create":… {"delete":…
    const isDelete = body[position + 2] === 0x64
    const idStart = body.indexOf(idKey, position) + idKey.length
    const idEnd = body.indexOf(0x22, idStart)
    if (body[position] !== 0x7b || idStart < idKey.length || idEnd > actionEnd)
      throw new Error(`no action with an id at byte ${position} of a bulk`)
    position = actionEnd + 1
    if (isDelete) continue
    const sourceEnd = lineEnd(body, position)
    output.add(body, { start: idStart, end: idEnd }, { start: position, end: sourceEnd })
    position = sourceEnd + 1
  }
  return items
}

function lineEnd(body: Buffer, from: number): number {
  const end = body.indexOf(newline, from)
  if (end < 0) throw new Error(`a line of a bulk does not end (byte ${from})`)
  return end
}

function bulkAnswer(items: number, filterPath: string | null): Buffer {
  const wanted = filterPath?.split(',')
  const item = !wanted
    ? '{"index":{"_index":"bench","_id":"x","_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":1,"_primary_term":1,"status":201}}'
    : wanted.some((path) => path === 'items' || path === 'items.*.status' || path === 'items.*')
      ? '{"index":{"status":201}}'
      : ''
  const head = Buffer.from(`{${wanted ? '' : '"took":1,'}"errors":false`)
  if (item === '') return Buffer.concat([head, Buffer.from('}')])
  const list = Buffer.alloc(items * (item.length + 1), `${item},`)
  return Buffer.concat([head, Buffer.from(',"items":['), list.subarray(0, -1), Buffer.from(']}')])
}

/** What is asked besides bulks: enough to be taken for a cluster with the one index. */
function otherAnswer(path: string): object {
  const { name, uuid, alias } = sinkIndex
  if (path === '/') return { version: { number: '3.6.0', distribution: 'opensearch' } }
  if (path.endsWith('/_refresh')) return { _shards: { total: 1, successful: 1, failed: 0 } }
  if (path.endsWith('/_settings')) return { acknowledged: true }
  if (path.startsWith('/_cluster/settings')) return { persistent: {}, transient: {}, defaults: {} }
  const settings = { index: { uuid, number_of_shards: '1' } }
  return { [name]: { aliases: { [alias]: {} }, settings } }
}

function serve(): void {
  const server = http.createServer((request, response) => {
    const length = Number(request.headers['content-length'] ?? 0)
    const body = Buffer.allocUnsafe(length)
    let filled = 0
    request.on('data', (chunk: Buffer) => (filled += chunk.copy(body, filled)))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://sink')
      let answer: Buffer
      if (url.pathname.endsWith('/_bulk')) {
        requests++
        const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
        answer = bulkAnswer(takeItems(plain), url.searchParams.get('filter_path'))
      } else answer = Buffer.from(JSON.stringify(otherAnswer(url.pathname)))
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': answer.length,
      })
      response.end(answer)
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () =>
    process.send!({ port: (server.address() as AddressInfo).port }),
  )
  process.on('message', (message) => {
    if (message === 'report') process.send!(report())
    // A fresh start for the next run.
    output = new OutputHash()
    requests = 0
    cpuAtReset = process.cpuUsage()
  })
  process.on('disconnect', () => process.exit(0))
}

function report(): SinkReport {
  const cpu = process.cpuUsage(cpuAtReset)
  return {
    documents: output.documents,
    sourceBytes: output.sourceBytes,
    hash: output.text(),
    requests,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  }
}

if (process.send && import.meta.main) serve()
