/** A live migration as a person runs it: a proxy, a snapshot, metadata, the backfill and sync, each a process of its own. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { SyncView } from '../../src/sync/status.ts'
import { startCapture, testCapture, type RunningProxy } from './capture.ts'
import { cliFolder, startOsmigrate, type CliEnded, type CliProcess } from './cli.ts'
import { send, type TestEngine } from './engines.ts'

export interface LiveInput {
  readonly source: TestEngine
  readonly targetUrl: string
  /** Of the indices that take part. */
  readonly prefix: string
  /** Of the sections of migration.yaml, laid over what suits a test. */
  readonly capture?: object
  readonly sync?: object
  readonly metadata?: object
}

/** Refused items and templates of others are named, and are not what is tested here. */
const doneOrNamed = [0, 3]
/** Commands that meet a target that refuses are called again, as a person does. */
const attempts = 40
const againMs = 1000

/** The cluster could not be reached, or did not serve; or an index went away as the snapshot began. */
function isCutOff({ stderr }: CliEnded): boolean {
  return /MA_CLUSTER|no such index.*\[MA_SNAPSHOT\]/.test(stderr)
}

export class LiveMigration {
  readonly folder = cliFolder()
  proxy!: RunningProxy
  #sync: CliProcess | undefined
  /** All that ended syncs wrote, newest last. */
  readonly #said: string[] = []

  readonly #source: TestEngine
  readonly #repository: { readonly path: string; readonly location: string }

  constructor({ source, targetUrl, prefix, capture, sync, metadata }: LiveInput) {
    const { location } = source.makeRepository()
    this.#source = source
    this.#repository = { path: `/_snapshot/${prefix}live`, location }
    const config = {
      version: 1,
      name: 'live',
      source: { url: source.url },
      target: { url: targetUrl },
      select: { include: [`${prefix}*`] },
      snapshot: { repository: location },
      metadata: { templates: false, pipelines: false, ...metadata },
      capture: { ...testCapture, ...capture },
      sync: { auditEvery: '2s', listen: 'off', drainTimeout: '10s', ...sync },
    }
    // JSON is YAML.
    writeFileSync(path.join(this.folder, 'migration.yaml'), JSON.stringify(config))
    after(() => this.#sync?.child.kill('SIGKILL'))
  }

  async startProxy(): Promise<void> {
    this.proxy = await startCapture(this.folder)
  }

  async killProxy(): Promise<void> {
    await this.proxy.kill()
    await this.startProxy()
  }

  /** Runs a command until it ends with one of these codes. */
  async run(codes: readonly number[], ...args: string[]): Promise<CliEnded> {
    for (let attempt = 1; ; attempt++) {
      const ended = await startOsmigrate({ folder: this.folder, timeoutMs: 600_000 }, ...args).ended
      if (codes.includes(ended.code ?? -1)) return ended
      const text = `${args.join(' ')}: ${ended.code ?? ended.signal}: ${ended.stdout}${ended.stderr}`
      assert.ok(attempt < attempts && isCutOff(ended), text)
      this.#said.push(text)
      await wait(againMs)
    }
  }

  /** Snapshot, and what it holds of indices on the target. */
  async takeSnapshot(): Promise<void> {
    // Under a name of its own: other tests on this engine have migrations of the same name.
    const { path: repository, location } = this.#repository
    await send(this.#source, 'PUT', repository, { type: 'fs', settings: { location } })
    after(() => send(this.#source, 'DELETE', repository).catch(() => undefined))
    await this.run(doneOrNamed, 'snapshot', 'create', '--force')
    await this.run(doneOrNamed, 'metadata', 'migrate', '--keep-going')
  }

  async backfill(): Promise<void> {
    await this.run(doneOrNamed, 'backfill', 'start')
  }

  /** Resolves when it follows. */
  async startSync(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const sync = startOsmigrate(
        { folder: this.folder, timeoutMs: 3_600_000 },
        'sync',
        'start',
        '--json',
      )
      const follows = new Promise<true>((resolve) =>
        sync.child.stdout!.once('data', () => resolve(true)),
      )
      const ended = await Promise.race([follows, sync.ended])
      if (ended === true) {
        this.#sync = sync
        return
      }
      const text = `sync start: ${ended.code ?? ended.signal}: ${ended.stdout}${ended.stderr}`
      assert.ok(attempt < attempts && isCutOff(ended), text)
      this.#said.push(text)
      await wait(againMs)
    }
  }

  /** kill -9, and a new one. */
  async killSync(): Promise<void> {
    await this.endSync('SIGKILL')
    await this.startSync()
  }

  /** What it said. */
  async endSync(signal: NodeJS.Signals): Promise<CliEnded | undefined> {
    const sync = this.#sync
    this.#sync = undefined
    sync?.child.kill(signal)
    const ended = await sync?.ended
    if (ended !== undefined) this.#said.push(`sync: ${ended.code ?? ended.signal}: ${ended.stderr}`)
    return ended
  }

  /** Starts it once more if it gave up, as a service manager does. */
  async keepSyncUp(): Promise<void> {
    if (this.#sync === undefined || this.#sync.child.exitCode === null) return
    await this.endSync('SIGKILL')
    await this.startSync()
  }

  /** Waits until all is proven to be on the target; gives what sync tells of itself then. */
  async drain(time: string): Promise<SyncView> {
    const ended = await startOsmigrate(
      { folder: this.folder, timeoutMs: 3_600_000 },
      ...['sync', 'drain', '--for', time, '--json'],
    ).ended
    assert.ok(
      ended.stdout.startsWith('{'),
      `sync drain: ${ended.code}: ${ended.stderr}\n${this.said()}`,
    )
    const view = JSON.parse(ended.stdout) as SyncView
    assert.ok(
      doneOrNamed.includes(ended.code!),
      `sync drain ended with ${ended.code}: ${JSON.stringify(shortened(view), null, 1)}\n${this.said()}`,
    )
    return view
  }

  async deadLetters(): Promise<string> {
    return (await this.run(doneOrNamed, 'deadletters', 'list', '--json')).stdout
  }

  /** The last lines of the commands that failed, for a report. */
  said(): string {
    return this.#said.map((text) => text.slice(-3000)).join('\n')
  }
}

function shortened({ state, status }: SyncView): object {
  if (status === undefined) return { state }
  const { lag, totals, waits, indices, gaps, deadLetters, audit } = status
  return { state, lag, totals, waits, indices, gaps, deadLetters, audit }
}

/** Indices to which nothing is written any more. */
export function stoppedOf({ status }: SyncView): object[] {
  return status?.indices.filter(({ state }) => state === 'stopped') ?? []
}

/** A pause between two faults. */
export async function pause(random: () => number, fromMs: number, toMs: number): Promise<void> {
  await wait(fromMs + random() * (toMs - fromMs))
}
