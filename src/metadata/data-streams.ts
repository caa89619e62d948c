import { selectStreams } from '../base/select-indices.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { DataStream, IndexMetadata } from '../snapshot/snapshot.ts'
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

/**
 * The selected data streams, by the indices behind them; none where the options do not carry them over. Such an index
 * takes no versioned writes on a target that knows it as one behind a data stream, so each becomes a plain index, and
 * the stream's name an alias for them, with the newest as the one that is written to.
 */
export function selectedBackings(
  { options, select }: EvaluateInput,
  streams: readonly DataStream[],
): Map<string, Backing> {
  const selected = options.dataStreams === 'alias' ? selectStreams(streams, select) : []
  return new Map(
    selected.flatMap((stream) =>
      stream.indices.map((index, i) => {
        const isNewest = i === stream.indices.length - 1
        return [index, { stream, position: i + 1, isNewest }] as const
      }),
    ),
  )
}

/** The index as a plain one, with the stream's name and its aliases for aliases. */
export function asPlainIndex(index: IndexMetadata, { stream, isNewest }: Backing): IndexMetadata {
  const aliases: { [alias: string]: JsonObject } = { ...index.aliases }
  for (const [alias, { is_write_index: isWritten, ...options }] of Object.entries(stream.aliases)) {
    aliases[alias] = { ...options, is_write_index: isWritten === true && isNewest }
  }
  aliases[stream.name] = { is_write_index: isNewest, ...(stream.hidden && { is_hidden: true }) }
  return { ...index, aliases }
}

/** What the plan says of an index behind a data stream; of the stream itself at the newest one, once. */
export function plannedBehind(planned: PlannedIndex, backing: Backing): PlannedIndex {
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

function streamChanges({ raw, failureIndices }: DataStream, path: string): PlannedChange[] {
  const dropped = unknownParts.filter(([part]) => Object.keys(objectOf(raw[part])).length > 0)
  return [
    { path, what: 'changed', from: 'data stream', to: 'alias', reason: asAlias, loss: true },
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
  'clients read and create by the name as before; they can now also change and delete documents by it. A rollover makes ' +
  'the next index from templates that fit .ds-NAME-*, not NAME. The calls of _data_stream do not know it, and a search ' +
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
  'data streams of OpenSearch take no versioned writes. With metadata.dataStreams: alias the indices behind it are ' +
  'carried over as plain ones, and its name is an alias for them'

/** As readNamesInUse(); with the target's data streams where aliases take the place of some, since these share their names. */
export async function readNamesFor(
  target: Cluster,
  backings: ReadonlyMap<string, Backing>,
  signal?: AbortSignal,
): Promise<NamesInUse> {
  const inUse = await readNamesInUse(target, signal)
  if (backings.size === 0) return inUse
  // Who may not ask (indices:admin/data_stream/get) is told by the engine when the alias is made.
  const { body } = await target.request('GET', '/_data_stream', {
    accept: [403],
    ...(signal && { signal }),
  })
  const streams = Array.isArray(body.data_streams) ? body.data_streams : []
  const names = streams.map((stream) => textOf(objectOf(stream).name))
  return { ...inUse, indices: new Set([...inUse.indices, ...names]) }
}
