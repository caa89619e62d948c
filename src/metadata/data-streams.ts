import { selectStreams } from '../base/select-indices.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { DataStream, IndexMetadata } from '../snapshot/snapshot.ts'
import type { StreamPlace } from './data-stream-places.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { NotCarried, PlannedChange, PlannedIndex } from './plan.ts'
import { readNamesInUse, type NamesInUse } from './target-names.ts'

/** An index behind a data stream. */
export interface Backing {
  readonly stream: DataStream
  /** From 1, the oldest. */
  readonly position: number
  readonly isNewest: boolean
}

/** The selected data streams, by the indices behind them; none where the options do not carry them over. */
export function selectedBackings(
  { options, select }: EvaluateInput,
  streams: readonly DataStream[],
): Map<string, Backing> {
  const selected = options.dataStreams === 'refuse' ? [] : selectStreams(streams, select)
  return new Map(
    selected.flatMap((stream) =>
      stream.indices.map((index, i) => {
        const isNewest = i === stream.indices.length - 1
        return [index, { stream, position: i + 1, isNewest }] as const
      }),
    ),
  )
}

/** The field that holds a document's time; all but OpenSearch know one name alone. */
export function timestampFieldOf({ raw }: DataStream): string {
  const { name } = objectOf(raw.timestamp_field)
  return typeof name === 'string' ? name : '@timestamp'
}

/** The index as it will be: behind a data stream without aliases, which OpenSearch has none for there; or as a plain one. */
export function asCarried(
  index: IndexMetadata,
  backing: Backing,
  place: StreamPlace | undefined,
): IndexMetadata {
  return place ? { ...index, aliases: {} } : asPlainIndex(index, backing)
}

/**
 * The index as a plain one, with the stream's name and its aliases for aliases; the newest is the one that is written
 * to.
 */
export function asPlainIndex(index: IndexMetadata, { stream, isNewest }: Backing): IndexMetadata {
  const aliases: { [alias: string]: JsonObject } = { ...index.aliases }
  for (const [alias, { is_write_index: isWritten, ...options }] of Object.entries(stream.aliases)) {
    aliases[alias] = { ...options, is_write_index: isWritten === true && isNewest }
  }
  aliases[stream.name] = { is_write_index: isNewest, ...(stream.hidden && { is_hidden: true }) }
  return { ...index, aliases }
}

/** What the plan says of an index behind a data stream; of the stream itself at the newest one, once. */
export function plannedBehind(
  planned: PlannedIndex,
  backing: Backing,
  inStream?: StreamPlace,
): PlannedIndex {
  if (inStream) return plannedInStream(planned, backing, inStream)
  const { stream, position, isNewest } = backing
  const path = `aliases.${stream.name}`
  const place: PlannedChange = {
    path,
    what: 'added',
    reason: `index ${position} of ${stream.indices.length} of the data stream ${stream.name}, which becomes an alias`,
    loss: false,
  }
  const changes = isNewest ? streamChanges(stream, path) : [place]
  return { ...planned, dataStream: stream.name, changes: [...planned.changes, ...changes] }
}

function plannedInStream(
  planned: PlannedIndex,
  { stream, position, isNewest }: Backing,
  { timestampField, refused }: StreamPlace,
): PlannedIndex {
  const place: PlannedChange = {
    path: 'data_stream',
    what: 'noted',
    to: planned.targetIndex,
    reason: `index ${position} of ${stream.indices.length} of the data stream ${stream.name}. ${withoutVersions}`,
    loss: false,
  }
  const changes = [...planned.changes, place, ...(isNewest ? lostOfStream(stream) : [])]
  const { name } = stream
  return {
    ...planned,
    dataStream: name,
    stream: { name, position, timestampField },
    changes,
    ...(refused !== undefined &&
      planned.action === 'create' && { action: 'refused', reason: refused }),
  }
}

const withoutVersions =
  'Documents are inserted where there are none, without a version: one that others write there meanwhile stays'

function lostOfStream({ raw, hidden, aliases, ...stream }: DataStream): PlannedChange[] {
  const lost = (path: string, from: Json): PlannedChange => {
    return {
      path,
      what: 'dropped',
      from,
      reason: 'data streams of OpenSearch have none',
      loss: true,
    }
  }
  return [
    ...Object.entries(aliases).map(([alias, options]) => lost(`aliases.${alias}`, options)),
    ...(hidden ? [lost('data_stream.hidden', true)] : []),
    ...droppedParts({ ...stream, raw }),
  ]
}

