import { MigrationError } from '../../base/errors.ts'
import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { JudgeBy } from './compare-latencies.ts'
import { compareRates } from './compare-rates.ts'
import type { Mix } from './mix.ts'
import type { MeasuredRounds, PerformanceRun } from './performance-run.ts'
import type { WriteComparison } from './record.ts'
import { formOf, makeScratch, scratchBody, showIndex } from './scratch-index.ts'

export interface WritesInput {
  readonly source: Cluster
  readonly target: Cluster
  /** Whose documents are written; with its name on the target, whose mapping is used there. */
  readonly index: string
  readonly targetIndex: string
  /** Of the scratch indices; begins with scratchPrefix. Whoever calls deletes them, whatever comes out. */
  readonly scratch: string
  readonly connections: number
  readonly rounds: number
  readonly turnMs: number
  readonly signal: AbortSignal
}

const documentsMost = 500
const bulkBytesMost = 2 * 1024 * 1024
/** To one side; a scratch index is no larger. */
const bytesMost = 512 * 1024 * 1024

/**
 * Writes the same bulks to a scratch index on each side, in turns as with searches: the mapping is that of the index on the
 * same side, the shards, copies and refreshes are those of the source. Null where the bounds of the run end it before.
 */
export async function compareWrites(
  input: WritesInput,
  run: PerformanceRun,
  by: (measured: MeasuredRounds) => JudgeBy,
): Promise<WriteComparison | null> {
  const { source, target, index, targetIndex, scratch, connections, rounds, turnMs } = input
  if (run.ended !== undefined) return null
  const shown = {
    source: await showIndex(source, index),
    target: await showIndex(target, targetIndex),
  }
  const { body, documents } = bulkOf(await someDocuments(input))
  const form = formOf(shown.source)
  const place = {
    source: await makeScratch(source, scratch, scratchBody(shown.source, form, source.version)),
    target: await makeScratch(target, scratch, scratchBody(shown.target, form, target.version)),
  }
  const headers = { 'content-type': 'application/x-ndjson' }
  const bulkTo = (path: string) => ({ method: 'POST', path, body, headers })
  const mix: Mix = {
    shapes: [{ key: 'bulk', template: `POST /${index}/_bulk`, share: 1 }],
    requests: [
      { shape: 0, source: bulkTo(place.source.bulkPath), target: bulkTo(place.target.bulkPath) },
    ],
  }
  const reached = await warmRate(run, mix, { connections, turnMs })
  const seconds = (rounds * turnMs) / 1000
  const perSecond = Math.min(reached, bytesMost / body.length / seconds)
  const measured = await run.rounds('writes', mix, {
    load: { connections },
    ...{ perSecond, turnsLater: 0 },
  })
  const count = (side: 'source' | 'target', of: 'requests' | 'errors'): number =>
    measured.rounds.reduce((sum, round) => sum + round[side][of], 0)
  const done = (side: 'source' | 'target') =>
    measured.rounds.map(({ [side]: turn }) => ({
      done: (turn.requests - turn.errors) * documents,
      ms: turn.ms,
    }))
  const errors = { source: count('source', 'errors'), target: count('target', 'errors') }
  const rate = compareRates({ source: done('source'), target: done('target') }, by(measured))
  const written = count('source', 'requests')
  return {
    ...rate,
    ...(errors.source + errors.target > 0 && {
      verdict: 'cannot tell',
      why: `bulks with errors: ${errors.source} on the source, ${errors.target} on the target`,
    }),
    ...{ index, errors, documents: written * documents, bytes: written * body.length },
  }
}

/** Bulks a second of the slower side. */
async function warmRate(
  run: PerformanceRun,
  mix: Mix,
  { connections, turnMs }: { connections: number; turnMs: number },
): Promise<number> {
  const rates: number[] = []
  for (const side of ['source', 'target'] as const) {
    const turn = await run.turn(side, {
      ...{ mix, load: { connections }, msMax: turnMs },
      requests: new Array(bulksToWarm).fill(mix.requests[0]!),
    })
    if (turn !== undefined && turn.ms > 0) rates.push((turn.requests * 1000) / turn.ms)
  }
  return Math.max(1, Math.min(...rates))
}

const bulksToWarm = 30

async function someDocuments({ source, index, signal }: WritesInput): Promise<JsonObject[]> {
  const { body } = await source.request('GET', `/${encodeURIComponent(index)}/_search`, {
    query: { size: documentsMost, sort: '_doc' },
    signal,
  })
  const hits = isJsonObject(body['hits']) ? body['hits']['hits'] : undefined
  const found = Array.isArray(hits) ? hits.filter(isJsonObject) : []
  const documents = found.map((hit) => hit['_source']).filter(isJsonObject)
  if (documents.length > 0) return documents
  throw new MigrationError(
    'MA_SOURCE_INDEX',
    `source: ${index} shows no documents with _source, so there is nothing to write; name another index with --writes INDEX`,
  )
}

/** One bulk of these documents, as many as fit. Ids are made by the cluster, so that it can come any number of times. */
function bulkOf(documents: readonly JsonObject[]): { body: Buffer; documents: number } {
  const lines: string[] = []
  let bytes = 0
  for (const document of documents) {
    const line = `{"index":{}}\n${JSON.stringify(document)}\n`
    bytes += Buffer.byteLength(line)
    if (lines.length > 0 && bytes > bulkBytesMost) break
    lines.push(line)
  }
  return { body: Buffer.from(lines.join('')), documents: lines.length }
}
