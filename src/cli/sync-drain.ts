import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { duration } from '../base/option-types.ts'
import { withMigration, type Migration } from '../migration/migration.ts'
import {
  askForProof,
  readConfiguredSync,
  runConfiguredSync,
  syncProcess,
} from '../migration/sync.ts'
import type { SyncStatus, SyncView } from '../sync/status.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { packageVersion } from './main.ts'
import { printJson, printLine } from './output.ts'
import { SyncLog } from './sync-log.ts'
import { isCaughtUp, needsSomebody, syncText } from './sync-views.ts'

const lookEveryMs = 200
const askEveryMs = 1000

/** Waits until all is on the target that the source had done when it was called. */
export async function drainSync(invocation: Invocation): Promise<ExitCode> {
  const limitMs = timeOf(invocation.options.for)
  const from = Date.now()
  const loaded = await invocation.loadConfig()
  const isDone = (status: SyncStatus | undefined): boolean => isProvenSince(status, from)
  const isOver = (status: SyncStatus | undefined): boolean =>
    isDone(status) || isStuck(status, from)
  const view = await withMigration(loaded, invocation.signal, (migration) =>
    syncProcess(migration) === undefined
      ? drainHere(invocation, { limitMs, isOver })
      : watch(migration, { limitMs, isOver }),
  )
  if (invocation.json) printJson({ ...view, drained: isDone(view.status) })
  else printLine(syncText(view))
  if (view.state === 'failed') return exitCodes.failed
  if (!isOver(view.status)) return exitCodes.unfinished
  return !isDone(view.status) || needsSomebody(view.status!) ? exitCodes.differs : exitCodes.done
}

interface Draining {
  readonly limitMs: number
  /** Waiting longer would change nothing. */
  readonly isOver: (status: SyncStatus | undefined) => boolean
}

/** The log is at its end, nothing is under way, the audit looked since, and no delete can be undone by what came before it. */
function isProvenSince(status: SyncStatus | undefined, from: number): boolean {
  if (status === undefined || !isCaughtUp(status)) return false
  const { audit, deletesAppliedTo } = status
  return Date.parse(audit?.asOf ?? '') >= from && Date.parse(deletesAppliedTo ?? '') >= from
}

/** All is there but what belongs to indices that nothing is written to until somebody has acted. */
function isStuck(status: SyncStatus | undefined, from: number): boolean {
  const { audit, indices } = status ?? {}
  if (audit == null || !audit.streamsRead || Date.parse(audit.at) - audit.ms < from) return false
  const stopped = new Set(
    indices!.filter(({ state }) => state === 'stopped').map(({ index }) => index),
  )
  return (
    audit.openCount > 0 && audit.openCount === audit.open.filter((one) => stopped.has(one)).length
  )
}

async function watch(migration: Migration, { limitMs, isOver }: Draining): Promise<SyncView> {
  const until = Date.now() + limitMs
  let askAt = 0
  for (;;) {
    if (Date.now() >= askAt) {
      await askForProof(migration)
      askAt = Date.now() + askEveryMs
    }
    const view = await readConfiguredSync(migration)
    if (Date.now() > until || view.state !== 'running' || isOver(view.status)) return view
    await wait(lookEveryMs, undefined, { signal: migration.signal })
  }
}

/** No sync runs: this process is one until all is there. */
async function drainHere(invocation: Invocation, { limitMs, isOver }: Draining): Promise<SyncView> {
  const over = new AbortController()
  const signal = AbortSignal.any([invocation.signal, over.signal, AbortSignal.timeout(limitMs)])
  const log = new SyncLog(invocation.json)
  const loaded = await invocation.loadConfig()
  return withMigration(loaded, signal, async (migration) => {
    let looking: NodeJS.Timeout | undefined
    let asking: NodeJS.Timeout | undefined
    try {
      await runConfiguredSync(migration, {
        version: packageVersion(),
        onWarning: (message) => log.warn(message),
        onRunning: ({ status, prove }) => {
          looking = setInterval(() => {
            if (isOver(status())) over.abort(new MigrationError('MA_STOPPED', 'all is there'))
          }, lookEveryMs)
          prove()
          asking = setInterval(prove, askEveryMs)
        },
      })
    } finally {
      clearInterval(looking)
      clearInterval(asking)
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