/**
 * An index that is missing on the target between others of its data stream cannot be made: the next one that is made is
 * the newest, to which clients write.
 */
export function refuseGaps(indices: readonly PlannedIndex[]): PlannedIndex[] {
  const newest = new Map<string, number>()
  for (const { stream, action } of indices) {
    if (stream === undefined || action === 'create' || action === 'refused') continue
    newest.set(stream.name, Math.max(newest.get(stream.name) ?? 0, stream.position))
  }
  return indices.map((index) => {
    const { stream, action, name } = index
    const isGap = stream && action === 'create' && stream.position < (newest.get(stream.name) ?? 0)
    if (!isGap) return index
    const reason = `${name} is not on the target, and newer indices of its data stream ${stream.name} are: it cannot be put before them. Delete the data stream there and begin it anew, or take metadata.dataStreams: alias`
    return { ...index, action: 'refused', reason }
  })
}

function streamChanges(stream: DataStream, path: string): PlannedChange[] {
  return [
    { path, what: 'changed', from: 'data stream', to: 'alias', reason: asAlias, loss: true },
    ...droppedParts(stream),
  ]
}

/** What no data stream of OpenSearch has, nor an alias in its place. */
function droppedParts({
  raw,
  failureIndices,
}: Pick<DataStream, 'raw' | 'failureIndices'>): PlannedChange[] {
  const dropped = unknownParts.filter(([part]) => Object.keys(objectOf(raw[part])).length > 0)
  return [
    ...dropped.map(([part, reason]): PlannedChange => {
      return { path: `data_stream.${part}`, what: 'dropped', from: raw[part]!, reason, loss: true }
    }),
    ...(failureIndices.length === 0
      ? []
      : [
          {
            path: 'data_stream.failure_indices',
            what: 'dropped' as const,
            from: [...failureIndices],
            reason: 'OpenSearch has no failure stores; the documents in it are not carried over',
            loss: true,
          },
        ]),
  ]
}

const asAlias =
  'clients read, create and roll over by the name as before; they can now also change and delete documents by it. ' +
  'The calls of _data_stream do not know it, and a search ' +
  'of `*` or `_all` does not find it, since its indices are hidden'

const unknownParts: readonly (readonly [string, string])[] = [
  ['lifecycle', 'OpenSearch has Index State Management in its place: nothing is deleted by age'],
  ['settings', 'they are for indices to come; OpenSearch keeps none with a data stream'],
  ['mappings', 'they are for indices to come; OpenSearch keeps none with a data stream'],
]

/** The selected data streams that are not carried over, and indices behind others that are not there. */
export function streamsLeft(
  { options, select, source }: EvaluateInput,
  streams: readonly DataStream[],
): NotCarried[] {
  const kind = 'data stream'
  const there = new Set(source.indices)
  return selectStreams(streams, select).flatMap(({ name, indices }): NotCarried[] => {
    if (options.dataStreams === 'refuse') return [{ kind, name, reason: howToCarry }]
    const missing = indices.filter((index) => !there.has(index))
    const reason = `its indices ${missing.join(', ')} are not in the source`
    return missing.length === 0 ? [] : [{ kind, name, reason }]
  })
}

const howToCarry =
  'metadata.dataStreams is refuse. With stream it is carried over as a data stream; with alias its indices become ' +
  'plain ones, and its name an alias for them'

/** As readNamesInUse(); with the target's data streams where aliases take the place of some, since these share their names. */
export async function readNamesFor(
  target: Cluster,
  { options, signal }: Pick<EvaluateInput, 'options' | 'signal'>,
  backings: ReadonlyMap<string, Backing>,
): Promise<NamesInUse> {
  const inUse = await readNamesInUse(target, signal)
  if (backings.size === 0 || options.dataStreams !== 'alias') return inUse
  // Who may not ask (indices:admin/data_stream/get) is told by the engine when the alias is made.
  const { body } = await target.request('GET', '/_data_stream', {
    accept: [403],
    ...(signal && { signal }),
  })
  const streams = Array.isArray(body.data_streams) ? body.data_streams : []
  const names = streams.map((stream) => textOf(objectOf(stream).name))
  return { ...inUse, indices: new Set([...inUse.indices, ...names]) }
}
