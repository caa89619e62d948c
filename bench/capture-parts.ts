/** What stands between load and upstream in the benchmark of capture. A part more is an entry in the list. */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { ProxySettings } from '../src/capture/proxy-settings.ts'
import type { LogWritten, ProxyRequest } from './capture-supervisor.ts'

export interface Running {
  readonly port: number
  /** All processes of it. */
  readonly pids: readonly number[]
  /** What our proxy has written to its log so far. */
  written?(): Promise<LogWritten>
  stop(): Promise<void>
}

export interface CapturePart {
  readonly name: string
  /** undefined: it cannot run here. */
  readonly start: (upstreamPort: number) => Promise<Running | undefined>
}

export const captureParts: readonly CapturePart[] = [
  { name: 'pipe', start: (port) => startChild('capture-proxies.ts', ['pipe', `${port}`]) },
  { name: 'node:http', start: (port) => startChild('capture-proxies.ts', ['http', `${port}`]) },
  { name: 'nginx', start: startNginx },
  {
    name: 'proxy',
    start: (port) => startProxy(port, { entry: 'plain-worker.ts', recording: undefined }),
  },
]

/** Workers tell of themselves once a second. */
const toldAfterMs = 1100

/** Our proxy with one worker, as it runs on two cores. */
export async function startProxy(
  upstreamPort: number,
  { entry, recording }: Pick<ProxyRequest, 'entry' | 'recording'>,
): Promise<Running> {
  const settings: ProxySettings = {
    listen: { host: '127.0.0.1', port: 0 },
    sourceUrls: [`http://127.0.0.1:${upstreamPort}`],
    workers: 1,
    limits: { drainTimeoutMs: 1000 },
  }
  const request: ProxyRequest = { settings, entry, recording }
  const running = await startChild('capture-supervisor.ts', [JSON.stringify(request)])
  const { child } = running
  const written = async (): Promise<LogWritten> => {
    await new Promise((resolve) => setTimeout(resolve, toldAfterMs))
    child.send('written?')
    const [told] = (await once(child, 'message')) as [LogWritten]
    return told
  }
  return recording === undefined ? running : { ...running, written }
}

/** A program of this folder that says its port; it ends when it is let go. */
export async function startChild(
  name: string,
  args: readonly string[],
): Promise<Running & { readonly child: ChildProcess }> {
  const child = fork(path.join(import.meta.dirname, name), args)
  const failed = once(child, 'exit').then(() => {
    throw new Error(`bench/${name} ended early`)
  })
  const [told] = (await Promise.race([once(child, 'message'), failed])) as [
    { port: number; pids?: number[] },
  ]
  failed.catch(() => {})
  const stop = async (): Promise<void> => {
    const gone = once(child, 'exit')
    child.disconnect()
    await gone
  }
  return { port: told.port, pids: told.pids ?? [child.pid!], stop, child }
}

const nginxProgram = '/usr/sbin/nginx'

async function startNginx(upstreamPort: number): Promise<Running | undefined> {
  if (!existsSync(nginxProgram)) return undefined
  const folder = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-bench-nginx-'))
  const port = await freePort()
  const file = path.join(folder, 'nginx.conf')
  writeFileSync(file, nginxConfiguration(folder, port, upstreamPort))
  const child = spawn(nginxProgram, ['-c', file, '-p', folder], { stdio: 'ignore' })
  await accepts(port, child)
  const stop = async (): Promise<void> => {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
  return { port, pids: [child.pid!, ...childrenOf(child.pid!)], stop }
}

function nginxConfiguration(folder: string, port: number, upstreamPort: number): string {
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; tcp_nodelay on; keepalive_requests 100000000;
  ${bodies.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  upstream source { server 127.0.0.1:${upstreamPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://source; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    const socket = net.connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('nginx does not serve')
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

const ticksPerSecond = 100

/** CPU time of processes so far, in milliseconds. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
  }, 0)
}

/** Memory of processes, in MB: what several share is counted once (proportional set size). */
export function memoryMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024
  }, 0)
}
