/**
 * The figures of a proxy. They live in one array of numbers, a place a figure, so that counting costs an addition and no
 * object; the arrays of several workers are added up place by place (metrics-sum.ts) and written in Prometheus' text
 * form (metrics-text.ts). Names are those of OpenTelemetry's semantic conventions where there are any, in the form that
 * Prometheus gives them (dots become underscores, the unit stands last).
 */

/** What a request was to the proxy: may write, a read that is sampled, or passed without a look. */
export const requestKinds = ['write', 'sampled', 'passed'] as const
export type RequestKind = (typeof requestKinds)[number]

export const recordKinds = ['request', 'response', 'thin', 'gap', 'mark'] as const

export const connectionSides = ['client', 'source'] as const

/** Status codes have a place each: 0 (no answer) and 100 to 599; what is above or between stands at 0. */
const statusPlaces = 500

/** Bounds of the buckets in seconds: fine below a millisecond, where the proxy's own share lies. */
export const durationBounds: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** One sentence, with the unit. */
  readonly help: string
  /** The label by which it is split, and its values; one place each. */
  readonly label?: { readonly name: string; readonly values: readonly string[] }
  /** A second label, for status codes only. */
  readonly byStatus?: true
}

/** Every figure that a worker counts; the order is that of the places. */
export const metricRows = [
  {
    name: 'osmigrate_capture_requests_total',
    type: 'counter',
    help: 'Requests that were answered, by what they were to the proxy and by the status of the answer; 0 where none came.',
    label: { name: 'osmigrate_request_kind', values: requestKinds },
    byStatus: true,
  },
  {
    name: 'http_server_request_duration_seconds',
    type: 'histogram',
    help: 'From the first byte of a request at the proxy to the last byte of its answer.',
    label: { name: 'osmigrate_request_kind', values: requestKinds },
  },
  {
    name: 'http_client_request_duration_seconds',
    type: 'histogram',
    help: 'From the last byte of a request sent to the source to the first byte of its answer.',
  },
  {
    name: 'osmigrate_capture_added_duration_seconds',
    type: 'histogram',
    help: 'By how much the proxy made an answer later: what it held back for the log.',
  },
  {
    name: 'osmigrate_capture_log_append_duration_seconds',
    type: 'histogram',
    help: 'From handing a record to the log until it is durable.',
  },
  {
    name: 'osmigrate_capture_log_sync_duration_seconds',
    type: 'histogram',
    help: 'One flush of the log: fdatasync of a file, or the acknowledgement of the brokers.',
  },
  {
    name: 'osmigrate_capture_log_records_total',
    type: 'counter',
    help: 'Records that became durable, by kind.',
    label: { name: 'osmigrate_record_kind', values: recordKinds },
  },
  {
    name: 'osmigrate_capture_log_written_bytes_total',
    type: 'counter',
    help: 'Bytes of records that became durable.',
  },
  {
    name: 'osmigrate_capture_gap_requests_total',
    type: 'counter',
    help: 'Requests that may have written and could not be recorded; the audit finds what they did.',
  },
  {
    name: 'osmigrate_capture_refused_total',
    type: 'counter',
    help: 'Requests that the proxy answered itself in the place of the source.',
  },
  {
    name: 'osmigrate_capture_errors_total',
    type: 'counter',
    help: 'Requests that were broken off by the client, the source or the proxy before their answer was whole.',
  },
  {
    name: 'osmigrate_capture_network_bytes_total',
    type: 'counter',
    help: 'Bytes received from clients and from the source.',
    label: { name: 'osmigrate_side', values: connectionSides },
  },
  {
    name: 'osmigrate_capture_connections',
    type: 'gauge',
    help: 'Open connections of clients, and to the source.',
    label: { name: 'osmigrate_side', values: connectionSides },
  },
  {
    name: 'http_server_active_requests',
    type: 'gauge',
    help: 'Requests that are being answered.',
  },
  {
    name: 'osmigrate_capture_body_memory_bytes',
    type: 'gauge',
    help: 'Bodies held in memory until their record is written.',
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of all processes of the proxy.',
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of all processes of the proxy.',
  },
] as const satisfies readonly MetricRow[]

export type MetricName = (typeof metricRows)[number]['name']
type NameOfType<T extends MetricRow['type']> = Extract<
  (typeof metricRows)[number],
  { type: T }
>['name']

/** Places of one labelled value of a row: buckets, one above them, and the sum; or one a status; or one. */
export function placesOf(row: MetricRow): number {
  if (row.type === 'histogram') return durationBounds.length + 2
  return row.byStatus === true ? statusPlaces : 1
}

interface Places {
  readonly first: number
  /** Places of one labelled value. */
  readonly span: number
}

const layout = layOut()

function layOut(): Readonly<Record<MetricName, Places>> & { readonly total: number } {
  const found: { [name: string]: Places | number } = {}
  let total = 0
  for (const row of metricRows as readonly MetricRow[]) {
    const span = placesOf(row)
    found[row.name] = { first: total, span }
    total += span * (row.label?.values.length ?? 1)
  }
  return { ...found, total } as Record<MetricName, Places> & { total: number }
}

/** Length of the array of a worker. */
export const metricPlaces = layout.total

/** The first place of a row, or of one of its labelled values. */
export function placeOf(name: MetricName, labelIndex = 0): number {
  const { first, span } = layout[name]
  return first + span * labelIndex
}

/** The place of a status among the 500 of a labelled value; codes that HTTP does not know count as none. */
export function statusPlace(status: number): number {
  return status >= 100 && status <= 598 ? status - 99 : 0
}

/** The status that stands at a place. */
export function statusAt(place: number): number {
  return place === 0 ? 0 : place + 99
}

const requestPlaces = requestKinds.map((_, kind) =>
  placeOf('osmigrate_capture_requests_total', kind),
)

/** The figures of one worker. Every call is a few additions and allocates nothing. */
export class Metrics {
  /** Sent as it is to the process that adds up. */
  readonly values = new Float64Array(metricPlaces)

  /** Adds to a counter or gauge; `labelIndex` is the place of the label's value in its list. */
  add(name: NameOfType<'counter' | 'gauge'>, amount = 1, labelIndex = 0): void {
    const place = placeOf(name, labelIndex)
    this.values[place] = this.values[place]! + amount
  }

  set(name: NameOfType<'counter' | 'gauge'>, value: number): void {
    this.values[placeOf(name)] = value
  }

  /** Counts an answer, `seconds` after the first byte of its request; status 0: none came. */
  answered(kind: RequestKind, status: number, seconds: number): void {
    const place = requestPlaces[requestKinds.indexOf(kind)]! + statusPlace(status)
    this.values[place] = this.values[place]! + 1
    this.observe('http_server_request_duration_seconds', seconds, requestKinds.indexOf(kind))
  }

  /** Counts a duration in seconds. */
  observe(name: NameOfType<'histogram'>, seconds: number, labelIndex = 0): void {
    const first = placeOf(name, labelIndex)
    let bucket = 0
    while (bucket < durationBounds.length && seconds > durationBounds[bucket]!) bucket++
    const { values } = this
    values[first + bucket] = values[first + bucket]! + 1
    const sum = first + durationBounds.length + 1
    values[sum] = values[sum]! + seconds
  }
}

/** Sets what the operating system says of this process. */
export function countProcess(metrics: Metrics): void {
  const { user, system } = process.cpuUsage()
  metrics.set('process_resident_memory_bytes', process.memoryUsage.rss())
  metrics.set('process_cpu_seconds_total', (user + system) / 1e6)
}
