/**
 * (c) The target's own ceiling: the documents of a corpus, serialised into bulk bodies beforehand, are posted by a bare
 * loop over node:http that looks at nothing but "errors". Started by measured.ts.
 */
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { openBlobStore } from '../src/blob/open.ts'
import { bulkFilterPath } from '../src/cluster/bulk-answer.ts'
import type { DocumentBlock } from '../src/document/document-block.ts'
import { openShardReader } from '../src/document/open-shard-reader.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import type { Corpus } from './corpus.ts'
import { reportFigures } from './measured.ts'

export interface ReferenceRequest {
  readonly corpus: Corpus
  readonly targetUrl: string
  readonly alias: string
  readonly inFlight: number
}

export interface ReferenceFound {
  readonly runSeconds: number
  readonly requests: number
}

const bodyBytes = 5 * 1024 * 1024

/**
 * Writes the corpus as bulk bodies beside its repository, once: bodies.ndjson, and bodies.json with the offset at which
 * each body ends. Not part of what is measured.
 */
export async function serialiseBodies(corpus: Corpus): Promise<void> {
  const { bodies, offsets } = bodyFiles(corpus)
  if (await exists(offsets)) return
  const snapshot = await (
    await openRepository(openBlobStore(corpus.repository))
  ).openSnapshot(corpus.snapshot)
  const file = await open(`${bodies}.part`, 'w')
  const ends: number[] = []
  let written = 0
  try {
    let parts: Buffer[] = []
    let size = 0
    const flush = async (): Promise<void> => {
      await file.writeFile(Buffer.concat(parts))
      ends.push((written += size))
      parts = []
      size = 0
    }
    for (let shard = 0; shard < corpus.shards; shard++) {
      const reader = await openShardReader(await snapshot.openShard(corpus.index, shard), {
        verify: 'touched',
      })
      for (const segment of reader.segments)
        for await (const block of reader.readBlocks(segment.name))
          for (let i = 0; i < block.count; i++) {
            const item = itemOf(block, i)
            parts.push(item)
            size += item.length
            if (size >= bodyBytes) await flush()
          }
      await reader.close()
    }
    if (size > 0) await flush()
  } finally {
    await file.close()
  }
  await rename(`${bodies}.part`, bodies)
  await writeFile(offsets, JSON.stringify(ends))
}

export async function forgetBodies(corpus: Corpus): Promise<void> {
  const { bodies, offsets } = bodyFiles(corpus)
  await rm(offsets, { force: true })
  await rm(bodies, { force: true })
}

function itemOf(block: DocumentBlock, i: number): Buffer {
  const id = block.bytes.toString('utf8', block.idStart[i], block.idEnd[i])
  const version = block.seqNo[i]! + 1
  const action = { index: { _id: id, version, version_type: 'external_gte' } }
  const source = block.bytes.subarray(block.sourceStart[i], block.sourceEnd[i])
  return Buffer.concat([Buffer.from(`${JSON.stringify(action)}\n`), source, Buffer.from('\n')])
}

function bodyFiles(corpus: Corpus): { bodies: string; offsets: string } {
  const folder = path.dirname(corpus.repository)
  return { bodies: path.join(folder, 'bodies.ndjson'), offsets: path.join(folder, 'bodies.json') }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

async function post(request: ReferenceRequest): Promise<ReferenceFound> {
  const { bodies, offsets } = bodyFiles(request.corpus)
  const { default: ends } = (await import(offsets, { with: { type: 'json' } })) as {
    default: number[]
  }
  const file = await open(bodies, 'r')
  const agent = new http.Agent({ keepAlive: true })
  const startedAt = performance.now()
  let next = 0
  const sender = async (): Promise<void> => {
    let buffer = Buffer.alloc(0)
    while (next < ends.length) {
      const body = next++
      const start = body === 0 ? 0 : ends[body - 1]!
      const length = ends[body]! - start
      if (buffer.length < length) buffer = Buffer.allocUnsafe(length)
      await file.read(buffer, 0, length, start)
      await postOne(request, agent, buffer.subarray(0, length))
    }
  }
  await Promise.all(Array.from({ length: request.inFlight }, sender))
  const runSeconds = (performance.now() - startedAt) / 1000
  agent.destroy()
  await file.close()
  return { runSeconds, requests: ends.length }
}

function postOne(request: ReferenceRequest, agent: http.Agent, body: Buffer): Promise<void> {
  const query = `pipeline=_none&require_alias=true&filter_path=${bulkFilterPath}`
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const url = `${request.targetUrl}/${request.alias}/_bulk?${query}`
    const sent = http.request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const head = Buffer.concat(chunks).toString('latin1', 0, 300)
        if (head.startsWith('{"errors":false')) resolve()
        else reject(new Error(`a bulk of the reference was refused: ${head}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

if (process.send && import.meta.main)
  reportFigures(await post(JSON.parse(process.argv[2]!) as ReferenceRequest))
