/**
 * A process that runs one backfill, to be stopped and killed: `node backfill-child.ts '<JSON of BackfillJob>'`.
 * Prints `started` when the state is open, ends with the exit codes of the command.
 */
import { backfillOptions } from '../../src/backfill/options.ts'
import { runBackfill } from '../../src/backfill/run.ts'
import { MigrationError } from '../../src/base/errors.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { BackfillJob } from './backfill.ts'

const job = JSON.parse(process.argv[2]!) as BackfillJob
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const state = await openSqliteStore(job.folder, 'write')
console.log('started')
const target = await connectCluster('target', { url: [job.url] })
try {
  const repository = await openRepository(openBlobStore(job.repository))
  const summary = await runBackfill({
    snapshot: await repository.openSnapshot(job.snapshot),
    target,
    state,
    indices: job.indices,
    options: backfillOptions.parse(job.options ?? {}),
    signal: stop.signal,
    reopen: { repository: job.repository, target: { url: [job.url] } },
  })
  process.exitCode = summary.deadLetters > 0 ? 3 : 0
} catch (error) {
  const isStop = error instanceof MigrationError && error.code === 'MA_STOPPED'
  process.exitCode = isStop ? 4 : 1
  if (!isStop) console.error(error)
} finally {
  await target.close()
  await state.close()
}
