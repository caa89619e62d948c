import { assess, type AssessedSource, type AssessInput } from '../assess/assess.ts'
import type { Assessment } from '../assess/assessment.ts'
import { benchRate, statedRate } from '../assess/estimate.ts'
import { shardLook } from '../document/source-sample.ts'
import { targetOfVersion } from './metadata.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { required } from './required.ts'

export interface AssessWanted {
  /** As given with --target-version. */
  readonly targetVersion?: string
  /** Bytes of `_source` a second that the target takes, where somebody has measured it. */
  readonly rateBytesPerSecond?: number
  /** How long the writes to a live source are watched. */
  readonly measureMs: number
  readonly onProgress?: (indicesRead: number) => void
}

/** The newest target that is proven: what is assumed where nobody names one. */
const newestTarget = '3.6.0'

/**
 * Assesses the configured source: the live cluster where one is configured, since it tells more, else the snapshot; or
 * as metadata.from says. Changes nothing.
 */
export async function assessSource(
  migration: Migration,
  wanted: AssessWanted,
): Promise<Assessment> {
  const { config, signal } = migration
  const { targetVersion, rateBytesPerSecond, measureMs, onProgress } = wanted
  const target = await targetOf(migration, targetVersion)
  return assess({
    source: await assessedSource(migration),
    ...target,
    select: selectionOf(config),
    options: config.metadata,
    allowPartialSource: config.snapshot.allowPartialSource,
    rate: rateBytesPerSecond === undefined ? benchRate : statedRate(rateBytesPerSecond),
    measureMs,
    now: new Date(),
    ...(onProgress && { onProgress }),
    signal,
  })
}

async function assessedSource(migration: Migration): Promise<AssessedSource> {
  const { source, snapshot, metadata } = migration.config
  const from = metadata.from ?? (source === undefined ? 'snapshot' : 'source')
  if (from === 'source') return { kind: 'cluster', cluster: await migration.source() }
  const repository = required(snapshot.repository, 'snapshot.repository')
  return { kind: 'snapshot', snapshot: await migration.snapshot(), repository, look: shardLook }
}

async function targetOf(
  migration: Migration,
  version: string | undefined,
): Promise<Pick<AssessInput, 'target' | 'targetBasis'>> {
  if (version !== undefined) return { target: targetOfVersion(version), targetBasis: 'asked for' }
  if (migration.config.target === undefined) {
    return { target: targetOfVersion(newestTarget), targetBasis: 'newest known' }
  }
  return { target: await migration.target(), targetBasis: 'connected' }
}
