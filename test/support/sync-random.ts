/** Random clients write to a source while a live migration follows it and is hurt; in the end both sides must be equal. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { allOf } from '../../src/base/all-of.ts'
import { startEngine, type Engine, type EngineKind } from '../../src/engines/engine.ts'
import { mergeRequests } from './captured.ts'
import { readCaptureLog } from './capture.ts'
import { uniqueName, type TestEngine } from './engines.ts'
import { startFaultyTarget } from './faulty-target.ts'
import { RandomClient, seeded } from './random-client.ts'
import { removeIndices } from './random-client-world.ts'
import { differencesOf, type Difference } from './sync-compare.ts'
import { LiveMigration, pause, stoppedOf } from './sync-live.ts'

export type Fault = 'kill-proxy' | 'kill-sync' | 'restart-source' | 'restart-target'

/** An engine that is restarted where it is the file's own. */
export interface Restartable {
  readonly engine: TestEngine
  restart(): Promise<void>
}

/** An engine that others use, too. */
export function shared(engine: TestEngine): Restartable {
  const restart = async (): Promise<void> => {
    throw new Error('a shared engine is restarted by nobody')
  }
  return { engine, restart }
}

export interface RandomSyncInput {
  readonly source: Restartable
  readonly target: Restartable
  readonly seed: number
  readonly operations: number
  /** Share of the writes that goes past the proxy. */
  readonly bypass?: number
  readonly faults: readonly Fault[]
  /** Share of the target's answers that are refusals or broken off. */
  readonly targetFaults?: number
  /** How long all may take to be proven equal after the last write, as for --for. */
  readonly drainFor?: string
  readonly capture?: object
  readonly perSecond?: number
  /** Pause between faults, at most. */
  readonly pauseMs?: number
}

/** An engine of the file's own, which comes back at its address with its data. */
export class RestartableEngine implements Restartable {
  readonly engine: TestEngine
  readonly #heapMb: number
  #stop: () => Promise<void>

  private constructor(engine: Engine, heapMb: number) {
    const makeRepository = (): { name: string; location: string } => {
      const location = mkdtempSync(path.join(engine.repositoryDir, 'repository-'))
      chmodSync(location, 0o777) // as root the engine is another user
      return { name: path.basename(location), location }
    }
    this.engine = { ...engine, skip: false, makeRepository, stop: () => this.#stop() }
    this.#heapMb = heapMb
    this.#stop = () => engine.stop()
  }

  /** Call remove() when the file's tests are over. */
  static async start(kind: EngineKind, version: string, heapMb = 512): Promise<RestartableEngine> {
    const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-sync-random-'))
    return new RestartableEngine(await startEngine({ kind, version, dir, heapMb }), heapMb)
  }

  async restart(): Promise<void> {
    const { kind, version, dir, port } = this.engine
    await this.#stop()
    const heapMb = this.#heapMb
    const again = await startEngine({ kind, version, dir, port, heapMb, readyTimeoutMs: 180_000 })
    this.#stop = () => again.stop()
  }

  /** With its folder. */
  async remove(): Promise<void> {
    await this.#stop()
    rmSync(this.engine.dir, { recursive: true, force: true })
  }
}

export async function syncRandomly(t: TestContext, input: RandomSyncInput): Promise<void> {
  const { seed, operations, bypass = 0, faults, targetFaults = 0.05, drainFor = '5m' } = input
  const { source, target } = { source: input.source.engine, target: input.target.engine }
  const prefix = `${uniqueName(`r${seed}`)}-`
  const random = seeded(seed ^ 0x5f5f)
  const relay = await startFaultyTarget(() => target.port, random)
  t.after(() => relay.close())
  const live = new LiveMigration({
    source,
    targetUrl: relay.url,
    prefix,
    ...(input.capture && { capture: input.capture }),
  })
  await live.startProxy()
  t.after(() => live.proxy.kill())
  const client = await RandomClient.prepare(
    {
      engine: source,
      prefix,
      seed,
      operations,
      bypass,
      ...(input.perSecond && { perSecond: input.perSecond }),
    },
    () => live.proxy.url,
  )
  t.after(async () => {
    client.stop()
    await live.endSync('SIGKILL')
    await removeIndices(source, prefix)
    await removeIndices(target, prefix)
  })
  await client.run(operations * 0.2)
  await Promise.all([client.run(operations * 0.3), live.takeSnapshot()])
  relay.share = targetFaults
  await live.startSync()
  const filling = live.backfill()
  for (const [i, fault] of faults.entries()) {
    const until = operations * (0.3 + (0.7 * (i + 1)) / faults.length)
    await allOf([client.run(until), hurtSoon(t, fault, { live, input, random })])
  }
  await filling
  t.diagnostic(client.report())
  await live.keepSyncUp()
  const began = Date.now()
  const view = await live.drain(drainFor)
  const { totals, audit } = view.status!
  t.diagnostic(
    `drained in ${Date.now() - began} ms; ${relay.faults} faults of the target; ${JSON.stringify(totals)}`,
  )
  assert.equal(audit?.verdict, 'caught-up')
  const exactVersions = (index: string): boolean => index === `${prefix}external`
  const differences = await differencesOf(source, target, prefix, { exactVersions })
  assert.equal(
    differences.length,
    0,
    differences.length > 0 ? await told(live, seed, differences) : '',
  )
  assert.deepEqual(stoppedOf(view), [])
}

async function hurtSoon(
  t: TestContext,
  fault: Fault,
  { live, input, random }: { live: LiveMigration; input: RandomSyncInput; random: () => number },
): Promise<void> {
  await pause(random, 50, input.pauseMs ?? 1500)
  t.diagnostic(fault)
  await hurt(fault, live, input)
}

async function hurt(fault: Fault, live: LiveMigration, input: RandomSyncInput): Promise<void> {
  switch (fault) {
    case 'kill-proxy':
      return live.killProxy()
    case 'kill-sync':
      return live.killSync()
    case 'restart-source':
      await input.source.restart()
      return live.keepSyncUp()
    case 'restart-target':
      await input.target.restart()
      return live.keepSyncUp()
  }
}

const shown = 15

/** The differences, and what the log says of the first of these documents. */
async function told(
  live: LiveMigration,
  seed: number,
  differences: readonly Difference[],
): Promise<string> {
  const exchanges = mergeRequests(await readCaptureLog(live.folder))
  const lines = differences.slice(0, shown).flatMap(({ index, id, what }, i) => {
    const line = `${index}/${id}: ${what}`
    if (i >= 5 || id === '') return [line]
    const said = exchanges.flatMap(({ request, response }) => {
      const text = Buffer.from(request.body).toString()
      const answer = response === undefined ? '' : Buffer.from(response.body).toString()
      const isNamed =
        request.target.includes(`/${id}`) || [text, answer].some((one) => one.includes(`"${id}"`))
      if (!isNamed || !(request.target + text + answer).includes(index)) return []
      const part = partOf(answer, id)
      return [
        `      ${request.method} ${request.target} ${partOf(text, id).slice(0, 160)} → ${response?.status ?? 'no answer'} ${part.slice(0, 260)}`,
      ]
    })
    return [line, ...said.slice(-12)]
  })
  return [`seed ${seed}: ${differences.length} differences`, ...lines, live.said()].join('\n')
}

/** Of a bulk or its answer what is about the document. */
function partOf(text: string, id: string): string {
  const at = text.indexOf(`"${id}"`)
  return at === -1 ? text : text.slice(Math.max(0, at - 60), at + 240)
}
