/** The proxy as it is run: a supervisor with its workers. Started by capture-parts.ts with its settings. */
import { placeOf, durationBounds, recordKinds } from '../src/capture/metrics.ts'
import { openListener } from '../src/capture/listener.ts'
import type { ProxySettings } from '../src/capture/proxy-settings.ts'
import { Supervisor } from '../src/capture/supervisor.ts'

export interface ProxyRequest {
  readonly settings: ProxySettings
  /** Of src/capture: what records, or nothing. */
  readonly entry: string
  readonly recording: unknown
}

/** What its workers have written to the log so far, as they told about a second ago at the latest. */
export interface LogWritten {
  readonly records: number
  readonly bytes: number
  readonly syncs: number
}

let written: LogWritten = { records: 0, bytes: 0, syncs: 0 }

/** Of one worker, which is what a benchmark has. */
function writtenOf(values: Float64Array): LogWritten {
  const sum = (first: number, count: number): number =>
    values.subarray(first, first + count).reduce((all, one) => all + one, 0)
  return {
    records: sum(placeOf('osmigrate_capture_log_records_total'), recordKinds.length),
    bytes: values[placeOf('osmigrate_capture_log_written_bytes_total')]!,
    syncs: sum(placeOf('osmigrate_capture_log_sync_duration_seconds'), durationBounds.length + 1),
  }
}

const request = JSON.parse(process.argv[2]!) as ProxyRequest
const supervisor = await Supervisor.start(await openListener(request.settings.listen), {
  settings: request.settings,
  entry: new URL(`../src/capture/${request.entry}`, import.meta.url),
  recording: request.recording,
  onWarning: (message) => console.error(message),
  onStatus: (_worker, status) => {
    if (status !== 'ended') written = writtenOf(status.metrics)
  },
})
process.on('message', () => process.send!(written))
process.on('disconnect', () => void supervisor.drain())
process.send!({ port: supervisor.address.port, pids: [process.pid, ...supervisor.workerPids] })
