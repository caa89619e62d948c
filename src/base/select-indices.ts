import { matcher, selectExisting, selectNames, type Selection } from './select.ts'

/** A data stream, as far as it matters here. */
export interface StreamIndices {
  readonly name: string
  /** The indices behind it. */
  readonly indices: readonly string[]
  readonly hidden: boolean
  readonly system: boolean
}

/**
 * The indices that the selection lets through, in the order given. A data stream is selected by its own name, and brings
 * all indices behind it along (if `withStreams`); one of these alone, and one that is hidden, is selected only where a
 * pattern other than `*` names it. Errors as selectExisting().
 */
export function selectIndices(
  indices: readonly string[],
  streams: readonly StreamIndices[],
  selection: Selection,
  { withStreams, hidden = [] }: { withStreams: boolean; hidden?: readonly string[] },
): string[] {
  const names = [...indices, ...streams.map(({ name }) => name)].sort()
  const selected = new Set(selectExisting(names, selection))
  const chosen = withStreams ? selectStreams(streams, selection) : []
  const brought = new Set(chosen.flatMap((stream) => stream.indices))
  // On their own they take part only where they are meant.
  const behind = new Set([...hidden, ...streams.flatMap((stream) => stream.indices)])
  const meant = meantBy(selection)
  return indices.filter(
    (name) => brought.has(name) || (selected.has(name) && (!behind.has(name) || meant(name))),
  )
}

/** The streams that the selection lets through; hidden ones and the engine's own only if more than `*` names them. */
export function selectStreams<T extends StreamIndices>(
  streams: readonly T[],
  selection: Selection,
): T[] {
  const names = streams.map(({ name }) => name)
  const selected = new Set(selectNames(names, selection))
  const meant = meantBy(selection)
  return streams.filter(
    ({ name, hidden, system }) => selected.has(name) && ((!hidden && !system) || meant(name)),
  )
}

/** Says whether a pattern other than `*` names it: hidden things and the engine's own take part only so. */
export function meantBy({ include = [] }: Selection): (name: string) => boolean {
  return matcher(include.filter((pattern) => pattern !== '*'))
}
