import { eachAtOnce } from '../base/each-at-once.ts'
import {
  compareDocuments,
  readBothNumbers,
  type CompareInput,
  type CompareProgress,
  type CompareSource,
} from '../compare/compare-documents.ts'
import { staleBy, type Stale } from '../compare/freshness.ts'
import { compareRunKind, type CompareRun } from '../state/compare-run.ts'
import { isFollowed, verdictKind, type TargetIndex, type Verdict } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { liveIndices, syncSettled } from './compare-live.ts'
import { repairDifferences, type RepairedIndex } from './compare-repair.ts'
import { eachLetter } from './dead-letters.ts'
import type { Migration } from './migration.ts'
import { selectedIndices } from './open-snapshot.ts'
import { backfillIndexKind } from '../backfill/records.ts'

export interface CompareDocumentsRun {
  /** Ids and versions alone. */
  readonly quick?: boolean
  /** What differs is written again, and compared again. */
  readonly repair?: boolean
  /** Nothing of a comparison that was killed is used. */
  readonly anew?: boolean
  readonly onProgress: (progress: CompareProgress) => void
  readonly onRepair?: (repaired: readonly RepairedIndex[]) => void
}

/** Rounds of writing again what differs: each takes as many documents of an index as are kept. */
const repairRoundsMax = 10

/**
 * Compares every document of the selected indices of the source with the target; verdicts are kept in the state. One that
 * was killed is gone on with, where it was made in the same way not longer ago than a verdict counts.
 */
export async function compareConfigured(
  migration: Migration,
  run: CompareDocumentsRun,
): Promise<Verdict[]> {
  const state = await migration.state('write')
  const from = await sourceKind(migration, state)
  const how = run.quick === true ? 'quick' : 'full'
  const before = run.anew === true ? undefined : (await state.get(compareRunKind, 'run'))?.value
  const isSame = before?.endedAt === null && before.how === how && before.from === from
  const { freshFor } = migration.config.compare
  const goesOn = isSame && Date.now() - Date.parse(before.startedAt) < freshFor
  const startedAt = goesOn ? before.startedAt : new Date().toISOString()
  const note = (endedAt: string | null): Promise<void> => {
    const value: CompareRun = { how, from, startedAt, endedAt }
    return state.commit([{ op: 'put', kind: compareRunKind, key: 'run', value }])
  }
  await note(null)
  const input = await inputOf(migration, state, { ...run, from })
  let verdicts = await compareRest(migration, input, goesOn ? startedAt : undefined)
  if (run.repair === true) verdicts = await repairAll(migration, input, verdicts, run)
  await note(new Date().toISOString())
  return verdicts
}

type Input = CompareInput & { readonly state: StateStore }

async function inputOf(
  migration: Migration,
  state: StateStore,
  { from, quick = false, onProgress }: CompareDocumentsRun & { from: 'live' | 'snapshot' },
): Promise<Input> {
  const { config, signal } = migration
  const names =
    from === 'live'
      ? await liveIndices(migration, state)
      : await selectedIndices(config, await migration.snapshot())
  const { indices, targets } = await partsOf(state, names)
  const transform = await migration.transform()
  return {
    ...(transform && { transform }),
    source: await sourceOf(migration, state, from),
    target: await migration.target(),
    ...{ state, indices, quick, signal, onProgress },
    targetIndexOf: (index) => targets.get(index),
    lettersOf: (index) => lettersOf(state, index),
    ...(from === 'live' && { settled: syncSettled(migration, state) }),
    options: config.compare,
  }
}

/** All indices, those aside that were compared since this time and have not been written to. */
async function compareRest(
  migration: Migration,
  input: Input,
  since: string | undefined,
): Promise<Verdict[]> {
  if (since === undefined) return compareDocuments(input)
  const known = new Map<string, Verdict>()
  for (const index of input.indices) {
    const verdict = (await input.state.get(verdictKind, index))?.value
    if (verdict === undefined || verdict.startedAt < since) continue
    if (verdict.how !== (input.quick === true ? 'quick' : 'full')) continue
    if ((await staleNow(migration, input, verdict)) === undefined) known.set(index, verdict)
  }
  const rest = input.indices.filter((index) => !known.has(index))
  const verdicts = await compareDocuments({
    ...{ ...input, indices: rest },
    resumeSince: new Date(since),
  })
  for (const verdict of verdicts) known.set(verdict.index, verdict)
  return input.indices.map((index) => known.get(index)!)
}

