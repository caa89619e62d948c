import { syncMetrics } from '../src/sync/metrics.ts'

/** docs/reference/sync-metrics.md */
export function syncMetricsPage(): string {
  const rows = syncMetrics.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`)
  return [
    '<!-- Made by scripts/build-reference.ts: do not edit. -->',
    '# Metrics of sync',
    '',
    'A running sync answers `GET /metrics` at `sync.listen` in the text form of Prometheus. Names are those of the semantic',
    'conventions of OpenTelemetry where there are any. Counters begin anew when sync does. Alert rules are in',
    '[sync-alerts.yaml](sync-alerts.yaml).',
    '',
    '| name | type | what it is |',
    '| --- | --- | --- |',
    ...rows,
    '| `osmigrate_sync_info` | gauge | Always 1; its labels tell version, mode and state. |',
    '',
  ].join('\n')
}
