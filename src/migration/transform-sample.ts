import type { DocumentTypes } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import { CanonicalDigest } from '../compare/canonical.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { ShardReader } from '../document/shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import { mayRename, type Transformer, type TransformTask } from '../usercode/transformer.ts'
import type { Migration } from './migration.ts'
import { partsOf, type IndexPart } from '../metadata/parts.ts'
import type { ReadRequest } from '../transform/module.ts'
import { splitsTypes } from '../transform/spec.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import type { Transform } from '../usercode/transform.ts'
import { selectedIndices } from './open-snapshot.ts'

/** One document before and after a transform. */
export interface TransformedSample {
  readonly index: string
  readonly before: SampleDocument
  /** Absent where it would not be sent. */
  readonly after?: SampleDocument
  readonly outcome: 'changed' | 'unchanged' | 'dropped' | 'failed'
  /** Why it would not be sent. */
  readonly reason?: string
  /** The step allows to drop it. */
  readonly allowed?: boolean
  /** What documentBack makes of `after`: the document as it was, or not; absent where there is no inverse. */
  readonly inverse?: 'equal' | 'different' | 'failed'
}

export interface SampleDocument {
  readonly id: string
  readonly routing?: string
  /** JSON text. */
  readonly source: string
}

export interface TransformSamples {
  readonly samples: TransformedSample[]
  /** Indices whose documents are not changed. */
  readonly untouched: string[]
  /** By index, the first step without an inverse; null where each has one. */
  readonly withoutInverse: { [index: string]: string | null }
}

/**
 * Runs the transform on `sample` documents of each selected index, taken from all its shards and segments, and on the
 * result its inverse where it has one. Writes nothing anywhere.
 */
export async function sampleTransform(
  migration: Migration,
  sample: number,
): Promise<TransformSamples> {
  const { config, signal } = migration
  const transform = await requireTransform(migration)
  const transformer = await transform.open()
  const snapshot = await migration.snapshot()
  const test: TransformSamples = { samples: [], untouched: [], withoutInverse: {} }
  for (const index of await selectedIndices(config, snapshot)) {
    const metadata = await snapshot.readIndexMetadata(index)
    const types = splitsTypes(transform.spec, index) ? 'split' : config.metadata.types
    const parts = partsOf(metadata, { types, typeField: config.metadata.typeField })
    for (const part of parts) {
      if (!transformer.changesDocuments(index) && part.types === null) {
        test.untouched.push(part.name)
        continue
      }
      test.withoutInverse[part.name] = transformer.withoutInverse(index) ?? null
      const { numberOfShards } = metadata
      const shards = { sourceShards: numberOfShards, targetShards: numberOfShards }
      const tried = { transformer, task: { index, mayRename: mayRename(shards) }, part }
      const from = { snapshot, index, numberOfShards, only: part.types?.only ?? null, signal }
      for await (const block of sampleBlocks(from, sample))
        test.samples.push(...(await tryBlock(tried, block)))
    }
  }
  return test
}

/** A request before and after the transform; `failed` where it would not be sent. */
export interface TransformedRequest {
  readonly before: ReadRequest
  readonly after?: ReadRequest
  readonly failed?: string
}

/** Runs the transform on requests; asks no cluster. */
export async function tryRequests(
  migration: Migration,
  requests: readonly ReadRequest[],
): Promise<TransformedRequest[]> {
  const transformer = await (await requireTransform(migration)).open()
  const tried: TransformedRequest[] = []
  for (const before of requests) {
    try {
      tried.push({ before, after: await transformer.request(before) })
    } catch (error) {
      if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
      tried.push({ before, failed: error.message })
    }
  }
  return tried
}

async function requireTransform(migration: Migration): Promise<Transform> {
  const transform = await migration.transform()
  if (transform !== undefined) return transform
  throw new MigrationError(
    'MA_CONFIG',
    'no transform is configured; name a module with --transform FILE, or write transform: into migration.yaml',
  )
}

interface SampledIndex {
  readonly snapshot: Snapshot
  readonly index: string
  readonly numberOfShards: number
  /** Documents of these mapping types alone. */
  readonly only: readonly string[] | null
  readonly signal: AbortSignal
}

/** Blocks with `sample` documents in all, or as many as there are; the first of each segment in even parts. */
async function* sampleBlocks(from: SampledIndex, sample: number): AsyncIterable<DocumentBlock> {
  const { snapshot, index, numberOfShards, only, signal } = from
  const lacking = snapshot.shardFailures.filter((one) => one.index === index)
  let left = sample
  for (let shard = 0; shard < numberOfShards && left > 0; shard++) {
    if (lacking.some((one) => one.shard === shard)) continue
    const files = await snapshot.openShard(index, shard)
    const reader = await openShardReader(files, { verify: 'touched' })
    try {
      for await (const block of shardBlocks(
        reader,
        Math.ceil(left / (numberOfShards - shard)),
        only,
      )) {
        signal.throwIfAborted()
        yield block
        left -= block.count
      }
    } finally {
      await reader.close()
    }
  }
}