/** Why a verdict does not count any more, by what both sides tell now. */
export async function staleNow(
  { config }: Migration,
  input: Pick<CompareInput, 'source' | 'target' | 'targetIndexOf' | 'signal'>,
  verdict: Verdict,
): Promise<Stale | undefined> {
  const numbers = await readBothNumbers(input, verdict.index, input.targetIndexOf(verdict.index))
  return staleBy(verdict, { nowMs: Date.now(), freshForMs: config.compare.freshFor, numbers })
}

async function repairAll(
  migration: Migration,
  input: Input,
  first: readonly Verdict[],
  { onRepair }: CompareDocumentsRun,
): Promise<Verdict[]> {
  const verdicts = new Map(first.map((one) => [one.index, one]))
  let open = first.filter(differs)
  for (let round = 0; round < repairRoundsMax && open.length > 0; round++) {
    const repaired = await repairDifferences(migration, open)
    onRepair?.(repaired)
    const again = await compareDocuments({ ...input, indices: open.map(({ index }) => index) })
    for (const verdict of again) {
      const before = verdicts.get(verdict.index)!
      const documents = repaired.find(({ index }) => index === verdict.index)?.documents ?? 0
      const value: Verdict = { ...verdict, repaired: (before.repaired ?? 0) + documents }
      await input.state.commit([{ op: 'put', kind: verdictKind, key: value.index, value }])
      verdicts.set(value.index, value)
    }
    // What is as it was would be so again.
    open = again.filter((one) => differs(one) && countOf(one) < countOf(open.find(sameAs(one))!))
  }
  return first.map(({ index }) => verdicts.get(index)!)
}

function sameAs({ index }: Verdict): (other: Verdict) => boolean {
  return (other) => other.index === index
}

function differs(verdict: Verdict): boolean {
  return verdict.verdict === 'different' && countOf(verdict) > 0
}

function countOf({ different, missing, extra }: Verdict): number {
  return different + missing + extra
}

/** By compare.source. */
export async function sourceKind(
  { config }: Migration,
  state: StateStore,
): Promise<'live' | 'snapshot'> {
  const { source } = config.compare
  if (source !== 'auto') return source
  if (config.snapshot.repository === undefined) return 'live'
  return (await isFollowed(state)) ? 'live' : 'snapshot'
}

export async function sourceOf(
  migration: Migration,
  state: StateStore,
  from: 'live' | 'snapshot',
): Promise<CompareSource> {
  if (from === 'live') return { cluster: await migration.source() }
  const [planned] = await state.list(backfillIndexKind, { limit: 1 })
  return {
    snapshot: await migration.snapshot(),
    numbered: planned?.value.versionFrom !== 'version',
  }
}

/** The target indices of each, by their own names where there are several. */
export async function partsOf(
  state: StateStore,
  names: readonly string[],
): Promise<{ indices: string[]; targets: Map<string, TargetIndex> }> {
  const targets = new Map<string, TargetIndex>()
  const parts = await eachAtOnce(names, 1, async (index) => {
    const found = await targetPartsOf(state, index)
    for (const part of found) targets.set(part.index, part)
    return found.length === 0 ? [index] : found.map((part) => part.index)
  })
  return { indices: parts.flat(), targets }
}

async function* lettersOf(
  state: StateStore,
  index: string,
): ReturnType<NonNullable<CompareInput['lettersOf']>> {
  for await (const letter of eachLetter(state, { index, state: 'all' })) {
    if (letter.state !== 'retried') yield { id: letter.id, state: letter.state }
  }
}
