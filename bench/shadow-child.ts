/** A whole replay of a capture log with a state of its own, as the command does it. Started by measured.ts. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { keepYoungSpaceSmall } from '../src/base/young-space.ts'
import { connectCluster } from '../src/cluster/connect.ts'
import { shadowOptions } from '../src/shadow/options.ts'
import { runShadow } from '../src/shadow/run-shadow.ts'
import { openSqliteStore } from '../src/state/sqlite-store.ts'
import { openLocalLogReader } from '../src/traffic/local-log-reader.ts'
import { reportFigures } from './measured.ts'

export interface ShadowRequest {
  readonly log: string
  readonly targetUrl: string
  readonly withTuples: boolean
}

export interface ShadowFound {
  readonly sent: number
  readonly compared: number
  readonly different: number
  /** Of the replay, without the start of the process. */
  readonly seconds: number
  readonly workCpuSeconds: number
}

async function replay({ log, targetUrl, withTuples }: ShadowRequest): Promise<ShadowFound> {
  keepYoungSpaceSmall()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-shadow-'))
  const options = shadowOptions.parse({ speed: 'max' })
  const target = await connectCluster('target', {
    ...{ url: [targetUrl], socketsMax: options.connections },
  })
  const state = await openSqliteStore(folder, 'shadow')
  const reader = openLocalLogReader(log)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  try {
    const { totals } = await runShadow({
      ...{ version: '0', migration: 'bench', log: 'bench', target, state, options },
      ...{ logs: [{ name: log, reader }], window: { since: 0, until: 0 }, follow: false },
      ...{ again: false, holdsLog: false, redact: [], isTargetTyped: false, cannotSee: [] },
      tuples: withTuples ? { folder: path.join(folder, 'tuples'), place: folder } : undefined,
      signal: new AbortController().signal,
      onRunning: () => {},
    })
    const { user, system } = process.cpuUsage(cpu)
    const { sent, compared, different } = totals
    const seconds = (performance.now() - begun) / 1000
    return { sent, compared, different, seconds, workCpuSeconds: (user + system) / 1e6 }
  } finally {
    await reader.close()
    await state.close()
    await target.close()
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.send && import.meta.main)
  reportFigures(await replay(JSON.parse(process.argv[2]!) as ShadowRequest))
