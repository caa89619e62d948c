/** Three hosts do a backfill in shares, each with a state of its own, and know nothing of one another. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parseShare, shareOfShard } from '../../src/backfill/share.ts'
import { backfillStatus } from '../../src/backfill/status.ts'
import { readIndexSetting } from '../../src/cluster/settings.ts'
import { openEntries } from '../../src/state/ledger.ts'
import { targetIndexKind } from '../../src/state/records.ts'
import {
  assertEqual,
  backfill,
  makeReady,
  makeSnapshot,
  spawnBackfill,
  withState,
  type BackfillProcess,
  type ReadyMigration,
} from '../support/backfill.ts'
import { startBulkProxy } from '../support/bulk-proxy.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, numbered, putItems, type Item } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = { engine: sourceEngine, cluster: await connect('source', sourceEngine) }
const target = skip === false ? await connect('target', targetEngine) : undefined!
const proxy = await startBulkProxy(targetEngine.port)
after(() => proxy.close())

const large = uniqueName('large')
const small = uniqueName('small')
const documents = { large: 3 * 800, small: 300 }
const shares = ['1/3', '2/3', '3/3']

/** Does not compress, so that the shard is large enough to be cut. */
function bulky(count: number, from: number): Item[] {
  let state = from + 1
  const letters = (length: number): string => {
    let text = ''
    while (text.length < length) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x3779b9
      text += (state >>> 0).toString(36)
    }
    return text
  }
  return Array.from({ length: count }, (_, i) => ({
    id: `d${from + i}`,
    source: { n: from + i, text: letters(2500) },
  }))
}

async function makeWorld(): Promise<Pick<ReadyMigration, 'repository' | 'snapshot'>> {
  await makeIndex(sourceEngine, large, {
    settings: { refresh_interval: '7s' },
    mappings: { dynamic: false },
  })
  for (let i = 0; i < 3; i++) await putItems(sourceEngine, large, bulky(800, i * 800))
  await makeIndex(sourceEngine, small, { settings: { number_of_shards: 3 } })
  await putItems(sourceEngine, small, numbered(documents.small))
  return makeSnapshot(source, [large, small])
}

async function settingsOf(index: string): Promise<(string | null | undefined)[]> {
  const names = ['index.refresh_interval', 'index.number_of_replicas']
  return Promise.all(names.map((name) => readIndexSetting(target, index, name)))
}

test(
  'three shares at once, one killed and resumed, settings changed by all: together they are the whole',
  { skip, timeout: 240_000 },
  async () => {
    const world = await makeWorld()
    const { byteLength } = await world.snapshot.openShard(large, 0)
    const shard = { sourceUuid: '', shard: 0, byteLength }
    assert.equal(shareOfShard(shard, parseShare('2/3')), 'part', 'the shard is large enough')

    // Each host makes the metadata known to itself: two at the same time, one when it is there.
    const indices = [large, small]
    const ready = (): Promise<ReadyMigration> => makeReady({ ...world, target, indices })
    const hosts = [...(await Promise.all([ready(), ready()])), await ready()]
    const uuids = await Promise.all(hosts.map((host) => targetUuids(host)))
    assert.deepEqual(uuids[1], uuids[0])
    assert.deepEqual(uuids[2], uuids[0])
    const before = await settingsOf(large)

    const options = (share: string): { [name: string]: unknown } => ({
      share,
      speedUpTarget: true,
      bulkBytesMax: '64kb',
    })
    const run = (i: number, url: string): BackfillProcess =>
      spawnBackfill(hosts[i]!, { url, options: options(shares[i]!) })
    const stuck = Promise.withResolvers<void>()
    proxy.fate = ({ number }) => {
      if (number < 8) return 'relay'
      stuck.resolve()
      return 'hold'
    }
    const second = run(1, proxy.url)
    await stuck.promise
    assert.deepEqual(await settingsOf(large), ['-1', '0'])
    const firstAndThird = [run(0, targetEngine.url), run(2, targetEngine.url)]
    assert.deepEqual(await Promise.all(firstAndThird.map(({ ended }) => ended)), [0, 0])
    second.child.kill('SIGKILL')
    assert.equal(await second.ended, 'SIGKILL')

    // The others noted nothing: what they found was not the source's.
    for (const host of [hosts[0]!, hosts[2]!]) {
      await withState(host.folder, async (state) => {
        const noted = (await openEntries(state)).filter(({ value }) => value.until === 'backfill')
        assert.deepEqual(noted, [])
      })
    }
    proxy.fate = () => 'relay'
    assert.equal(await run(1, proxy.url).ended, 0)
    assert.deepEqual(await settingsOf(large), before)
    assert.equal(before[0], '7s')

    const written = await Promise.all(hosts.map((host) => writtenBy(host)))
    assert.equal(
      written.reduce((sum, one) => sum + one.all, 0),
      documents.large + documents.small,
    )
    for (const one of written) assert.ok(one.large > documents.large / 6, JSON.stringify(written))
    for (const host of hosts) await assertEqual(host)
  },
)

test('a share that is begun goes on as that share alone', { skip }, async () => {
  const world = await makeWorldOfOne()
  const ready = await makeReady({ ...world, target })
  const { share } = await backfill(ready, { options: { share: '2/3' } })
  assert.equal(share, '2/3')
  await assert.rejects(
    backfill(ready, { options: { share: '1/3' } }),
    /begun here with --share 2\/3/,
  )
  await assert.rejects(backfill(ready), /begun here with --share 2\/3, not without/)
})

async function makeWorldOfOne(): Promise<Omit<ReadyMigration, 'folder' | 'target'>> {
  const index = uniqueName('one')
  await makeIndex(sourceEngine, index)
  await putItems(sourceEngine, index, numbered(10))
  return { ...(await makeSnapshot(source, [index])), indices: [index] }
}

async function targetUuids({ folder }: ReadyMigration): Promise<string[]> {
  return withState(folder, async (state) => {
    const uuids: string[] = []
    for await (const { value } of state.each(targetIndexKind)) uuids.push(value.targetUuid)
    assert.equal(uuids.length, 2)
    return uuids
  })
}

async function writtenBy({ folder }: ReadyMigration): Promise<{ all: number; large: number }> {
  return withState(folder, async (state) => {
    const { indices, totals, share } = await backfillStatus(state, { isRunning: false })
    assert.ok(share !== null && shares.includes(share))
    return { all: totals.written, large: indices.find(({ index }) => index === large)!.written }
  })
}
