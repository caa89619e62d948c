import { kind } from './store.ts'

/** An object of the metadata that is not as on the source. */
export type MetadataFinding = {
  kind: string
  name: string
  /** `left behind`: the plan carries it over to nowhere. `in the way`: of the target's own, in the place of what was carried over. */
  what: 'announced' | 'different' | 'missing' | 'left behind' | 'in the way'
  why: string
}

/** One comparison of the metadata. Key: startedAt. The newest twenty are kept. */
export type MetadataVerdict = {
  startedAt: string
  endedAt: string
  method: string
  cannotSee: string[]
  /** `announced`: whatever differs was announced by the plan, losses included. */
  verdict: 'equal' | 'announced' | 'different'
  counts: { equal: number; announced: number; different: number; missing: number }
  notCarried: number
  /** Names that were looked at: patterns of the selection; null: all. */
  selected: { include: string[]; exclude: string[] | null }
  /** Those that nobody announced first; at most a hundred, of `findingsAll`. */
  findings: MetadataFinding[]
  findingsAll: number
}
export const metadataVerdictKind = kind<MetadataVerdict>('metadata-verdict')
