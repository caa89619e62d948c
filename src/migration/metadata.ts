import { readFile } from 'node:fs/promises'
import { MigrationError } from '../base/errors.ts'
import { isTargetVersion, parseVersion } from '../cluster/version.ts'
import { shardLook } from '../document/source-sample.ts'
import { applyMetadata, type ApplyInput, type MetadataResult } from '../metadata/apply.ts'
import { compareMetadata, type MetadataComparison } from '../metadata/compare-metadata.ts'
import { evaluateMetadata } from '../metadata/evaluate.ts'
import {
  fromCluster,
  fromSnapshot,
  type PlannedFrom,
  type PlanTarget,
} from '../metadata/evaluate-input.ts'
import { probePlan, type ProbeInput } from '../metadata/probe.ts'
import { drawMetadataVerdict, keepMetadataVerdict } from '../metadata/metadata-verdict.ts'
import type { LongLook } from '../metadata/source-documents.ts'
import { rememberEdits } from '../metadata/plan-edits.ts'
import { parsePlanFile, type PlanFile } from '../metadata/plan-file.ts'
import type { MetadataPlan } from '../metadata/plan.ts'
import { openEntries } from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import type { Migration } from './migration.ts'
import { required } from './required.ts'
import { selectionOf } from './open-snapshot.ts'

/** `onShard` says how far reading all documents of an index has got, which planning does for some with several types. */
interface Evaluating {
  readonly planFile?: PlanFile | undefined
  readonly onShard?: LongLook['onShard'] | undefined
}

export interface PlanMetadataOptions extends Evaluating {
  /** Planned for an OpenSearch of this version, without any target to ask. */
  readonly targetVersion?: string
  /** Each index is tried on the target under a temporary name: the state is needed, for the ledger. */
  readonly probe?: boolean
  readonly onProbed?: ProbeInput['onProbed']
}

/** What carrying the metadata over would do; changes nothing that lasts. */
export async function planMetadata(
  migration: Migration,
  { targetVersion, probe = false, onProbed, ...how }: PlanMetadataOptions = {},
): Promise<MetadataPlan> {
  if (targetVersion !== undefined) {
    if (probe)
      throw new MigrationError('MA_CONFIG', 'a probe needs a target: --target-version names none')
    return evaluate(migration, targetOfVersion(targetVersion), await readState(migration), how)
  }
  const state = probe ? await migration.state('write') : await readState(migration)
  const target = await migration.target()
  const plan = await evaluate(migration, target, state, how)
  if (!probe || state === undefined) return plan
  const { signal } = migration
  return probePlan(plan, { target, state, signal, ...(onProbed && { onProbed }) })
}

async function readState(migration: Migration): Promise<StateStore | undefined> {
  return migration.hasState ? migration.state('read') : undefined
}

/** A plan that a person may have edited; throws MA_CONFIG where it cannot be used. */
export async function readPlanFile(path: string): Promise<PlanFile> {
  try {
    return parsePlanFile(await readFile(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof MigrationError) throw error
    throw new MigrationError('MA_CONFIG', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

export interface MigrateMetadataOptions
  extends Pick<ApplyInput, 'onApplied' | 'keepGoing'>, Evaluating {}

/** Plans anew, so that what is applied is what the target looks like now, and applies it. */
export async function migrateMetadata(
  migration: Migration,
  { planFile, onShard, ...apply }: MigrateMetadataOptions = {},
): Promise<{ plan: MetadataPlan; result: MetadataResult }> {
  const state = await migration.state('write')
  const target = await migration.target()
  const plan = await evaluate(migration, target, state, { planFile, onShard })
  // Sync plans the same objects again, whenever the source changes them.
  if (planFile)
    await rememberEdits(state, await evaluate(migration, target, state, { onShard }), planFile)
  const { signal } = migration
  return { plan, result: await applyMetadata(plan, { ...apply, target, state, signal }) }
}

/** Compares the metadata of the source, as it becomes on the target, with what the target has. */
export async function compareConfiguredMetadata(
  migration: Migration,
  how: Evaluating = {},
): Promise<MetadataComparison> {
  const startedAt = new Date().toISOString()
  const state = migration.hasState ? await migration.state('note') : undefined
  const target = await migration.target()
  const { signal } = migration
  const plan = await evaluate(migration, target, state, how)
  const changedMeanwhile = state ? (await openEntries(state)).map(({ value }) => value) : []
  const select = selectionOf(migration.config)
  const comparison = await compareMetadata(plan, { target, changedMeanwhile, select, signal })
  const about = { startedAt, endedAt: new Date().toISOString(), select }
  if (state) await keepMetadataVerdict(state, drawMetadataVerdict(comparison, about))
  return comparison
}

async function evaluate(
  migration: Migration,
  target: PlanTarget,
  state: StateStore | undefined,
  { planFile, onShard }: Evaluating,
): Promise<MetadataPlan> {
  const { config, signal } = migration
  const transform = await migration.transform()
  return evaluateMetadata({
    ...(transform && { transform }),
    ...(await plannedFrom(migration, onShard)),
    target,
    select: selectionOf(config),
    options: config.metadata,
    allowPartialSource: config.snapshot.allowPartialSource,
    ...(state && { state }),
    ...(planFile && { planFile }),
    signal,
  })
}

/** The snapshot where a repository is configured, else the live source; or as metadata.from says. */
async function plannedFrom(
  migration: Migration,
  onShard: LongLook['onShard'],
): Promise<PlannedFrom> {
  const { repository } = migration.config.snapshot
  const { from = repository === undefined && migration.config.source ? 'source' : 'snapshot' } =
    migration.config.metadata
  if (from === 'source') return fromCluster(await migration.source(), migration.signal)
  const location = required(repository, 'snapshot.repository')
  const long = { signal: migration.signal, ...(onShard && { onShard }) }
  return fromSnapshot(location, await migration.snapshot(), shardLook, long)
}

/** The version of --target-version in the place of a target; throws MA_CONFIG for what is none. */
export function targetOfVersion(text: string): PlanTarget {
  const version = parseVersion('opensearch', text)
  if (version === undefined || !isTargetVersion(version)) {
    throw new MigrationError(
      'MA_CONFIG',
      `--target-version ${text}: expected a version of OpenSearch 1, 2 or 3, as 2.19 or 3.1.0`,
    )
  }
  return { version }
}
