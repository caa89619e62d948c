import {
  durationBounds,
  metricRows,
  placeOf,
  placesOf,
  statusAt,
  type MetricName,
  type MetricRow,
} from './metrics.ts'

/** A figure that no worker counts: of the log and of the proxy as a whole. */
export interface ProxyFigure {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: { readonly [name: string]: string }
  readonly value: number
}

/**
 * The text form of Prometheus, version 0.0.4:
 *
 *   metric = "# HELP " name " " text LF "# TYPE " name " " type LF sample*
 *   sample = name [ "{" label "=" quoted ("," label "=" quoted)* "}" ] " " number LF
 *
 * A histogram has a sample `name_bucket` with the label `le` for each bound and for `+Inf`, cumulative, then `name_sum`
 * and `name_count`. Specified in Prometheus' documentation, "Exposition formats".
 */
export function metricsText(values: Float64Array, figures: readonly ProxyFigure[]): string {
  const lines: string[] = []
  for (const row of metricRows as readonly MetricRow[]) {
    heading(lines, row)
    const labels = row.label?.values ?? [undefined]
    labels.forEach((value, index) => {
      const first = placeOf(row.name as MetricName, index)
      const own = value === undefined ? {} : { [row.label!.name]: value }
      writeSamples(lines, row, { first, labels: own, values })
    })
  }
  for (const figure of figures) {
    heading(lines, figure)
    lines.push(sample(figure.name, figure.labels ?? {}, figure.value))
  }
  return lines.join('\n') + '\n'
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

function heading(lines: string[], { name, help, type }: Pick<MetricRow, 'name' | 'help' | 'type'>) {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
}

function writeSamples(
  lines: string[],
  row: MetricRow,
  at: { first: number; labels: { [name: string]: string }; values: Float64Array },
): void {
  const { first, labels, values } = at
  if (row.type === 'histogram') {
    let count = 0
    durationBounds.forEach((bound, bucket) => {
      count += values[first + bucket]!
      lines.push(sample(`${row.name}_bucket`, { ...labels, le: String(bound) }, count))
    })
    count += values[first + durationBounds.length]!
    lines.push(sample(`${row.name}_bucket`, { ...labels, le: '+Inf' }, count))
    lines.push(sample(`${row.name}_sum`, labels, values[first + durationBounds.length + 1]!))
    lines.push(sample(`${row.name}_count`, labels, count))
    return
  }
  if (row.byStatus !== true) {
    lines.push(sample(row.name, labels, values[first]!))
    return
  }
  for (let place = 0; place < placesOf(row); place++) {
    const count = values[first + place]!
    if (count === 0) continue // a line for each of 1,500 codes would say nothing
    const status = { http_response_status_code: String(statusAt(place)) }
    lines.push(sample(row.name, { ...labels, ...status }, count))
  }
}

function sample(name: string, labels: { readonly [name: string]: string }, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
