import { keepYoungSpaceSmall } from '../base/young-space.ts'
import { withMigration } from '../migration/migration.ts'
import { runConfiguredSync } from '../migration/sync.ts'
import type { SyncStatus } from '../sync/status.ts'
import type { Invocation } from './command.ts'
import { sayStarted } from './detach.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { packageVersion } from './main.ts'
import { printJson, printLine } from './output.ts'
import { SyncLog } from './sync-log.ts'

/** `sync start` in the foreground; also what a detached process runs. */
export async function startSync(invocation: Invocation): Promise<ExitCode> {
  keepYoungSpaceSmall()
  const loaded = await invocation.loadConfig()
  const log = new SyncLog(invocation.json)
  try {
    await withMigration(loaded, invocation.signal, (migration) =>
      runConfiguredSync(migration, {
        version: packageVersion(),
        onWarning: (message) => log.warn(message),
        onRunning: ({ status, address }) => {
          if (invocation.json)
            printJson({ running: true, pid: process.pid, address: address ?? null })
          else printRunning(status(), address)
          sayStarted()
          log.follow(status)
        },
      }),
    )
  } finally {
    log.end()
  }
  log.info('stopped; osmigrate sync start goes on from there')
  return exitCodes.unfinished
}

function printRunning({ mode, streams }: SyncStatus, address: string | undefined): void {
  const how =
    mode === 'none'
      ? 'by the audit alone (capture.mode none)'
      : `by ${streams.length} streams of the capture log`
  printLine(`Sync follows the source ${how}, pid ${process.pid}.`)
  printLine(
    `osmigrate sync status --watch shows how far it is${address === undefined ? '' : `; metrics: ${address}/metrics`}`,
  )
}