async function* shardBlocks(
  reader: ShardReader,
  sample: number,
  only: readonly string[] | null,
): AsyncIterable<DocumentBlock> {
  const live = reader.segments.filter(({ liveCount }) => liveCount > 0)
  let left = sample
  for (const [i, { name }] of live.entries()) {
    let ofSegment = Math.ceil(left / (live.length - i))
    const stored = reader.readBlocks(name)
    const blocks = only === null ? stored : typedBlocks(stored, { ...untyped, only: [...only] })
    for await (const block of blocks) {
      const count = Math.min(block.count, ofSegment)
      if (count > 0) yield { ...block, count }
      ofSegment -= count
      left -= count
      if (ofSegment === 0) break
    }
  }
}

/** Documents as they were are left out by nothing more. */
const untyped: DocumentTypes = { only: null, keepIn: null, routeById: false, join: null }

interface Tried {
  readonly transformer: Transformer
  readonly task: TransformTask
  readonly part: IndexPart
}

async function tryBlock(
  { transformer, task, part: { name, types } }: Tried,
  block: DocumentBlock,
): Promise<TransformedSample[]> {
  const hasInverse = transformer.withoutInverse(task.index) === undefined
  const samples: TransformedSample[] = []
  let from = 0
  const wanted = types && {
    ...types,
    only: null,
    routeById: types.keepIn !== null && types.join !== null,
  }
  const typed = wanted ? await first(typedBlocks(only(block), wanted)) : block
  for await (const after of transformer.blocks(only(typed), task)) {
    const back = hasInverse ? await goBack(transformer, after, task) : undefined
    for (let i = 0; i < after.count; i++) {
      const at = from + i
      const places = { before: { block, at }, typed: { block: typed, at } }
      samples.push(sampleOf(name, places, { block: after, at: i }, back))
    }
    from += after.count
  }
  return samples
}

async function* only<T>(one: T): AsyncIterable<T> {
  yield one
}

async function first<T>(all: AsyncIterable<T>): Promise<T> {
  for await (const one of all) return one
  throw new Error('a block gives a block')
}

/** The documents of a transformed block as the inverse makes them, in its order. */
async function goBack(
  transformer: Transformer,
  block: TransformedBlock,
  { index }: TransformTask,
): Promise<Place[]> {
  const places: Place[] = []
  const task = { index, mayRename: true, direction: 'documentBack' } as const
  for await (const back of transformer.blocks(only(block), task)) {
    for (let at = 0; at < back.count; at++) places.push({ block: back, at })
  }
  return places
}

/** A document in a block. */
interface Place {
  readonly block: DocumentBlock & Partial<TransformedBlock>
  readonly at: number
}

/** `typed`: as its mapping type wants it, which is what the transform gets and its inverse gives back. */
function sampleOf(
  index: string,
  { before, typed }: { before: Place; typed: Place },
  after: Place,
  back: readonly Place[] | undefined,
): TransformedSample {
  const common = { index, before: documentOf(before) }
  const unsent = after.block.unsent?.get(after.at)
  if (unsent !== undefined) {
    const { reason } = unsent
    if (unsent.why !== 'dropped') return { ...common, outcome: 'failed', reason }
    return { ...common, outcome: 'dropped', reason, allowed: unsent.allowed }
  }
  const again = back?.[after.at]
  return {
    ...common,
    after: documentOf(after),
    outcome: isSame(before, after) ? 'unchanged' : 'changed',
    ...(again && { inverse: inverseOf(typed, again) }),
  }
}

function inverseOf(before: Place, again: Place): NonNullable<TransformedSample['inverse']> {
  if (again.block.unsent?.has(again.at)) return 'failed'
  return isSame(before, again) ? 'equal' : 'different'
}

function documentOf(place: Place): SampleDocument {
  const routing = textOf(place, 'routing')
  return {
    id: textOf(place, 'id')!,
    ...(routing !== undefined && { routing }),
    source: textOf(place, 'source') ?? '',
  }
}

function textOf({ block, at }: Place, field: 'id' | 'routing' | 'source'): string | undefined {
  const start = block[`${field}Start`][at]!
  return start < 0 ? undefined : block.bytes.toString('utf8', start, block[`${field}End`][at])
}

/** Equal as `compare documents` has it. */
function isSame(a: Place, b: Place): boolean {
  const names = (['id', 'routing'] as const).every((field) => textOf(a, field) === textOf(b, field))
  if (!names || textOf(a, 'source') === textOf(b, 'source')) return names
  const [first, second] = [digestOf(a), digestOf(b)]
  return first.half1 === second.half1 && first.half2 === second.half2
}

function digestOf({ block, at }: Place): { half1: number; half2: number } {
  const digest = new CanonicalDigest()
  digest.use(block.bytes, '_source')
  digest.text(block.sourceStart[at]!, block.sourceEnd[at]!)
  return { half1: digest.half1, half2: digest.half2 }
}
