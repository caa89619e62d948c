import { join } from 'node:path'
import { allOf } from '../base/all-of.ts'
import type { FolderLock, LockHolder } from '../base/folder-lock.ts'
import { MigrationError } from '../base/errors.ts'
import { s3Upload } from '../blob/s3-upload.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { connectCluster } from '../cluster/connect.ts'
import { requireTarget } from '../cluster/version.ts'
import type { ShadowOptions } from '../shadow/options.ts'
import type { PlainRequest, Translate } from '../shadow/plan-request.ts'
import type { AnswerWords } from '../shadow/replay.ts'
import { shadowRequestKind, shadowRunKind, type ShadowRun } from '../shadow/records.ts'
import { runShadow, type ShadowWindow } from '../shadow/run-shadow.ts'
import type { TakeFile } from '../shadow/tuple-files.ts'
import { WriteGuard } from '../shadow/write-guard.ts'
import type { StateStore } from '../state/store.ts'
import { currentWriter, takeWriterLock } from '../state/writer-lock.ts'
import type { NamedLog } from '../traffic/log-feed.ts'
import { findLog } from './capture-log.ts'
import { clusterOptions, withoutUndefined, type Migration } from './migration.ts'
import { requestWords, type RequestWords } from './request-words.ts'
import { required } from './required.ts'
import { syncLogs } from './sync-logs.ts'

export interface ShadowStart {
  readonly version: string
  /** An export, or the folder of a log; undefined: the configured log. */
  readonly from: string | undefined
  readonly window: ShadowWindow
  /** Ends where the log ends now; an export always does. */
  readonly toEnd: boolean
  /** From the beginning, whatever was replayed before. */
  readonly again: boolean
  readonly onWarning: (message: string) => void
  readonly onRunning: (run: () => ShadowRun) => void
}

/** After a stop. */
const uploadMs = 30_000

/** Replays captured traffic as migration.yaml describes it. Errors: as runShadow; MA_LOCKED; MA_CONFIG. */
export async function runConfiguredShadow(
  migration: Migration,
  { version, from, window, toEnd, again, onWarning, onRunning }: ShadowStart,
): Promise<ShadowRun> {
  const { config, signal, loaded } = migration
  const options = config.shadow
  checkOptions(options)
  const state = await migration.state('shadow')
  const target = await connectTarget(migration)
  // A stop ends the replay; files that are whole are still carried away, but not for ever.
  const uploading = new AbortController()
  const giveUp = (): void => void (uploadTimer = setTimeout(() => uploading.abort(), uploadMs))
  let uploadTimer: NodeJS.Timeout | undefined
  signal.addEventListener('abort', giveUp, { once: true })
  let logs: readonly NamedLog[] = []
  let locks: readonly FolderLock[] = []
  try {
    if (options.writes && options.indexPrefix === undefined)
      locks = keepOthersOut(loaded.stateFolder)
    const writes = await writeGuard(migration, target, state)
    logs = await logsOf(migration, from, onWarning)
    const words = await wordsOf(migration)
    return await runShadow({
      ...{ version, target, state, logs, options, window, again, signal, onRunning },
      migration: config.name,
      log: from ?? 'captured',
      follow: from === undefined && !toEnd,
      holdsLog: from === undefined,
      redact: config.capture.redact,
      translate: words && translateBy(words),
      answers: answersOf(words, options.indexPrefix),
      guard: writes?.guard,
      checkWrites: writes && (() => writes.check()),
      isTargetTyped: target.version.major < 2,
      tuples: tuplePlace(options, loaded.stateFolder, uploading.signal),
      cannotSee: cannotSee(options, words !== undefined),
    })
  } finally {
    await allOf(logs.map(({ reader }) => reader.close()))
    await target.close()
    signal.removeEventListener('abort', giveUp)
    clearTimeout(uploadTimer)
    for (const lock of locks) lock.release()
  }
}

function checkOptions({ writes, indexPrefix, scratchTarget }: ShadowOptions): void {
  if (!writes || indexPrefix !== undefined || scratchTarget) return
  throw new MigrationError(
    'MA_CONFIG',
    'shadow.writes: writes are replayed only onto indices of their own (shadow.indexPrefix, e.g. shadow-), or onto a target that holds nothing that matters (shadow.scratchTarget: true)',
  )
}

/** While writes go to a scratch target under their own names, nothing of this migration can begin there. */
function keepOthersOut(stateFolder: string): FolderLock[] {
  const first = takeWriterLock(stateFolder, 'write')
  try {
    return [first, takeWriterLock(stateFolder, 'sync')]
  } catch (error) {
    first.release()
    throw error
  }
}

async function writeGuard(
  migration: Migration,
  target: Cluster,
  state: StateStore,
): Promise<WriteGuard | undefined> {
  const { config, signal } = migration
  const { writes, indexPrefix: prefix } = config.shadow
  if (!writes && prefix === undefined) return undefined
  if (writes && prefix === undefined) await refuseSource(migration, target)
  return WriteGuard.open({ target, state, prefix, signal, typed: target.version.major < 2 })
}

