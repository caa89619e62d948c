import type { Target } from './target.ts'
import { bytesTargets } from './targets-bytes.ts'
import { captureTargets } from './targets-capture.ts'
import { httpTargets } from './targets-http.ts'
import { luceneTargets } from './targets-lucene.ts'
import { segmentTargets } from './targets-segment.ts'
import { snapshotTargets } from './targets-snapshot.ts'
import { streamTargets } from './targets-streams.ts'
import { syncTargets } from './targets-sync.ts'
import { termTargets } from './targets-terms.ts'

/** Every decoder. */
export const allTargets: readonly Target[] = [
  ...bytesTargets,
  ...snapshotTargets,
  ...segmentTargets,
  ...termTargets,
  ...luceneTargets,
  ...captureTargets,
  ...httpTargets,
  ...streamTargets,
  ...syncTargets,
]
