import { kind } from './store.ts'

/** Comparing all indices, as a whole: what one that was killed has done is not done again. Key: `run`. */
export type CompareRun = {
  how: 'full' | 'quick'
  from: 'snapshot' | 'live'
  startedAt: string
  /** null: it runs, or was killed. */
  endedAt: string | null
}
export const compareRunKind = kind<CompareRun>('compare-run')
