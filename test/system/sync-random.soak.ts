/**
 * Random clients, a backfill, sync, and faults: `npm run soak -- test/system/sync-random.soak.ts`. What is named in the
 * environment bounds it:
 *
 *     SYNC_SEEDS=20           how many runs, or the seeds themselves: 3,17
 *     SYNC_OPERATIONS=200000  of each run
 *     SYNC_SOURCES=elasticsearch-6,elasticsearch-7,elasticsearch-8,opensearch-2   taken in turn
 */
import { after, test } from 'node:test'
import type { EngineKind } from '../../src/engines/engine.ts'
import { seeded } from '../support/random-client.ts'
import { syncRandomly } from '../support/sync-random.ts'
import { RestartableEngine, type Fault } from '../support/sync-random-faults.ts'

const { SYNC_SEEDS = '20', SYNC_OPERATIONS = '200000' } = process.env
const { SYNC_SOURCES = 'elasticsearch-6,elasticsearch-7,elasticsearch-8,opensearch-2' } =
  process.env
const seeds = SYNC_SEEDS.includes(',')
  ? SYNC_SEEDS.split(',').filter(Boolean).map(Number)
  : Array.from({ length: Number(SYNC_SEEDS) }, (_, i) => 100 + i)
const operations = Number(SYNC_OPERATIONS)
const sources = SYNC_SOURCES.split(',').map((one) => one.split('-') as [EngineKind, string])

const started = new Map<string, Promise<RestartableEngine>>()

/** Started when the first run needs it. */
function engine(kind: EngineKind, version: string): Promise<RestartableEngine> {
  const key = `${kind} ${version}`
  const one = started.get(key) ?? RestartableEngine.start(kind, version, 1024)
  started.set(key, one)
  return one
}

after(async () => {
  for (const one of started.values()) await (await one).remove()
})

const kinds: readonly Fault[] = [
  'kill-sync',
  'kill-proxy',
  'kill-sync',
  'restart-target',
  'restart-source',
]

for (const [i, seed] of seeds.entries()) {
  const [kind, version] = sources[i % sources.length]!
  const random = seeded(seed)
  const faults = Array.from(
    { length: Math.min(12, Math.max(2, Math.floor(operations / 10_000))) },
    () => kinds[Math.floor(random() * kinds.length)]!,
  )
  const bypass = seed % 2 === 1 ? 0.02 : 0
  const name = `${kind} ${version}, seed ${seed}, ${bypass * 100} % past the proxy: equal in the end`
  test(name, { timeout: 3_600_000 }, async (t) =>
    syncRandomly(t, {
      source: await engine(kind, version),
      target: await engine('opensearch', '3'),
      seed,
      operations,
      bypass,
      faults,
      drainFor: '30m',
      pauseMs: Math.max(1500, operations / 10),
    }),
  )
}
