/** Random clients, a backfill, sync, and faults, small: sync-random.soak.ts has it in full. */
import { after, test } from 'node:test'
import { RestartableEngine, syncRandomly, type RandomSyncInput } from '../support/sync-random.ts'

const operations = Number(process.env.SYNC_OPERATIONS ?? 10_000)
const timeout = 300_000

const seven = await RestartableEngine.start('elasticsearch', '7')
const target = await RestartableEngine.start('opensearch', '3')
after(async () => {
  await seven.remove()
  await target.remove()
})

const runs: Omit<RandomSyncInput, 'source' | 'target' | 'operations'>[] = [
  { seed: 1, faults: ['kill-sync', 'kill-proxy'] },
  { seed: 2, faults: ['kill-sync', 'kill-sync'], bypass: 0.02 },
]
for (const run of runs) {
  test(`Elasticsearch 7.10, seed ${run.seed}: equal in the end`, { timeout }, (t) =>
    syncRandomly(t, { ...run, source: seven, target, operations }),
  )
}
