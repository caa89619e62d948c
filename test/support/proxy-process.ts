/**
 * A proxy without a recorder as a process of its own: `node proxy-process.ts SETTINGS`. Writes `serving PORT PID` when it
 * serves. SIGTERM drains it, SIGUSR2 has it replaced by a second one, SIGHUP reads certificates again.
 */
import {
  handOver,
  isTakingOver,
  openListener,
  receiveListener,
  tellServing,
} from '../../src/capture/listener.ts'
import type { ProxySettings } from '../../src/capture/proxy-settings.ts'
import { Supervisor } from '../../src/capture/supervisor.ts'

const settings = JSON.parse(process.argv[2]!) as ProxySettings
const isSecond = isTakingOver()
const server = isSecond ? await receiveListener() : await openListener(settings.listen)
const supervisor = await Supervisor.start(server, {
  settings,
  entry: new URL('../../src/capture/plain-worker.ts', import.meta.url),
  onWarning: (message) => console.log(`warning ${message}`),
})
if (isSecond) tellServing()
process.on('SIGTERM', () => void supervisor.drain())
process.on('SIGHUP', () => supervisor.reload())
process.on('SIGUSR2', () => {
  const command = { file: process.execPath, args: process.argv.slice(1) }
  void handOver(supervisor.listener, command).then(() => supervisor.drain())
})
console.log(`serving ${supervisor.address.port} ${process.pid} ${supervisor.workerPids.join(',')}`)