/** A scratch target that is the source would be the end of it. */
async function refuseSource(migration: Migration, target: Cluster): Promise<void> {
  if (migration.config.source === undefined) return
  const source = await migration.source()
  const [one, other] = await Promise.all([clusterUuid(source), clusterUuid(target)])
  if (one !== other) return
  throw new MigrationError(
    'MA_CONFIG',
    `the target ${target.url} is the source itself: no write is replayed onto it`,
  )
}

async function clusterUuid(cluster: Cluster): Promise<string> {
  const { body } = await cluster.request('GET', '/_cluster/state/version')
  return typeof body['cluster_uuid'] === 'string' ? body['cluster_uuid'] : cluster.url
}

async function connectTarget({ config, signal }: Migration): Promise<Cluster> {
  const options = clusterOptions(required(config.target, 'target.url'))
  const { connections } = config.shadow
  const target = await connectCluster('target', { ...options, socketsMax: connections }, signal)
  try {
    requireTarget(target)
    return target
  } catch (error) {
    await target.close()
    throw error
  }
}

async function logsOf(
  { loaded }: Migration,
  from: string | undefined,
  onWarning: (message: string) => void,
): Promise<readonly NamedLog[]> {
  if (from !== undefined) {
    const { reader, place } = await findLog({ path: from, loadConfig: async () => loaded })
    return [{ name: place, reader }]
  }
  const logs = await syncLogs(loaded, onWarning)
  if (logs.length > 0) return logs
  throw new MigrationError(
    'MA_CONFIG',
    'there is no capture log (capture.mode none): name an export with --from, or record searches with capture.reads',
  )
}

/** Request rules and the user's steps need to know what the source is. */
async function wordsOf(migration: Migration): Promise<RequestWords | undefined> {
  return migration.config.source === undefined ? undefined : requestWords(migration)
}

function translateBy({ translate }: RequestWords): Translate {
  return async (request) => {
    try {
      const { request: said, fired } = await translate(request)
      const isSame = fired.length === 0 && isEqual(said, request)
      return { request: isSame ? request : said, rules: fired.map(({ rule }) => rule) }
    } catch (error) {
      if (error instanceof MigrationError && error.code === 'MA_TRANSFORM') return undefined
      throw error
    }
  }
}

function isEqual(one: PlainRequest, other: PlainRequest): boolean {
  return one.method === other.method && one.path === other.path && one.body === other.body
}

/** An answer in the words of the source. */
function answersOf(words: RequestWords | undefined, prefix: string | undefined): AnswerWords {
  const own = (name: string): string =>
    prefix !== undefined && name.startsWith(prefix) ? name.slice(prefix.length) : name
  return {
    sourceIndexOf: (name) => words?.sourceIndexOf(own(name)) ?? own(name),
    ...(words && { answerBack: words.answerBack }),
  }
}

function tuplePlace({ tuples }: ShadowOptions, stateFolder: string, signal: AbortSignal) {
  const folder = join(stateFolder, 'tuples')
  if (tuples.to === 'off') return undefined
  if (tuples.to === undefined) return { folder, place: folder }
  if (tuples.to.startsWith('s3://')) {
    const upload = s3Upload(tuples.to, withoutUndefined(tuples.s3 ?? {}))
    const take: TakeFile = (path, name) => upload(path, name, signal)
    return { folder, place: tuples.to, take }
  }
  return { folder: tuples.to, place: tuples.to }
}

function cannotSee({ writes }: ShadowOptions, isTranslated: boolean): string[] {
  return [
    'requests that are not in the sample (capture.reads), and those whose body or answer was longer than capture.readBytesMax',
    'the source is not asked again: what changed there since a request was recorded counts as a difference',
    ...(isTranslated ? [] : ['no source is configured: requests went in the words of the source']),
    ...(writes ? ['of answers to writes only the status is compared'] : []),
  ]
}

/** The replay as any process sees it; `interrupted`: the process that ran it is gone. */
export async function readConfiguredShadow(migration: Migration): Promise<{
  readonly state: 'none' | 'interrupted' | ShadowRun['state']
  readonly run?: ShadowRun
}> {
  const state = await migration.state('read')
  const run = (await state.get(shadowRunKind, 'run'))?.value
  if (run === undefined) return { state: 'none' }
  const isGone = run.state === 'running' && shadowProcess(migration) === undefined
  return { state: isGone ? 'interrupted' : run.state, run }
}

/** The process that replays now. */
export function shadowProcess({ loaded }: Migration): LockHolder | undefined {
  return currentWriter(loaded.stateFolder, 'shadow')
}

/** Asks the replay at work to stop; false when none is. */
export async function stopShadow(migration: Migration): Promise<boolean> {
  if (shadowProcess(migration) === undefined) return false
  const state = await migration.state('note')
  const value = { at: new Date().toISOString(), pid: process.pid }
  await state.commit([{ op: 'put', kind: shadowRequestKind, key: 'stop', value }])
  return true
}
