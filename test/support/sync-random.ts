/** Random clients write to a source while a live migration follows it and is hurt; in the end both sides must be equal. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { allOf } from '../../src/base/all-of.ts'
import { mergeRequests } from './captured.ts'
import { readCaptureLog } from './capture.ts'
import { uniqueName } from './engines.ts'
import { startFaultyTarget } from './faulty-target.ts'
import { RandomClient, seeded } from './random-client.ts'
import { removeIndices } from './random-client-world.ts'
import { differencesOf, type Difference } from './sync-compare.ts'
import { LiveMigration, pause, stoppedOf } from './sync-live.ts'
import {
  hurt,
  type Fault,
  type Hurtable,
  type RestartableEngine,
  type Restartable,
} from './sync-random-faults.ts'

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
  /** Of the capture log. */
  readonly broker?: RestartableEngine
  /** A small file system that holds the capture log. */
  readonly disk?: string
  readonly perSecond?: number
  /** Pause between faults, at most. */
  readonly pauseMs?: number
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
  const clock = new Clock()
  await client.run(operations * 0.2)
  clock.lap('first writes')
  await Promise.all([client.run(operations * 0.3), live.takeSnapshot()])
  clock.lap('snapshot')
  relay.share = targetFaults
  await live.startSync()
  const filling = live.backfill()
  for (const [i, fault] of faults.entries()) {
    const until = operations * (0.3 + (0.7 * (i + 1)) / faults.length)
    await allOf([client.run(until), hurtSoon(t, fault, { ...input, live, random })])
  }
  clock.lap('writes with faults')
  await filling
  clock.lap('rest of the backfill')
  t.diagnostic(client.report())
  await live.keepSyncUp()
  const view = await live.drain(drainFor)
  const { totals, audit } = view.status!
  clock.lap('drain')
  assert.equal(audit?.verdict, 'caught-up')
  const exactVersions = (index: string): boolean => index === `${prefix}external`
  const differences = await differencesOf(source, target, prefix, { exactVersions })
  clock.lap('comparison')
  t.diagnostic(`${clock.told()}; ${relay.faults} faults of the target; ${JSON.stringify(totals)}`)
  assert.equal(
    differences.length,
    0,
    differences.length > 0 ? await told(live, seed, differences) : '',
  )
  assert.deepEqual(stoppedOf(view), [])
  const { deadLetters } = view.status!
  assert.equal(deadLetters, 0, deadLetters > 0 ? await live.deadLetters() : '')
}

/** How long each part of a run took. */
class Clock {
  readonly #laps: string[] = []
  #began = performance.now()

  lap(what: string): void {
    const now = performance.now()
    this.#laps.push(`${what} ${((now - this.#began) / 1000).toFixed(1)} s`)
    this.#began = now
  }

  told(): string {
    return this.#laps.join(', ')
  }
}

async function hurtSoon(
  t: TestContext,
  fault: Fault,
  what: Hurtable & { random: () => number; pauseMs?: number },
): Promise<void> {
  await pause(what.random, 50, what.pauseMs ?? 1500)
  t.diagnostic(fault)
  await hurt(fault, what, what.random)
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
  const letters = await live.deadLetters()
  const about = `seed ${seed}: ${differences.length} differences; state: ${live.folder}`
  return [about, ...lines, letters, live.said()].join('\n')
}

/** Of a bulk or its answer what is about the document. */
function partOf(text: string, id: string): string {
  const at = text.indexOf(`"${id}"`)
  return at === -1 ? text : text.slice(Math.max(0, at - 60), at + 240)
}
