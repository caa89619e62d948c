import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { ErrorCode, MigrationError } from '../../src/base/errors.ts'
import { randomSource } from '../support/random-json.ts'
import { meter } from './meter.ts'
import { mutate, pick } from './mutations.ts'
import type { Sample, Target } from './target.ts'

/** Whatever the input, this much is in order. */
const workBase = 300_000
const bytesBase = 6 * 1024 * 1024
const workPerByteDefault = 200
const bytesPerByteDefault = 64
/** Hostile bytes must not fill the terminal. */
const messageLengthMax = 4000
/** How often, of ten, a guarded input keeps its wrong checksum. */
const unrepairedOfTen = 1

/** What hostile bytes may come to, beside right documents. */
const typedCodes: readonly ErrorCode[] = [
  'MA_CORRUPT_DATA',
  'MA_FORMAT_TOO_OLD',
  'MA_FORMAT_TOO_NEW',
  'MA_UNSUPPORTED',
  'MA_BLOB_MISSING',
  'MA_REPOSITORY',
  'MA_SNAPSHOT',
  'MA_CAPTURE_LOG',
]

export interface Finding {
  readonly target: string
  readonly sample: string
  readonly seed: number
  readonly run: number
  readonly what: string
  /** Where the bytes were written to. */
  readonly file: string
}

export interface Tally {
  readonly target: string
  readonly samples: number
  runs: number
  right: number
  readonly errors: Map<string, number>
  /** The most that any run took, as a share of what it was allowed. */
  workShare: number
  bytesShare: number
}

export interface Limits {
  readonly seed: number
  /** The first run, and the one before which it ends. */
  readonly fromRun?: number
  readonly toRun?: number
  readonly timeMaxMs: number
  /** More are not looked for. */
  readonly findingsMax?: number
}

interface Prepared {
  readonly target: Target
  readonly samples: readonly Sample[]
  /** What each sample gives untouched. */
  readonly good: readonly unknown[]
}

/** Reads the samples of a target and decodes each of them untouched: they must be right. */
export async function prepare(target: Target): Promise<Prepared> {
  const samples = await target.samples()
  assert.ok(samples.length > 0, `${target.name} has no samples`)
  const good: unknown[] = []
  for (const sample of samples) {
    good.push(sample.wild === true ? undefined : await sample.decode(sample.bytes))
  }
  return { target, samples, good }
}

/** Runs one target. Each run depends on seed, target and its own number alone. */
export async function fuzz(
  { target, samples, good }: Prepared,
  { seed, fromRun = 0, toRun = Infinity, timeMaxMs, findingsMax = 5 }: Limits,
): Promise<{ tally: Tally; findings: Finding[] }> {
  const { name } = target
  const tally: Tally = {
    target: name,
    samples: samples.length,
    runs: 0,
    right: 0,
    errors: new Map(),
    workShare: 0,
    bytesShare: 0,
  }
  const findings: Finding[] = []
  const end = Date.now() + timeMaxMs
  for (let run = fromRun; run < toRun && findings.length < findingsMax; run++) {
    if (run > fromRun && Date.now() >= end) break
    const random = randomSource(seedOf(`${seed} ${name} ${run}`))
    const index = pick(random, samples.length)
    const sample = samples[index]!
    const unrepaired = sample.guarded === true && pick(random, 10) < unrepairedOfTen
    const bytes = unrepaired ? mutate(random, sample.bytes) : sample.vary(random)
    const expected = unrepaired ? { value: good[index] } : undefined
    const what = await judge({ target, sample, bytes, expected }, tally)
    if (what === undefined) continue
    const file = keep(`${name}-${seed}-${run}.bin`, bytes)
    findings.push({ target: name, sample: sample.name, seed, run, what, file })
  }
  return { tally, findings }
}

/** What is wrong; undefined: nothing. */
async function judge(
  input: {
    target: Target
    sample: Sample
    bytes: Uint8Array
    expected?: { value: unknown } | undefined
  },
  tally: Tally,
): Promise<string | undefined> {
  const { target, sample, bytes, expected } = input
  const { workPerByte = workPerByteDefault } = target
  const bytesPerByte = sample.bytesPerByte ?? target.bytesPerByte ?? bytesPerByteDefault
  const length = Math.max(bytes.length, sample.inputBytes ?? 0)
  const workMax = workBase + workPerByte * length
  const bytesMax = bytesBase + bytesPerByte * length
  tally.runs++
  let outcome: { value: unknown } | { error: unknown }
  meter.begin({ workMax, bytesMax })
  try {
    outcome = { value: await sample.decode(bytes) }
  } catch (error) {
    outcome = { error }
  } finally {
    meter.end()
  }
  tally.workShare = Math.max(tally.workShare, meter.work / workMax)
  tally.bytesShare = Math.max(tally.bytesShare, meter.bytes / bytesMax)
  if (meter.exceeded !== undefined) {
    return `${meter.exceeded}, for an input of ${length} bytes\n${stackOf(outcome)}`
  }
  if ('value' in outcome) {
    tally.right++
    if (expected === undefined || isDeepStrictEqual(outcome.value, expected.value)) return undefined
    return 'other documents though the checksum is wrong'
  }
  const { code, message } = outcome.error as MigrationError
  if (!typedCodes.includes(code)) return `no typed error: ${inspect(outcome.error)}`
  if (message.length > messageLengthMax) return `a message of ${message.length} characters`
  tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1)
  return undefined
}

function stackOf(outcome: { value: unknown } | { error: unknown }): string {
  return 'error' in outcome ? inspect(outcome.error) : ''
}

/** FNV-1a. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

function keep(name: string, bytes: Uint8Array): string {
  const folder = join(tmpdir(), 'osmigrate-fuzz')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return file
}

/** How a finding is told to a person. */
export function describe({ target, sample, seed, run, what, file }: Finding): string {
  return [
    `${target}, sample ${sample}: ${what}`,
    `  bytes: ${file}`,
    `  again: npm run fuzz -- --target ${target} --seed ${seed} --run ${run}`,
  ].join('\n')
}
