import type { SyncStatus } from './status.ts'

/** A figure of sync, made of its status. Names as those of the capture proxy: dots become underscores, the unit stands last. */
export interface SyncMetric {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  /** One sentence, with the unit. */
  readonly help: string
  /** undefined: not known now. */
  readonly value: (status: SyncStatus) => number | undefined
}

export const syncMetrics: readonly SyncMetric[] = [
  {
    name: 'osmigrate_sync_records_total',
    type: 'counter',
    help: 'Records of the capture log that were read.',
    value: ({ totals }) => totals.records,
  },
  {
    name: 'osmigrate_sync_changes_total',
    type: 'counter',
    help: 'Changes of documents that were taken, from the log and from the audit.',
    value: ({ totals }) => totals.changes,
  },
  {
    name: 'osmigrate_sync_written_total',
    type: 'counter',
    help: 'Items that the target has taken, deletes among them.',
    value: ({ totals }) => totals.written,
  },
  {
    name: 'osmigrate_sync_older_total',
    type: 'counter',
    help: 'Changes for which something newer was on the target already.',
    value: ({ totals }) => totals.older,
  },
  {
    name: 'osmigrate_sync_left_total',
    type: 'counter',
    help: 'Changes that were left to the audit, since their index is stopped or waits.',
    value: ({ totals }) => totals.left,
  },
  {
    name: 'osmigrate_sync_source_reads_total',
    type: 'counter',
    help: 'Documents that were read from the source.',
    value: ({ totals }) => totals.sourceReads,
  },
  {
    name: 'osmigrate_sync_target_sent_bytes_total',
    type: 'counter',
    help: 'Bytes of bulk requests that were sent to the target.',
    value: ({ totals }) => totals.bytes,
  },
  {
    name: 'osmigrate_sync_lag_records',
    type: 'gauge',
    help: 'Records that are not done with; absent while that is not known.',
    value: ({ lag }) => lag.records ?? undefined,
  },
  {
    name: 'osmigrate_sync_lag_bytes',
    type: 'gauge',
    help: 'Bytes of the capture log that are not read; absent while that is not known.',
    value: ({ lag }) => lag.bytes ?? undefined,
  },
  {
    name: 'osmigrate_sync_lag_seconds',
    type: 'gauge',
    help: 'Since the oldest record that is not done with was written; 0 when there is none.',
    value: ({ lag }) => lag.seconds,
  },
  {
    name: 'osmigrate_sync_gaps',
    type: 'gauge',
    help: 'Gaps of the capture log behind which the audit has not looked yet.',
    value: ({ gapCount }) => gapCount,
  },
  {
    name: 'osmigrate_sync_dead_letters',
    type: 'gauge',
    help: 'Changes that the target has refused, and nobody has dealt with.',
    value: ({ deadLetters }) => deadLetters,
  },
  {
    name: 'osmigrate_sync_foreign_writes_total',
    type: 'counter',
    help: 'Writes to indices of the target that somebody else has made, as far as they were seen; it should stay 0.',
    value: ({ foreignWrites }) => foreignWrites.reduce((sum, { count }) => sum + count, 0),
  },
  {
    name: 'osmigrate_sync_stopped_indices',
    type: 'gauge',
    help: 'Indices to which nothing is written until somebody acts.',
    value: ({ indices }) => indices.filter(({ state }) => state === 'stopped').length,
  },
  {
    name: 'osmigrate_sync_doubtful_indices',
    type: 'gauge',
    help: 'Indices whose documents are all read from the source, since their numbers may be of another incarnation.',
    value: ({ indices }) => indices.filter(({ state }) => state === 'doubtful').length,
  },
  {
    name: 'osmigrate_sync_waits',
    type: 'gauge',
    help: 'Things that wait or are tried again; sync status says on what, since when.',
    value: ({ waits }) => waits.length,
  },
  {
    name: 'osmigrate_sync_longest_wait_seconds',
    type: 'gauge',
    help: 'Since when the oldest of them waits; 0 when none does.',
    value: ({ waits, at }) =>
      waits.length === 0 ? 0 : (Date.parse(at) - Date.parse(waits[0]!.since)) / 1000,
  },
  {
    name: 'osmigrate_sync_audit_age_seconds',
    type: 'gauge',
    help: 'Since the moment up to which the target is proven to have everything; absent before there is one.',
    value: ({ audit, at }) =>
      audit?.asOf == null ? undefined : (Date.parse(at) - Date.parse(audit.asOf)) / 1000,
  },
  {
    name: 'osmigrate_sync_audit_missing',
    type: 'gauge',
    help: 'Numbers of the source of which it is not known yet that the target has what they did.',
    value: ({ audit }) => audit?.missing,
  },
  {
    name: 'osmigrate_sync_change_memory_bytes',
    type: 'gauge',
    help: 'Changes that are held in memory until the target has them.',
    value: ({ memory }) => memory.changeBytes,
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process.',
    value: ({ memory }) => memory.residentBytes,
  },
]

/** The text form of Prometheus, version 0.0.4. */
export function syncMetricsText(status: SyncStatus): string {
  const lines: string[] = []
  for (const { name, type, help, value } of syncMetrics) {
    const now = value(status)
    if (now === undefined) continue
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${now}`)
  }
  const { version, mode, state } = status
  lines.push(
    '# HELP osmigrate_sync_info Always 1; its labels tell version, mode and state.',
    '# TYPE osmigrate_sync_info gauge',
    `osmigrate_sync_info{version="${version}",mode="${mode}",state="${state}"} 1`,
  )
  return `${lines.join('\n')}\n`
}
