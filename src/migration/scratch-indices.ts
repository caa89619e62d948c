import type { Cluster, Side } from '../cluster/cluster.ts'
import { objectPresent, settingAccess } from '../metadata/setting-access.ts'
import { changeSetting, noteRestored, openEntries, type SettingName } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'

export interface ScratchInput {
  readonly clusters: { readonly source: Cluster; readonly target: Cluster }
  readonly state: StateStore
}

/**
 * Runs `work`, which makes indices on both sides whose names begin with `name`, and deletes them, whatever comes out. The
 * name is in the ledger before: after a kill the next removeScratch(), `settings restore --all` or `close` deletes what is left.
 */
export async function withScratch<T>(
  { clusters, state }: ScratchInput,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const access = settingAccess(clusters)
  const both = (['source', 'target'] as const).map((side): SettingName => ({
    side,
    index: null,
    setting: `/${name}*`,
  }))
  for (const one of both) {
    await changeSetting(state, access, { ...one, newValue: objectPresent, until: 'close' })
  }
  try {
    return await work()
  } finally {
    await takeOff(both, async (one) => {
      await access.apply(one, null)
      await noteRestored(state, one)
    })
  }
}

/** Deletes what runs that were killed have left, by what its names begin with. */
export async function removeScratch(
  { clusters, state }: ScratchInput,
  prefix: string,
): Promise<void> {
  const access = settingAccess(clusters)
  const left = (await openEntries(state)).filter(({ value }) =>
    value.setting.startsWith(`/${prefix}`),
  )
  await takeOff(
    left.map(({ value }) => value),
    async (one) => {
      await access.apply(one, null)
      await noteRestored(state, one)
    },
  )
}

/** A side that cannot be reached keeps nothing on the other. */
async function takeOff<T extends { readonly side: Side }>(
  all: readonly T[],
  one: (entry: T) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(all.map(one))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
