/** Random clients, a backfill, sync, and faults, small: sync-random.soak.ts has it in full. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { RestartableEngine, syncRandomly, type RandomSyncInput } from '../support/sync-random.ts'

const own = async (kind: 'elasticsearch' | 'opensearch', version: string) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-sync-random-'))
  const engine = new RestartableEngine(await useEngine(kind, version, { dir }))
  after(() => engine.remove())
  return engine
}

const operations = Number(process.env.SYNC_OPERATIONS ?? 10_000)
const timeout = 300_000

const seven = await own('elasticsearch', '7')
const target = await own('opensearch', '3')

const runs: Omit<RandomSyncInput, 'source' | 'target' | 'operations'>[] = [
  { seed: 1, faults: ['kill-sync', 'kill-proxy'] },
  { seed: 2, faults: ['kill-sync', 'kill-sync'], bypass: 0.02 },
]
for (const run of runs) {
  test(`Elasticsearch 7.10, seed ${run.seed}: equal in the end`, { timeout }, (t) =>
    syncRandomly(t, { ...run, source: seven, target, operations }),
  )
}
