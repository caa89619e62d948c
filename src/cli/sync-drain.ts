import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { duration } from '../base/option-types.ts'
import { withMigration, type Migration } from '../migration/migration.ts'
import { readConfiguredSync, runConfiguredSync, syncProcess } from '../migration/sync.ts'
import type { SyncStatus, SyncView } from '../sync/status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { packageVersion } from './main.ts'
import { printJson, printLine } from './output.ts'
import { SyncLog } from './sync-log.ts'
import { isCaughtUp, needsSomebody, syncText } from './sync-views.ts'

const lookEveryMs = 200

/** Waits until all is on the target that the source had done when it was called. */
export async function drainSync(invocation: Invocation): Promise<ExitCode> {
  const limitMs = timeOf(invocation.options.for)
  const from = Date.now()
  const loaded = await invocation.loadConfig()
  const isDone = (status: SyncStatus | undefined): boolean => isProvenSince(status, from)
  const view = await withMigration(loaded, invocation.signal, (migration) =>
    syncProcess(migration) === undefined
      ? drainHere(invocation, { limitMs, isDone })
      : watch(migration, { limitMs, isDone }),
  )
  if (invocation.json) printJson({ ...view, drained: isDone(view.status) })
  else printLine(syncText(view))
  if (view.state === 'failed') return exitCodes.failed
  if (!isDone(view.status)) return exitCodes.unfinished
  return needsSomebody(view.status!) ? exitCodes.differs : exitCodes.done
}

interface Draining {
  readonly limitMs: number
  readonly isDone: (status: SyncStatus | undefined) => boolean
}

/** The log is at its end, nothing is under way, and the audit looked since. */
function isProvenSince(status: SyncStatus | undefined, from: number): boolean {
  if (status === undefined || !isCaughtUp(status)) return false
  return Date.parse(status.audit?.asOf ?? '') >= from
}

async function watch(migration: Migration, { limitMs, isDone }: Draining): Promise<SyncView> {
  const until = Date.now() + limitMs
  for (;;) {
    const view = await readConfiguredSync(migration)
    const isOver = Date.now() > until || view.state !== 'running'
    if (isOver || isDone(view.status)) return view
    await wait(lookEveryMs, undefined, { signal: migration.signal })
  }
}

/** No sync runs: this process is one until all is there. */
async function drainHere(invocation: Invocation, { limitMs, isDone }: Draining): Promise<SyncView> {
  const over = new AbortController()
  const signal = AbortSignal.any([invocation.signal, over.signal, AbortSignal.timeout(limitMs)])
  const log = new SyncLog(invocation.json)
  const loaded = await invocation.loadConfig()
  return withMigration(loaded, signal, async (migration) => {
    let looking: NodeJS.Timeout | undefined
    try {
      await runConfiguredSync(migration, {
        version: packageVersion(),
        onWarning: (message) => log.warn(message),
        onRunning: ({ status }) => {
          looking = setInterval(() => {
            if (isDone(status())) over.abort(new MigrationError('MA_STOPPED', 'all is there'))
          }, lookEveryMs)
        },
      })
    } finally {
      clearInterval(looking)
    }
    invocation.signal.throwIfAborted()
    return readConfiguredSync(migration)
  })
}

function timeOf(text: unknown): number {
  const parsed = duration({ minMs: 1000 }).safeParse(text)
  if (parsed.success) return parsed.data
  throw new MigrationError('MA_CONFIG', `--for: ${parsed.error.issues[0]!.message}`)
}
