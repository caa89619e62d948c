import type { TargetIndex } from '../state/records.ts'
import type { Difference, DifferenceCounts } from './differences.ts'

/** What the comparison of one index found, for the verdict. */
export interface IndexFindings {
  counts: DifferenceCounts
  /** At most as many as are held. */
  differences: readonly Difference[]
  notes: string[]
  /** Why nothing can be said. */
  unknown: string | undefined
  sourceForm: TargetIndex['sourceForm']
  /** Documents of the source that are not meant to be on the target. */
  leftOut: { dropped: number; deadLetters: number; discarded: number }
  /** Dead letters of the index, whatever the target holds in their place. */
  letters: { open: number; discarded: number }
}

export function noFindings(sourceForm: TargetIndex['sourceForm']): IndexFindings {
  return {
    counts: { equal: 0, different: 0, missing: 0, extra: 0 },
    differences: [],
    notes: [],
    unknown: undefined,
    sourceForm,
    leftOut: { dropped: 0, deadLetters: 0, discarded: 0 },
    letters: { open: 0, discarded: 0 },
  }
}
