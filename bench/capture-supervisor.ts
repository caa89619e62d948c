/** The proxy as it is run: a supervisor with its workers. Started by capture-parts.ts with its settings. */
import { openListener } from '../src/capture/listener.ts'
import type { ProxySettings } from '../src/capture/proxy-settings.ts'
import { Supervisor } from '../src/capture/supervisor.ts'

export interface ProxyRequest {
  readonly settings: ProxySettings
  /** Of src/capture: what records, or nothing. */
  readonly entry: string
  readonly recording: unknown
}

const request = JSON.parse(process.argv[2]!) as ProxyRequest
const supervisor = await Supervisor.start(await openListener(request.settings.listen), {
  settings: request.settings,
  entry: new URL(`../src/capture/${request.entry}`, import.meta.url),
  recording: request.recording,
  onWarning: (message) => console.error(message),
})
process.on('disconnect', () => void supervisor.drain())
process.send!({ port: supervisor.address.port, pids: [process.pid, ...supervisor.workerPids] })
