import assert from 'node:assert/strict'
import test from 'node:test'
import { isUnknown, type OrUnknown, type Writes } from './assessment.ts'
import { benchRate, estimate, statedRate, type EstimateInput } from './estimate.ts'
import { proposePath } from './path.ts'

const writes: Writes = {
  seconds: 10,
  writesPerSecond: 100,
  bytesPerWrite: 1000,
  bytesPerWriteBasis: 'a test',
  bytesPerSecond: 100_000,
  indices: [{ index: 'busy', writesPerSecond: 100 }],
}
const input: EstimateInput = {
  rate: statedRate(10_000_000),
  documents: 1_000_000,
  primaryBytes: 360e9,
  bytesWithReplicas: 680e9,
  dataNodes: 2,
  writes,
  busy: { documents: 10, primaryBytes: 36e9 },
  targetDiskFreeBytes: { unknown: 'no target' },
  hasSnapshot: false,
}

test('hours and bytes follow from the rates', () => {
  const found = estimate(input)
  assert.equal(found.backfillHours, 10)
  assert.equal(found.deltaHours, 1)
  assert.equal(found.snapshotHours, 360e9 / 80e6 / 3600)
  assert.equal(found.targetDiskBytes, 800e9)
  assert.equal(found.captureLogBytes, 100_000 * (10 + 1.25) * 3600)
})

test('small documents go by their number, large ones by their bytes', () => {
  const hours = (documents: number, primaryBytes: number) =>
    estimate({ ...input, rate: benchRate, documents, primaryBytes }).backfillHours
  assert.equal(hours(9056 * 3600, 1), 1)
  assert.equal(hours(1, 16_500_000 * 3600), 1)
})

test('a snapshot that is there takes no time', () => {
  assert.equal(estimate({ ...input, hasSnapshot: true }).snapshotHours, 0)
})

test('what hangs on something unknown is unknown for that reason', () => {
  const unknown = { unknown: 'a closed index' }
  const found = estimate({ ...input, primaryBytes: unknown })
  assert.deepEqual(found.backfillHours, unknown)
  assert.deepEqual(found.captureLogBytes, unknown)
  assert.deepEqual(found.targetDiskFreeBytes, { unknown: 'no target' })
  assert.ok(isUnknown(found.snapshotHours))
})

const pathFor = (seen: OrUnknown<Writes>, deltaHours: OrUnknown<number>, indices = 2) =>
  proposePath(seen, { deltaHours }, indices)

test('the way follows from what is written to, and how long that takes', () => {
  const quiet = { ...writes, writesPerSecond: 0, indices: [] }
  assert.equal(pathFor(quiet, 0).path, 'backfill only')
  assert.equal(pathFor(writes, 0.9).path, 'backfill and delta')
  assert.match(pathFor(writes, 0.9).steps.join(), /--exclude busy .*--index busy/)
  assert.match(pathFor(writes, 0.9, 1).steps[0]!, /^Stop the writes/)
  assert.equal(pathFor(writes, 1.1).path, 'backfill with capture')
  const { path, steps } = pathFor(writes, { unknown: 'x' })
  assert.equal(path, 'backfill with capture')
  const commands = steps.flatMap((step) => step.match(/^osmigrate (\w+ \w+)/)?.[1] ?? [])
  assert.deepEqual(commands, [
    ...['capture start', 'snapshot create', 'metadata evaluate', 'sync start', 'backfill start'],
    ...['sync drain', 'compare documents'],
  ])
  assert.equal(pathFor({ unknown: 'a snapshot' }, 0).path, 'cannot be told')
})
