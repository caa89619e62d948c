/** Reading from an S3 service, against plain requests for the same bytes of the same service, in turns. */
import { startEngine } from '../src/engines/engine.ts'
import { alignedTable, measuredText } from './report.ts'
import { chmod } from 'node:fs/promises'
import path from 'node:path'
import type { Corpus } from './corpus.ts'
import { runChild, type ProcessFigures } from './measured.ts'
import type { PlainRange } from './plain-ranges.ts'
import type { S3Found, S3Request } from './s3-child.ts'

/** One line of the result; medians over the runs. */
export interface S3Result {
  readonly part: string
  readonly corpus: string
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssPeakMb: number
  /** Of bytes that came over the network. */
  readonly mbPerSecond: number
  /** Against the plain requests, run by run: each pair ran one right after the other. */
  readonly ofPlain: number
  readonly requestsPerGb: number
  /** Bytes that came, over those of stored fields. */
  readonly bytesPerStored: number
  readonly storedMb: number
  readonly correct: boolean
}

type Run = S3Found & ProcessFigures

const parts = {
  ranges: 'plain range GETs, 16 at once',
  bytes: 'stored fields, checked, not decoded',
  documents: 'every document, thrown away',
} as const

export async function measureS3(
  corpus: Corpus & { readonly name: string },
  { runs, onProgress }: { runs: number; onProgress: (message: string) => void },
): Promise<S3Result[]> {
  const basedir = path.dirname(corpus.repository)
  // The server runs as another user.
  await chmod(basedir, 0o755)
  const server = await startEngine({
    ...{ kind: 's3', version: '4', heapMb: 512 },
    settings: { 'jclouds.filesystem.basedir': basedir },
  })
  const bucket = path.basename(corpus.repository)
  let ranges: PlainRange[] = []
  const run = (what: S3Request['what'], withHash = false): Promise<Run> =>
    runChild<S3Found>('s3-child.ts', {
      ...{ corpus, endpoint: server.url, bucket, what, ranges, withHash },
    } satisfies S3Request)
  const found: { [what in S3Request['what']]: Run[] } = { ranges: [], bytes: [], documents: [] }
  try {
    const checked = await run('documents', true)
    const correct = checked.hash === corpus.hash && checked.documents === corpus.documents
    ranges = cutRanges((await run('bytes')).ranges)
    // The server's own compiler gets warm.
    for (let i = 0; i < 5; i++) await run('ranges')
    for (let i = 0; i < runs; i++) {
      onProgress(`S3, run ${i + 1} of ${runs}`)
      for (const what of ['ranges', 'bytes', 'documents'] as const)
        found[what].push(await run(what))
    }
    const plain = found.ranges.map((one) => ({ ...one, ranges, requests: ranges.length }))
    const { storedBytes } = checked
    return (['ranges', 'bytes', 'documents'] as const).map((what) => {
      const all = what === 'ranges' ? plain : found[what]
      const bytes = sum(all[0]!.ranges)
      const seconds = median(all.map(({ runSeconds }) => runSeconds))
      const ratios = all.map((one, i) => {
        const other = plain[i]!
        return sum(one.ranges) / one.runSeconds / (sum(other.ranges) / other.runSeconds)
      })
      return {
        part: parts[what],
        corpus: corpus.name,
        seconds,
        cpuSeconds: median(all.map(({ runCpuSeconds }) => runCpuSeconds)),
        rssPeakMb: Math.max(...all.map(({ rssPeakMb }) => rssPeakMb)),
        mbPerSecond: bytes / 1e6 / seconds,
        ofPlain: median(ratios),
        requestsPerGb: (all[0]!.requests / bytes) * 1e9,
        bytesPerStored: bytes / storedBytes,
        storedMb: storedBytes / 1e6,
        correct,
      }
    })
  } finally {
    await server.stop()
  }
}

const pieceBytes = 4 * 1024 * 1024

/** Joined where they touch or overlap, and cut into pieces for requests. */
function cutRanges(asked: readonly PlainRange[]): PlainRange[] {
  const sorted = asked.toSorted((a, b) =>
    a.path === b.path ? a.offset - b.offset : a.path < b.path ? -1 : 1,
  )
  const joined: { path: string; offset: number; length: number }[] = []
  for (const one of sorted) {
    const last = joined.at(-1)
    if (last?.path === one.path && one.offset <= last.offset + last.length) {
      last.length = Math.max(last.length, one.offset + one.length - last.offset)
    } else joined.push({ ...one })
  }
  return joined.flatMap(({ path, offset, length }) =>
    Array.from({ length: Math.ceil(length / pieceBytes) }, (_, i) => {
      const at = i * pieceBytes
      return { path, offset: offset + at, length: Math.min(pieceBytes, length - at) }
    }),
  )
}

function sum(ranges: readonly PlainRange[]): number {
  return ranges.reduce((total, { length }) => total + length, 0)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!
}

export function s3Table(results: readonly S3Result[]): string {
  return alignedTable([
    [
      ...['corpus', 'what', 'MB/s', 'of plain', 'seconds', 'CPU s', 'RSS MB'],
      ...['requests/GB', 'read/stored', 'goal'],
    ],
    ...results.map((one) => [
      ...[one.corpus, one.part, one.mbPerSecond.toFixed(0), one.ofPlain.toFixed(2)],
      ...[one.seconds.toFixed(2), one.cpuSeconds.toFixed(2), one.rssPeakMb.toFixed(0)],
      ...[one.requestsPerGb.toFixed(0), one.bytesPerStored.toFixed(3), goalsOf(one)],
    ]),
  ])
}

const leastOfPlain = 0.8
const mostPerStored = 1.05

const storedMbLeast = 100

function goalsOf(result: S3Result): string {
  const { part, ofPlain, bytesPerStored, storedMb, correct } = result
  if (!correct) return 'WRONG documents'
  // What is read beside the stored fields is the same for few of them.
  if (part === parts.ranges || storedMb < storedMbLeast) return ''
  const goals = [`read ≤ ${mostPerStored} ${bytesPerStored <= mostPerStored ? 'met' : 'NOT MET'}`]
  if (part === parts.bytes) {
    goals.unshift(`of plain ≥ ${leastOfPlain} ${ofPlain >= leastOfPlain ? 'met' : 'NOT MET'}`)
  }
  return goals.join('; ')
}

export function s3Text(results: readonly S3Result[], runs: number): string {
  return `A snapshot in s3proxy on the same machine: plain range GETs (node:http, 4 MB each, bytes thrown away) against the
program's own reading of the same bytes, in turns, medians of ${runs} runs, from the first request for a shard's files on.
MB are bytes as they lie in the store. Documents are decoded in one thread, which bounds them on a near server.

${measuredText()}

${s3Table(results)}
`
}
