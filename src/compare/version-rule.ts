import { isSince } from '../cluster/version.ts'
import type { EngineVersion } from '../cluster/cluster.ts'
import type { TargetIndex } from '../state/records.ts'

/**
 * By what a document of the source tells the version that it has on the target (design §3): its sequence number, its own
 * `_version`, or nothing, where the target has no versions of ours.
 */
export interface VersionRule {
  readonly from: 'seqNo' | 'version' | 'none'
  /** Clients gave the versions: they are the same on both sides. */
  readonly byClients: boolean
  readonly epochBase: number
}

export function versionRule(
  target: Partial<Pick<TargetIndex, 'epochBase' | 'clientVersions' | 'stream'>>,
  { numbered }: { numbered: boolean },
): VersionRule {
  const byClients = target.clientVersions === true
  const common = { byClients, epochBase: target.epochBase ?? 0 }
  if (target.stream !== undefined) return { ...common, from: 'none' }
  return { ...common, from: numbered && !byClients ? 'seqNo' : 'version' }
}

/** The version that a document with this number is to have on the target; -1: the source tells none. */
export function versionOf({ from, byClients, epochBase }: VersionRule, told: number): number {
  if (from === 'none') return -1
  if (from === 'seqNo') return told < 0 ? epochBase : epochBase + told + 1
  return byClients ? told : epochBase + Math.max(0, told)
}

/** Whether an engine numbers its operations. */
export function isNumbered({ flavour, major }: EngineVersion): boolean {
  return flavour === 'opensearch' || major >= 6
}

/** What a search is asked for so that its hits tell this, and nothing else. */
export function askedForVersion(
  from: VersionRule['from'],
  version: EngineVersion,
): { [key: string]: string | boolean | (string | { field: string; format: string })[] } {
  if (from === 'none') return { _source: false }
  if (from === 'version') return { _source: false, version: true }
  if (isSince(version, [6, 7])) return { _source: false, seq_no_primary_term: true }
  const field = isSince(version, [6, 4])
    ? { field: '_seq_no', format: 'use_field_mapping' }
    : '_seq_no'
  return { _source: false, docvalue_fields: [field] }
}
