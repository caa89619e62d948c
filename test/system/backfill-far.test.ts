/** A shard that is long and far away: read once, checked while it is read, and nothing of it silently wrong. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { backfillStatus } from '../../src/backfill/status.ts'
import { MigrationError } from '../../src/base/errors.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import {
  assertEqual,
  backfill,
  makeReady,
  spawnBackfill,
  withState,
  type ReadyMigration,
} from '../support/backfill.ts'
import { startBulkProxy } from '../support/bulk-proxy.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startFileServer } from '../support/file-server.ts'
import { connect } from '../support/metadata.ts'
import { makeIndex, putItems, type Item } from '../support/sample-indices.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const target = skip === false ? await connect('target', targetEngine) : undefined!
const index = uniqueName('far')
const overheadMax = 1.05
/** 20 MB that no codec makes smaller, in two segments. */
const documents = 1000
const documentBytes = 15_000

const { location, snapshot, server, storedBytes } = await makeFar()
const proxy = await startBulkProxy(targetEngine.port)
after(() => proxy.close())

async function makeFar() {
  const { location, name } = sourceEngine.makeRepository()
  await makeIndex(sourceEngine, index, { mappings: { dynamic: false } })
  for (const from of [0, documents / 2]) {
    const items = Array.from({ length: documents / 2 }, (_, i): Item => {
      const text = randomBytes(documentBytes).toString('base64')
      return { id: `d${from + i}`, source: { n: from + i, text } }
    })
    await putItems(sourceEngine, index, items)
  }
  // A hundred neighbours: whole chunks in which nothing lives.
  const gone = Array.from({ length: 100 }, (_, i): Item => ({ id: `d${200 + i}`, source: null }))
  await putItems(sourceEngine, index, gone)
  const settings = { location, chunk_size: '1mb' }
  await send(sourceEngine, 'PUT', `/_snapshot/${name}`, { type: 'fs', settings })
  await send(sourceEngine, 'PUT', `/_snapshot/${name}/one?wait_for_completion=true`, {
    indices: index,
    include_global_state: false,
  })
  const server = await startFileServer(location)
  after(() => server.close())
  const snapshot = await (await openRepository(openBlobStore(server.url))).openSnapshot('one')
  const { byteLength } = await snapshot.openShard(index, 0)
  assert.ok(byteLength > 17 * 1024 * 1024)
  return { location, snapshot, server, storedBytes: byteLength }
}

const whole = { bulkBytesMax: '500kb', bulksInFlightMax: 2 }
/** 3 MB an item, so that a segment is several, which share the chunks at their ends. */
const options = { ...whole, itemBytesMax: '3mb' }

async function ready(): Promise<ReadyMigration> {
  await target.request('DELETE', `/${index}`, { accept: [404] })
  proxy.fate = () => 'relay'
  proxy.onAnswered = () => {}
  proxy.relayed.clear()
  proxy.bulks = 0
  return makeReady({ repository: server.url, snapshot, target, indices: [index] })
}

/** The blob that holds a share of the way through the first segment's file. */
async function blobAt(share: number): Promise<string> {
  const files = await snapshot.openShard(index, 0)
  const names = [...files.names()].filter((name) => /\.(cfs|fdt)$/.test(name)).sort()
  const { blobs } = files.file(names[0]!)
  return join(location, blobs[Math.floor(blobs.length * share)]!)
}

/** Makes one letter of a text a small or a large one, so that only the checksum can tell. */
function damage(file: string): () => void {
  const good = readFileSync(file)
  const bad = Buffer.from(good)
  const isLetter = (byte: number): boolean => /[a-zA-Z]/.test(String.fromCharCode(byte))
  let at = good.length >> 1
  while (!good.subarray(at, at + 20).every(isLetter)) at++
  bad[at + 10]! ^= 0x20
  writeFileSync(file, bad)
  return () => writeFileSync(file, good)
}

async function errorsOf({ folder }: ReadyMigration): Promise<string[]> {
  return withState(folder, async (state) => {
    const { indices } = await backfillStatus(state, { isRunning: false })
    return indices.flatMap(({ errors }) => errors.map(({ message }) => message))
  })
}

for (const threads of [1, 2]) {
  test(`each byte is read once and arrives, ${threads} threads`, { skip }, async () => {
    const migration = await ready()
    server.asked.clear()
    const { totals } = await backfill(migration, { options: { ...whole, threads } })
    assert.equal(totals.written, documents - 100)
    const bytes = [...server.asked.values()].reduce((sum, one) => sum + one, 0)
    assert.ok(bytes <= storedBytes * overheadMax, `${bytes} bytes read of ${storedBytes}`)
    await assertEqual(migration)
  })
}

test(
  'a flipped byte makes the shard bad by name; a good copy later makes up for it',
  { skip },
  async () => {
    const migration = await ready()
    const mend = damage(await blobAt(0.4))
    try {
      await assert.rejects(
        backfill(migration, { options }),
        (error) =>
          error instanceof MigrationError &&
          error.code === 'MA_CORRUPT_DATA' &&
          /checksum/.test(error.message) &&
          /\d+ documents were written/.test(error.message) &&
          error.message.includes('everything else is written'),
      )
      assert.match((await errorsOf(migration)).join(), /run the backfill again/)
      // As often as it is tried.
      await assert.rejects(backfill(migration, { options }), /checksum/)
    } finally {
      mend()
    }
    await backfill(migration, { options })
    assert.deepEqual(await errorsOf(migration), [])
    await assertEqual(migration)
  },
)

test('kill -9 in the middle: what was read before is still checked', { skip }, async () => {
  const migration = await ready()
  const url = proxy.url
  const half = Promise.withResolvers<void>()
  proxy.onAnswered = ({ number }) => number >= 12 && half.resolve()
  proxy.fate = ({ number }) => (number <= 12 ? 'relay' : 'hold')
  const mend = damage(await blobAt(0.1))
  try {
    const first = spawnBackfill(migration, { url, options: { ...options, itemBytesMax: '1gb' } })
    await half.promise
    first.child.kill('SIGKILL')
    assert.equal(await first.ended, 'SIGKILL')
  } finally {
    // The damage was on the way, or the copy was mended: the documents that it made are there.
    mend()
  }
  assert.ok(proxy.relayed.size > 100)
  const relayed = new Map(proxy.relayed)
  proxy.fate = () => 'relay'
  const second = spawnBackfill(migration, { url, options })
  assert.equal(await second.ended, 1)
  const again = [...relayed.keys()].filter((id) => proxy.relayed.get(id)! > relayed.get(id)!)
  assert.ok(again.length < relayed.size, 'it went on from the checkpoint')
  assert.match((await errorsOf(migration)).join(), /checksum.*were written/)
  assert.equal(await spawnBackfill(migration, { url, options }).ended, 0)
  await assertEqual(migration)
})

test('damage in a comparison is told, not compared', { skip }, async () => {
  const migration = await ready()
  await backfill(migration, { options })
  const mend = damage(await blobAt(0.4))
  try {
    await assert.rejects(assertEqual(migration), /checksum/)
  } finally {
    mend()
  }
  server.asked.clear()
  await assertEqual(migration)
  const bytes = [...server.asked.values()].reduce((sum, one) => sum + one, 0)
  assert.ok(bytes <= storedBytes * overheadMax, `${bytes} bytes read of ${storedBytes}`)
})
