import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { selectNames } from '../base/select.ts'
import { epochMicros } from '../capture/clock.ts'
import { openLogReader, resolveKafka } from '../capture/open-log.ts'
import { countSeenWrites, endOfLog, type SeenWrites } from '../capture/seen-writes.ts'
import type { CaptureStatus } from '../capture/status.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { connectCluster } from '../cluster/connect.ts'
import type { CaptureLogReader } from '../traffic/capture-log.ts'
import { logPlace, parseAddress } from './capture.ts'
import { askCaptureStatus } from './capture-status.ts'
import { clusterOptions, type Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { required } from './required.ts'

/** One thing that was looked at. */
export interface CheckFinding {
  readonly what: 'proxy' | 'way' | 'log' | 'disk' | 'topic' | 'writes'
  readonly isWell: boolean
  /** There was nothing to look at: neither well nor ill. */
  readonly isOpen?: true
  /** What was found, with what to do where it is not well. */
  readonly text: string
}

export interface WrittenIndex {
  readonly index: string
  /** Documents that the source has counted as written. */
  readonly counted: number
  /** Of them in the log; what was on its way when counting began or ended is in there, too. */
  readonly seen: number
}

export interface CaptureCheck {
  readonly findings: readonly CheckFinding[]
  readonly indices: readonly WrittenIndex[]
}

export interface CheckOptions {
  readonly compareMs: number
  readonly onFinding?: (finding: CheckFinding) => void
}

/** Looks at everything that capture needs, one after the other; throws only where nothing can be looked at. */
export async function checkCaptureSetUp(
  migration: Migration,
  { compareMs, onFinding }: CheckOptions,
): Promise<CaptureCheck> {
  const findings: CheckFinding[] = []
  const add = (finding: CheckFinding): void => {
    findings.push(finding)
    onFinding?.(finding)
  }
  const status = await askCaptureStatus(migration.loaded)
  add(proxyFinding(status))
  add(await wayFinding(migration))
  if (status.log.kind === 'local') add(await diskFinding(migration, status))
  else add(await topicFinding(migration))
  const log = await openLogReader(logPlace(migration.loaded))
  const { finding, indices } = await compareWrites(migration, { compareMs, log })
  add(finding)
  add(logFinding(await askCaptureStatus(migration.loaded)))
  return { findings, indices }
}

function proxyFinding({ workers, state }: CaptureStatus): CheckFinding {
  const isWell = workers.running === workers.wanted && state === 'running'
  const text = `${workers.running} of ${workers.wanted} workers serve${state === 'draining' ? '; the proxy is being stopped' : ''}`
  return { what: 'proxy', isWell, text }
}

/** Asks the source as a client would, through the proxy: it must be the same cluster. */
async function wayFinding(migration: Migration): Promise<CheckFinding> {
  const { capture, source } = migration.config
  const direct = await migration.source()
  const { host, port } = parseAddress(capture.listen)
  const local = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  const url = `${capture.tls?.cert === undefined ? 'http' : 'https'}://${local.includes(':') ? `[${local}]` : local}:${port}`
  const options = clusterOptions(required(source, 'source.url'))
  try {
    const through = await connectCluster(
      'source',
      // It is the proxy on this machine, whose certificate is for the name that clients use.
      { ...options, url: [url], tls: { ...options.tls, insecure: true } },
      migration.signal,
    )
    try {
      const [a, b] = [await clusterUuid(direct), await clusterUuid(through)]
      if (a === b)
        return { what: 'way', isWell: true, text: `the source is reached through ${url}` }
      const text = `behind ${url} is another cluster (${b}) than at ${direct.url} (${a})`
      return { what: 'way', isWell: false, text }
    } finally {
      await through.close()
    }
  } catch (error) {
    const text = `the source is not reached through ${url}: ${(error as Error).message}`
    return { what: 'way', isWell: false, text }
  }
}

async function clusterUuid(cluster: Cluster): Promise<string> {
  const { body } = await cluster.request('GET', '/_cluster/state/version')
  return typeof body.cluster_uuid === 'string' ? body.cluster_uuid : 'before 6.4'
}

const syncs = 20
const syncBytes = 4096
const slowSyncMs = 50

/** How long one write takes until it is safe, on the disk that holds the log, and whether the log has room there. */
async function diskFinding({ loaded }: Migration, { log }: CaptureStatus): Promise<CheckFinding> {
  const { dir } = logPlace(loaded)
  const file = join(dir, `check-${process.pid}`)
  const times: number[] = []
  const handle = await open(file, 'wx', 0o600)
  try {
    for (let i = 0; i < syncs; i++) {
      const begun = performance.now()
      await handle.write(Buffer.alloc(syncBytes, i))
      await handle.datasync()
      times.push(performance.now() - begun)
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  const medianMs = times.sort((a, b) => a - b)[syncs >> 1]!
  const { bavail, bsize } = await statfs(dir)
  const free = bavail * bsize
  const missing = (log.bytesMax ?? 0) - log.bytes - free
  const sync = `a write to ${dir} is safe after ${medianMs.toFixed(1)} ms`
  if (missing > 0) {
    const text = `${sync}, but there are ${gb(free)} GB free, and the log may grow by ${gb(free + missing)} GB: lower capture.log.bytesMax, or take a larger disk (capture.log.dir)`
    return { what: 'disk', isWell: false, text }
  }
  const isSlow = medianMs > slowSyncMs
  const text = isSlow
    ? `${sync}: every write of a client waits that long; take a faster disk`
    : sync
  return { what: 'disk', isWell: !isSlow, text }
}

/** Whether the brokers keep what is written until it is read. */
async function topicFinding({ loaded }: Migration): Promise<CheckFinding> {
  const options = await resolveKafka(logPlace(loaded).kafka!)
  const { describeTopic } = await import('../traffic/kafka-topic.ts')
  const { partitions, warnings } = await describeTopic(options)
  const text = `topic ${options.topic} has ${partitions} partitions and keeps records until they are read`
  if (warnings.length === 0) return { what: 'topic', isWell: true, text }
  return { what: 'topic', isWell: false, text: warnings.join('; ') }
}

function gb(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

/** What is answered now is in the log a moment later, and what was asked a moment ago is answered. */
const settleMs = 1500

/** Compares for a while what the source counts as written with what comes into the log, and closes the log. */
export async function compareWrites(
  migration: Migration,
  { compareMs, log }: { readonly compareMs: number; readonly log: CaptureLogReader },
): Promise<{ finding: CheckFinding; indices: WrittenIndex[] }> {
  const { signal } = migration
  const source = await migration.source()
  try {
    const start = await endOfLog(log)
    // What was asked before is in the log before, and may be carried out after the first look.
    await wait(settleMs, undefined, { signal })
    const from = epochMicros()
    const before = await readCounters(source, signal)
    await wait(compareMs, undefined, { signal })
    const after = await readCounters(source, signal)
    const window = { from, until: epochMicros() }
    await wait(settleMs, undefined, { signal })
    const seen = await countSeenWrites(log, { start, window, signal })
    const names = selectNames(after.keys(), selectionOf(migration.config))
    const indices = names
      .map((index) => ({
        index,
        counted: Math.max(0, after.get(index)! - (before.get(index) ?? 0)),
        seen: seen.byIndex.get(index) ?? 0,
      }))
      .filter(({ counted, seen: inLog }) => counted > 0 || inLog > 0)
    return { finding: writesFinding(indices, seen, compareMs), indices }
  } finally {
    await log.close()
  }
}

/** Operations of the primary shards by index, since those were opened. */
async function readCounters(
  source: Cluster,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const { body } = await source.request<StatsAnswer>('GET', '/_stats/indexing', {
    query: {
      filter_path:
        'indices.*.primaries.indexing.index_total,indices.*.primaries.indexing.delete_total',
    },
    signal,
  })
  return new Map(
    Object.entries(body.indices ?? {}).map(([index, stats]) => {
      const { index_total: indexed = 0, delete_total: deleted = 0 } =
        stats.primaries?.indexing ?? {}
      return [index, indexed + deleted]
    }),
  )
}

interface StatsAnswer {
  indices?: {
    [index: string]: {
      primaries?: { indexing?: { index_total?: number; delete_total?: number } }
    }
  }
}

function writesFinding(
  indices: readonly WrittenIndex[],
  { uncounted, inGaps }: SeenWrites,
  compareMs: number,
): CheckFinding {
  const counted = indices.reduce((sum, one) => sum + one.counted, 0)
  const missing = indices.reduce((sum, one) => sum + Math.max(0, one.counted - one.seen), 0)
  const seconds = Math.round(compareMs / 1000)
  if (counted === 0) {
    const text = `nobody wrote to the selected indices for ${seconds} s: look again while clients write`
    return { what: 'writes', isWell: false, isOpen: true, text }
  }
  const share = Math.floor(1000 * (1 - missing / counted)) / 10
  const text = `${share.toFixed(1)} % of ${counted} documents that were written in ${seconds} s are in the log`
  if (missing === 0 && inGaps === 0) return { what: 'writes', isWell: true, text }
  const why = [
    ...(inGaps > 0 ? [`${inGaps} requests are in gaps`] : []),
    ...(uncounted > 0
      ? [
          `${uncounted} requests wrote what their answers do not name (by query), which may explain it`,
        ]
      : []),
    'clients may write past this proxy: straight to the source, or by another proxy, whose check is to be asked, too',
  ].join('; ')
  return { what: 'writes', isWell: false, text: `${text}: ${why}` }
}

function logFinding({ log }: CaptureStatus): CheckFinding {
  if (log.state === 'unknown') {
    return { what: 'log', isWell: false, isOpen: true, text: 'no worker has told of its log yet' }
  }
  const isWell = log.state === 'ok' && log.requestsInGaps === 0
  const cause = log.cause === undefined ? '' : ` (${log.cause})`
  const gaps = log.requestsInGaps === 0 ? '' : `; ${log.requestsInGaps} requests are in gaps`
  const days =
    log.secondsLeft === undefined
      ? ''
      : `; at this rate it lasts ${(log.secondsLeft / 86_400).toFixed(1)} days`
  return { what: 'log', isWell, text: `the log is ${log.state}${cause}${gaps}${days}` }
}
