import { Metrics, metricRows } from '../src/capture/metrics.ts'
import type { MetricRow } from '../src/capture/metrics.ts'
import { StatusBoard, type ProxyFacts } from '../src/capture/status-board.ts'

/** What a proxy answers at `/metrics` when its log grows: every figure is in it. */
export function sampleMetrics(): string {
  const metrics = new Metrics()
  metrics.answered('write', 201, 0.1)
  metrics.answered('passed', 0, 0.1)
  const board = new StatusBoard(sampleFacts, '127.0.0.1:9200')
  const recording = (bytes: number): unknown => ({
    ...{ stream: 'edge-1.0', place: '/log', isThin: false, bytes, bytesMax: 1e9 },
    health: { state: 'ok', since: 0 },
  })
  for (const bytes of [0, 1e6]) {
    board.update(0, { connections: 1, metrics: metrics.values, recording: recording(bytes) })
  }
  return board.metrics()
}

const sampleFacts = {
  name: 'edge-1',
  version: '1.0.0',
  settings: { sourceUrls: [], workers: 1 },
  recording: { log: { dir: '/log' } },
} as unknown as ProxyFacts

/** docs/reference/capture-metrics.md */
export function captureMetrics(): string {
  const named = [...sampleMetrics().matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)]
  const labels = new Map(
    (metricRows as readonly MetricRow[]).map((row) => [row.name, labelsOf(row)]),
  )
  const rows = named.map(
    ([, name = '', help = '', type = '']) =>
      `| \`${name}\` | ${type} | ${labels.get(name) ?? ''} | ${help} |`,
  )
  return [
    '<!-- Made by scripts/build-reference.ts: do not edit. -->',
    '# Metrics of a capture proxy',
    '',
    'The admin port of a proxy (`capture.admin`) answers `GET /metrics` in the text form of Prometheus, and asks for the token',
    'as a bearer. Names are those of the semantic conventions of OpenTelemetry where there are any. Figures are those of all',
    'workers. Counters begin anew when the proxy does. Alert rules are in [capture-alerts.yaml](capture-alerts.yaml).',
    '',
    '| name | type | labels | what it is |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

function labelsOf({ label, byStatus }: MetricRow): string {
  const values = label === undefined ? [] : [`\`${label.name}\`: ${label.values.join(', ')}`]
  return [...values, ...(byStatus === true ? ['`http_response_status_code`'] : [])].join('; ')
}
