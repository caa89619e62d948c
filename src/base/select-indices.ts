import { defaultExclude, matcher, selectExisting, selectNames, type Selection } from './select.ts'

/** A data stream, as far as it matters here. */
export interface StreamIndices {
  readonly name: string
  /** The indices behind it. */
  readonly indices: readonly string[]
  readonly hidden: boolean
  readonly system: boolean
}

/**
 * Why an index takes part only where it is meant: it is the engine's own, by its name or by what the engine says of it,
 * or `index.hidden` is set.
 */
export type Apart = 'system' | 'hidden'

/** An index that is left out although nobody said that it should be. */
export interface LeftOut {
  readonly index: string
  readonly reason: Apart
}

/** What there is to be selected from. */
export interface Selectable {
  readonly indices: readonly string[]
  readonly streams: readonly StreamIndices[]
  /** The hidden ones and the engine's own; undefined where each index has to be asked (`onlyPlain`). */
  readonly apart?: ReadonlyMap<string, Apart>
}

export interface SelectedIndices {
  /** In the order given. */
  readonly names: readonly string[]
  /** By name. */
  readonly leftOut: readonly LeftOut[]
  /** Those of `names` that do not take part where it turns out that they are hidden or the engine's own. */
  readonly onlyPlain: ReadonlySet<string>
}

/**
 * The indices that the selection lets through: the same for every command. A data stream is selected by its own name, and
 * brings all indices behind it along (if `withStreams`); one of these alone, and one that is hidden or the engine's own,
 * is selected only where a pattern other than `*` names it. Errors as selectExisting().
 */
export function selectIndices(
  { indices, streams, apart }: Selectable,
  selection: Selection,
  { withStreams }: { withStreams: boolean },
): SelectedIndices {
  const all = [...indices, ...streams.map(({ name }) => name)].sort()
  const selected = new Set(selectExisting(all, selection))
  const chosen = withStreams ? selectStreams(streams, selection) : []
  const brought = new Set(chosen.flatMap((stream) => stream.indices))
  const behind = new Set(streams.flatMap((stream) => stream.indices))
  const meant = meantBy(selection)
  const passes = (name: string): boolean =>
    selected.has(name) && (meant(name) || !(behind.has(name) || apart?.has(name)))
  const names = indices.filter((name) => brought.has(name) || passes(name))
  const own = dottedNames(indices, selection).filter((name) => !behind.has(name))
  const others = indices.filter((name) => selected.has(name) && !passes(name) && !behind.has(name))
  const leftOut = [
    ...own.map((index): LeftOut => ({ index, reason: 'system' })),
    ...others.map((index): LeftOut => ({ index, reason: apart?.get(index) ?? 'hidden' })),
  ]
  return {
    names,
    leftOut: sortedByName(leftOut),
    onlyPlain: new Set(
      apart === undefined ? names.filter((name) => !brought.has(name) && !meant(name)) : [],
    ),
  }
}

export function sortedByName<T extends { readonly index: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.index < b.index ? -1 : 1))
}

/** Those that the default of selectNames() leaves out, whether it stands there or not. */
function dottedNames(indices: readonly string[], selection: Selection): string[] {
  const { exclude = defaultExclude } = selection
  if (!defaultExclude.every((pattern) => exclude.includes(pattern))) return []
  const rest = exclude.filter((pattern) => !defaultExclude.includes(pattern))
  const selected = new Set(selectNames(indices, selection))
  return selectNames(indices, { ...selection, exclude: rest }).filter((name) => !selected.has(name))
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

/** Says whether a pattern other than `*` names it. */
function meantBy({ include = [] }: Selection): (name: string) => boolean {
  return matcher(include.filter((pattern) => pattern !== '*'))
}
