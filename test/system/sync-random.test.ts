/** Random clients, a backfill, sync, and faults, in small: sync-random.soak.ts has it in full. */
import { after, test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { syncRandomly } from '../support/sync-random.ts'
import { RestartableEngine, shared } from '../support/sync-random-faults.ts'

const operations = Number(process.env.SYNC_OPERATIONS ?? 10_000)
const timeout = 540_000

const six = await useEngine('elasticsearch', '6')
const seven = await useEngine('elasticsearch', '7')
const { skip } = await useEngine('opensearch', '3')
const target = skip === false ? await RestartableEngine.start('opensearch', '3') : undefined
after(() => target?.remove())

test('all writes of random clients arrive, sync and proxy killed', { skip, timeout }, (t) =>
  syncRandomly(t, {
    source: shared(seven),
    target: target!,
    seed: 1,
    operations,
    faults: ['kill-sync', 'kill-proxy'],
  }),
)

test(
  'and where two in a hundred go past the proxy, and the target restarts',
  { skip, timeout },
  (t) =>
    syncRandomly(t, {
      source: shared(seven),
      target: target!,
      seed: 2,
      operations,
      bypass: 0.02,
      faults: ['kill-sync', 'restart-target'],
    }),
)

test('and from Elasticsearch 6', { skip, timeout }, (t) =>
  syncRandomly(t, {
    source: shared(six),
    target: target!,
    seed: 3,
    operations,
    faults: ['kill-proxy', 'kill-sync'],
  }),
)
