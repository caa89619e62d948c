/** Reads a snapshot in an S3 service, or fetches the same bytes by plain requests. Started by measured.ts. */
import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { s3Credentials } from '../src/engines/services.ts'
import { openBlobStore } from '../src/blob/open.ts'
import { openShardReader } from '../src/document/open-shard-reader.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import type { Snapshot } from '../src/snapshot/snapshot.ts'
import type { Corpus } from './corpus.ts'
import { reportFigures } from './measured.ts'
import { OutputHash } from './output-hash.ts'
import { fetchRanges, type PlainRange } from './plain-ranges.ts'

export interface S3Request {
  readonly corpus: Corpus
  readonly endpoint: string
  readonly bucket: string
  /**
   * ranges: plain requests for these; bytes: our reading of the stored fields, checksum and all, without decoding;
   * documents: every document, thrown away.
   */
  readonly what: 'ranges' | 'bytes' | 'documents'
  readonly ranges: readonly PlainRange[]
  readonly withHash: boolean
}

export interface S3Found {
  /** From the first request for a shard's files on: the SDK is loaded, the snapshot is open. */
  readonly runSeconds: number
  readonly runCpuSeconds: number
  readonly documents: number
  readonly hash: string
  /** Bytes of stored fields, as the segments say. */
  readonly storedBytes: number
  /** Of our reading: all requests that were answered. */
  readonly requests: number
  /** The stretches of objects that were asked for. */
  readonly ranges: readonly PlainRange[]
}

/** As many as the program itself has under way. */
const atOnce = 16

async function run(request: S3Request): Promise<S3Found> {
  process.env['AWS_ACCESS_KEY_ID'] = s3Credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = s3Credentials.secretAccessKey
  const output = new OutputHash()
  const store = openBlobStore(`s3://${request.bucket}`, { s3: { endpoint: request.endpoint } })
  const snapshot = await (await openRepository(store)).openSnapshot(request.corpus.snapshot)
  const asked = noteRequests()
  let storedBytes = 0
  const startedAt = performance.now()
  const before = process.cpuUsage()
  if (request.what === 'ranges') {
    await fetchRanges(request.ranges, { ...s3Credentials, endpoint: request.endpoint, atOnce })
  } else storedBytes = await read(snapshot, request, output)
  const runSeconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(before)
  const runCpuSeconds = (user + system) / 1e6
  const { documents } = output
  return { runSeconds, runCpuSeconds, documents, hash: output.text(), storedBytes, ...asked }
}

/** What the HTTP client of Node.js tells of each request, which costs next to nothing. */
function noteRequests(): { requests: number; ranges: PlainRange[] } {
  const asked = { requests: 0, ranges: [] as PlainRange[] }
  subscribe('http.client.response.finish', (message) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage }
    asked.requests++
    const [, first, last] = /^bytes (\d+)-(\d+)/.exec(response.headers['content-range'] ?? '') ?? []
    if (first === undefined || last === undefined) return
    const path = request.path.split('?')[0]!
    asked.ranges.push({ path, offset: Number(first), length: Number(last) - Number(first) + 1 })
  })
  return asked
}

async function read(
  snapshot: Snapshot,
  { corpus, what, withHash }: S3Request,
  output: OutputHash,
): Promise<number> {
  let storedBytes = 0
  for (let shard = 0; shard < corpus.shards; shard++) {
    const files = await snapshot.openShard(corpus.index, shard)
    const reader = await openShardReader(files, { verify: 'touched' })
    for (const segment of reader.segments) {
      storedBytes += segment.storedBytes
      if (what === 'bytes') {
        await reader.checkParts(segment.name, [])
        continue
      }
      for await (const block of reader.readBlocks(segment.name)) {
        output.documents += block.count
        if (!withHash) continue
        output.documents -= block.count
        for (let i = 0; i < block.count; i++) {
          const id = { start: block.idStart[i]!, end: block.idEnd[i]! }
          const source = { start: block.sourceStart[i]!, end: block.sourceEnd[i]! }
          output.add(block.bytes, id, source)
        }
      }
    }
    await reader.close()
  }
  return storedBytes
}

if (process.send && import.meta.main)
  reportFigures(await run(JSON.parse(process.argv[2]!) as S3Request))
