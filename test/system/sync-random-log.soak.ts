/** Random clients, a backfill and sync, while what holds the capture log is hurt; SYNC_OPERATIONS bounds them. */
import { test } from 'node:test'
import { useEngine } from '../support/engines.ts'
import { smallDisk } from '../support/small-disk.ts'
import { RestartableEngine, shared, type Fault } from '../support/sync-random-faults.ts'
import { syncRandomly } from '../support/sync-random.ts'

const operations = Number(process.env.SYNC_OPERATIONS ?? 20_000)
const timeout = 1_800_000

const source = shared(await useEngine('elasticsearch', '7'))
const target = shared(await useEngine('opensearch', '3'))
const { skip } = target.engine

test('a broker is killed while sync follows the log in Kafka', { skip, timeout }, async (t) => {
  const broker = await RestartableEngine.start('kafka', '4')
  t.after(() => broker.remove())
  const faults: Fault[] = ['kill-broker', 'kill-sync', 'kill-broker', 'kill-proxy', 'kill-broker']
  await syncRandomly(t, {
    ...{ source, target, operations, seed: 401, faults, broker, drainFor: '15m' },
    capture: { log: { kafka: { brokers: broker.engine.url, topic: 'random', partitions: 2 } } },
  })
})

const disk = smallDisk(256 << 20)

test(
  'the disk of the log is full now and then',
  { skip: skip || disk === undefined, timeout },
  (t) =>
    syncRandomly(t, {
      ...{ source, target, operations, seed: 402, disk: disk!, drainFor: '15m' },
      faults: ['fill-disk', 'kill-sync', 'fill-disk', 'kill-proxy', 'fill-disk'],
      capture: { log: { dir: disk! } },
    }),
)

test(
  'and a client that would rather be refused than not recorded',
  { skip: skip || disk === undefined, timeout },
  (t) =>
    syncRandomly(t, {
      ...{ source, target, operations, seed: 403, disk: disk!, drainFor: '15m' },
      faults: ['fill-disk', 'fill-disk'],
      capture: { log: { dir: disk! }, onLogFailure: 'refuse' },
    }),
)
