import { MigrationError } from '../base/errors.ts'
import type { Selection } from '../base/select.ts'
import { selectIndices, selectStreams, sortedByName, type Apart } from '../base/select-indices.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { liveMetadata } from '../metadata/live-metadata.ts'

/** An index that is not in the snapshot although nobody said that it should not be. */
export interface LeftOut {
  readonly index: string
  /** `closed`: on a source that cannot make snapshots of closed indices. */
  readonly reason: Apart | 'closed'
}

export interface ChosenIndices {
  /** What the engine is asked for: names of indices and of data streams, without patterns. */
  readonly names: readonly string[]
  /** Every index that will be in the snapshot, those behind data streams among them. */
  readonly indices: readonly string[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Which indices a snapshot holds: the selected ones, as for every other step.
 *
 * Errors: MA_CONFIG when nothing is left, and when a pattern names nothing.
 */
export async function chooseIndices(
  source: Cluster,
  select: Selection,
  signal?: AbortSignal,
): Promise<ChosenIndices> {
  const live = await liveMetadata(source, signal)
  const { indices, apart, closed } = live
  const streams = await live.readDataStreams()
  const chosen = selectIndices({ indices, streams, apart }, select, { withStreams: true })
  const shut = canTakeClosed(source) ? [] : chosen.names.filter((name) => closed.has(name))
  const taken = chosen.names.filter((name) => !shut.includes(name))
  const leftOut: LeftOut[] = [
    ...chosen.leftOut,
    ...shut.map((index) => ({ index, reason: 'closed' as const })),
  ]
  if (taken.length === 0) throw nothingLeft(source, leftOut)
  const wholeStreams = selectStreams(streams, select)
  const brought = new Set(wholeStreams.flatMap((stream) => stream.indices))
  return {
    names: [
      ...wholeStreams.map(({ name }) => name),
      ...taken.filter((name) => !brought.has(name)),
    ].sort(),
    indices: taken,
    leftOut: sortedByName(leftOut),
  }
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
