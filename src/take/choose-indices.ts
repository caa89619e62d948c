import { MigrationError } from '../base/errors.ts'
import { selectExisting, selectNames, type Selection } from '../base/select.ts'
import { meantBy } from '../base/select-indices.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'

/** Why an index is not in the snapshot although nobody said that it should not. */
export type LeftOutReason =
  /** The engine's own, by its name or by what the cluster says of it. */
  | 'system'
  /** `index.hidden`, and only `*` fits it. */
  | 'hidden'
  /** Closed, on a source that cannot make snapshots of closed indices. */
  | 'closed'

export interface LeftOut {
  readonly index: string
  readonly reason: LeftOutReason
}

export interface ChosenIndices {
  /** What the engine is asked for: names of indices and of data streams, without patterns. */
  readonly names: readonly string[]
  /** Every index that will be in the snapshot, those behind data streams among them. */
  readonly indices: readonly string[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Which indices a snapshot holds: the selected ones, as for every other step. Indices of the engine and hidden ones are
 * left out unless a pattern other than `*` names them; data streams are selected by their own names and come with all
 * their indices.
 *
 * Errors: MA_CONFIG when nothing is left, and when a pattern names nothing.
 */
export async function chooseIndices(
  source: Cluster,
  select: Selection,
  signal?: AbortSignal,
): Promise<ChosenIndices> {
  const known = await readIndices(source, signal)
  const behind = new Set([...known.streams.values()].flat())
  const selected = selectExisting([...known.indices.keys(), ...known.streams.keys()].sort(), select)
  const meant = meantBy(select)
  const takesClosed = canTakeClosed(source)
  const names: string[] = []
  const indices = new Set<string>()
  const leftOut: LeftOut[] = dottedNames(known, select, behind)
  for (const name of selected) {
    const stream = known.streams.get(name)
    const index = known.indices.get(name)
    if (stream) for (const one of stream) indices.add(one)
    else if (index && !takesClosed && index.closed) leftOut.push({ index: name, reason: 'closed' })
    else if (index?.system && !meant(name)) leftOut.push({ index: name, reason: 'system' })
    else if (index?.hidden && !meant(name) && !behind.has(name)) {
      leftOut.push({ index: name, reason: 'hidden' })
    } else indices.add(name)
    if (stream || indices.has(name)) names.push(name)
  }
  if (indices.size === 0) throw nothingLeft(source, leftOut)
  const byName = (a: LeftOut, b: LeftOut): number => (a.index < b.index ? -1 : 1)
  return { names, indices: [...indices].sort(), leftOut: leftOut.sort(byName) }
}

interface KnownIndices {
  readonly indices: ReadonlyMap<string, { closed: boolean; hidden: boolean; system: boolean }>
  /** Data streams with the names of their indices. */
  readonly streams: ReadonlyMap<string, readonly string[]>
}

const stateParts = [
  'metadata.indices.*.state',
  'metadata.indices.*.system',
  'metadata.indices.*.settings.index.hidden',
  'metadata.data_stream.data_stream.*.indices.index_name',
]

async function readIndices(source: Cluster, signal?: AbortSignal): Promise<KnownIndices> {
  const { body } = await source.request('GET', '/_cluster/state/metadata', {
    query: { filter_path: stateParts.join(',') },
    ...(signal && { signal }),
  })
  const metadata = objectOf(body.metadata)
  const indices = new Map(
    Object.entries(objectOf(metadata.indices)).map(([name, value]) => {
      const { state, system, settings } = objectOf(value)
      const hidden = textOf(objectOf(objectOf(settings).index).hidden) === 'true'
      return [name, { closed: state === 'close', hidden, system: system === true }]
    }),
  )
  const streams = new Map(
    Object.entries(objectOf(objectOf(metadata.data_stream).data_stream)).map(([name, value]) => {
      const list = objectOf(value).indices
      const names = (Array.isArray(list) ? list : []).map((one) => textOf(objectOf(one).index_name))
      return [name, names]
    }),
  )
  return { indices, streams }
}

/** Those that the default of selectNames() leaves out, save for what data streams bring along. */
function dottedNames(
  { indices }: KnownIndices,
  select: Selection,
  behind: ReadonlySet<string>,
): LeftOut[] {
  if (select.exclude && !select.exclude.includes('.*')) return []
  return selectNames(indices.keys(), {
    ...select,
    exclude: select.exclude?.filter((one) => one !== '.*') ?? [],
  })
    .filter((name) => name.startsWith('.') && !behind.has(name))
    .filter((name) => selectNames([name], select).length === 0)
    .map((index) => ({ index, reason: 'system' }))
}

/** Since 7.2 closed indices are kept in copies as open ones are, and snapshots hold them. */
function canTakeClosed({ version }: Cluster): boolean {
  const { flavour, major, minor } = version
  return flavour === 'opensearch' || major > 7 || (major === 7 && minor >= 2)
}

function nothingLeft(source: Cluster, leftOut: readonly LeftOut[]): MigrationError {
  const names = leftOut.slice(0, 20).map(({ index, reason }) => `${index} (${reason})`)
  const but = names.length === 0 ? '' : `; there are, left out: ${names.join(', ')}`
  return new MigrationError(
    'MA_CONFIG',
    `the selection leaves no index of the source ${source.url}: nothing to make a snapshot of${but}. ` +
      'Name what is wanted with --index, open what is closed',
    { details: { leftOut: leftOut.slice(0, 1000) } },
  )
}
