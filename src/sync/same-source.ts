import { MigrationError } from '../base/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { kind, type StateStore } from '../state/store.ts'
import type { SourceView } from './source-view.ts'

/** The cluster that was followed before. Key: `source`. */
const sourceClusterKind = kind<string>('source-cluster')

/** Another cluster under the old address has none of the indices: all of the target's would be deleted. */
export async function requireSameSource({
  source,
  state,
  view,
}: {
  readonly source: Cluster
  readonly state: StateStore
  readonly view: Pick<SourceView, 'clusterUuid'>
}): Promise<void> {
  const { clusterUuid } = view
  if (clusterUuid === undefined) return
  const known = (await state.get(sourceClusterKind, 'source'))?.value
  if (known === undefined) {
    const change = { op: 'put', kind: sourceClusterKind, key: 'source' } as const
    await state.commit([{ ...change, value: clusterUuid }])
  } else if (known !== clusterUuid) {
    throw new MigrationError(
      'MA_CLUSTER_KIND',
      `${source.url} is another cluster (uuid ${clusterUuid}) than the source that this migration has followed (uuid ${known}). Correct source.url; for another source begin a migration of its own`,
      { details: { expected: known, found: clusterUuid } },
    )
  }
}
