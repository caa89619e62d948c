import type { TargetIndex } from '../state/records.ts'

/** Where documents of an index of the source are written to: its index of the target, or the one of some of its types. */
export interface Place {
  readonly target: TargetIndex
}

/** Says where the documents of an index go. */
export interface Places {
  /**
   * `left-out`: it is not selected, or gone. `waiting`: it cannot be written to now; `waiting` says why, `since` (ISO
   * 8601) since when. It is tried again as soon as something of it changes, and once per interval.
   */
  placesOf(index: string): Promise<PlacesOfIndex>
  /** The records of its target indices were changed: they are read again. */
  forget?(index: string): void
}

export type PlacesOfIndex = readonly Place[] | 'left-out' | Waiting

export interface Waiting {
  readonly waiting: string
  readonly since: string
}
