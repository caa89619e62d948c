import { MigrationError } from '../base/errors.ts'
import { allOf } from '../base/all-of.ts'
import { readCapturedRequests } from '../compare/searches/captured-requests.ts'
import { RequestReservoir, type ChosenRequests } from '../compare/searches/chosen-requests.ts'
import { generateRequests } from '../compare/searches/generate-requests.ts'
import { readRequestsFile } from '../compare/searches/requests-file.ts'
import { searchableIndex, type SearchableIndex } from '../compare/searches/source-fields.ts'
import { liveMetadata } from '../metadata/live-metadata.ts'
import { selectIndices } from '../base/select-indices.ts'
import { findLog } from './capture-log.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { syncLogs } from './sync-logs.ts'

/** Where requests come from; what is given is taken together. Nothing: the capture log. */
export interface RequestSources {
  /** true: the configured capture log; else an export, or the folder of a log. */
  readonly captured?: string | true
  /** A file of requests; see requests-file.ts. */
  readonly file?: string
  /** How many are made from what indices hold. */
  readonly generate?: number
}

export interface GatherOptions {
  readonly requestsMax: number
  readonly random: () => number
  /** So many were looked at, or so many indices. */
  readonly onProgress: (what: string, count: number) => void
  readonly onWarning: (message: string) => void
}

/** Indices that requests are made of at most; of more of them so many by chance. */
const indicesMost = 100

/** The requests to ask both sides. Throws MA_CONFIG where there is none. */
export async function gatherRequests(
  migration: Migration,
  sources: RequestSources,
  options: GatherOptions,
): Promise<ChosenRequests> {
  const { requestsMax, random, onProgress } = options
  const into = new RequestReservoir(requestsMax, random)
  const { file, generate } = sources
  const captured = sources.captured ?? (file === undefined && generate === undefined)
  if (captured !== false) await addCaptured(migration, { captured, into, ...options })
  if (file !== undefined) await readRequestsFile(file, into)
  if (generate !== undefined) {
    const indices = await searchableIndices(migration, options)
    const { version } = await migration.source()
    const count = Math.min(generate, requestsMax)
    for (const one of generateRequests(indices, { count, random, version })) into.add(one)
    onProgress('requests made', count)
  }
  const chosen = into.chosen()
  if (chosen.requests.length > 0) return chosen
  throw new MigrationError('MA_CONFIG', `there are no requests to compare${whyNone(chosen)}`, {
    details: { leftOut: chosen.leftOut },
  })
}

function whyNone({ leftOut }: ChosenRequests): string {
  const reasons = Object.entries(leftOut).map(([why, count]) => `${count} ${why}`)
  const found = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
  return `${found}: record reads with capture.reads, name a file with --requests, or let them be made with --generate 200`
}

async function addCaptured(
  migration: Migration,
  {
    captured,
    into,
    onProgress,
    onWarning,
  }: GatherOptions & { captured: string | true; into: RequestReservoir },
): Promise<void> {
  const { loaded, signal } = migration
  const logs =
    captured === true
      ? await syncLogs(loaded, onWarning)
      : [await findLog({ path: captured, loadConfig: async () => loaded })]
  let count = 0
  const onRequest = (): void => {
    if (++count % 1000 === 0) onProgress('requests read', count)
  }
  try {
    for (const { reader } of logs) await readCapturedRequests({ reader, into, signal, onRequest })
  } finally {
    await allOf(logs.map(({ reader }) => reader.close()))
  }
}

/** The selected indices of the source with what can be asked of them. */
async function searchableIndices(
  migration: Migration,
  { random, onProgress }: GatherOptions,
): Promise<SearchableIndex[]> {
  const { config, signal } = migration
  const source = await migration.source()
  const live = await liveMetadata(source, signal)
  const streams = await live.readDataStreams()
  const withStreams = config.metadata.dataStreams !== 'refuse'
  const selectable = { ...live, streams }
  const { names } = selectIndices(selectable, selectionOf(config), { withStreams })
  const open = names.filter((name) => !live.closed.has(name))
  const left = [...open]
  const found: SearchableIndex[] = []
  while (left.length > 0 && found.length < indicesMost) {
    const [name] = left.splice(Math.floor(random() * left.length), 1)
    const index = await searchableIndex(source, name!, signal)
    if (index !== undefined) found.push(index)
    onProgress('indices looked at', open.length - left.length)
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}
