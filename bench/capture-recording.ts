/** The proxy that records, for the benchmark of capture: into a local log, or into Kafka. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { RecordingStart } from '../src/capture/recording-worker.ts'
import { startEngine } from '../src/engines/engine.ts'
import { startProxy, type CapturePart, type Running } from './capture-parts.ts'

export const recordingParts: readonly CapturePart[] = [
  { name: 'local log', start: (port) => startLocalRecording(port, os.tmpdir()) },
  { name: 'log in memory', start: startMemoryRecording },
  { name: 'kafka', start: startKafkaRecording },
]

const logBytesMax = 64 * 1024 ** 3
const topic = 'bench'

/** In `folder`; that for temporary files is on a disk, or TMPDIR names one that is. */
export async function startLocalRecording(upstreamPort: number, folder: string): Promise<Running> {
  const dir = await mkdtemp(path.join(folder, 'osmigrate-bench-log-'))
  const recording = recordingInto({ name: 'bench', dir, bytesMax: logBytesMax })
  const running = await startProxy(upstreamPort, { entry: 'recording-worker.ts', recording })
  return endedBy(running, () => rm(dir, { recursive: true, force: true }))
}

const memoryFolder = '/dev/shm'

/** What the log takes without a disk: the difference to the part above is the disk's. */
async function startMemoryRecording(upstreamPort: number): Promise<Running | undefined> {
  return existsSync(memoryFolder) ? startLocalRecording(upstreamPort, memoryFolder) : undefined
}

/** With one broker on the same machine, whose CPU time is not that of the proxy. */
async function startKafkaRecording(upstreamPort: number): Promise<Running> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-log-'))
  const broker = await startEngine({ kind: 'kafka', version: '4' })
  const kafka = { brokers: [broker.url], topic, partitions: 1 }
  const recording = recordingInto({ name: 'bench', dir, bytesMax: logBytesMax, kafka })
  const running = await startProxy(upstreamPort, { entry: 'recording-worker.ts', recording })
  return endedBy(running, async () => {
    await broker.stop()
    await rm(dir, { recursive: true, force: true })
  })
}

function recordingInto(log: RecordingStart['log']): RecordingStart {
  return {
    log,
    recorder: {
      version: 'bench',
      onLogFailure: 'pass',
      logWaitMaxMs: 5000,
      bodyBytesMax: 64 * 1024 ** 2,
      memoryMax: 256 * 1024 ** 2,
      reads: 0,
      readBytesMax: 0,
      redact: [],
      typed: false,
    },
  }
}

function endedBy(running: Running, end: () => Promise<void>): Running {
  return { ...running, stop: () => running.stop().then(end) }
}
