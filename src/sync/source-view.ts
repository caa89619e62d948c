import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { selectIndices, selectStreams, type StreamIndices } from '../base/select-indices.ts'
import { matcher, type Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { findRoutingShards } from '../metadata/routing-shards.ts'
import { noNumbers, readPrimaryTerms, readRestores, readShards } from './read-shards.ts'
import {
  readDetails,
  readList,
  readStateVersion,
  type IndexDetails,
  type ListedIndex,
  type SourceList,
} from './read-source.ts'
import type { SourceIndex, SourceShard } from './source-index.ts'
import { changesBetween, type ViewChange, type ViewEntry } from './view-change.ts'

export interface SourceViewInput {
  readonly source: Cluster
  readonly select: Selection
  /** Whether data streams bring the indices behind them along. */
  readonly withStreams: boolean
  readonly signal?: AbortSignal
}

/**
 * The selected indices of the source as they are: read at the start, and again as soon as the version of the cluster state
 * is another one. While it is the same no index, mapping, alias, setting or primary term has changed, which one small
 * request shows. Memory: about 1 KB an index and 200 bytes a shard, hashes in the place of mappings.
 */
export class SourceView {
  readonly #input: SourceViewInput
  readonly #listeners: ((change: ViewChange) => void)[] = []
  #entries = new Map<string, ViewEntry>()
  #names: ReadonlySet<string> = new Set()
  #streams: readonly StreamIndices[] = []
  #stateVersion: string | undefined
  #clusterUuid: string | undefined
  /** When the list was read last, and how long that took, in ms. */
  #listed = { at: -Infinity, tookMs: 0 }
  #reading: Promise<ViewChange> | undefined
  #next: Promise<ViewChange> | undefined

  private constructor(input: SourceViewInput) {
    this.#input = input
  }

  /** Reads the source for the first time. Errors as Cluster.request(). */
  static async open(input: SourceViewInput): Promise<SourceView> {
    const view = new SourceView(input)
    await view.#read()
    return view
  }

  /** A selected index; undefined where the source has none of that name. */
  index(name: string): SourceIndex | undefined {
    return this.#entries.get(name)?.index
  }

  *indices(): Iterable<SourceIndex> {
    for (const { index } of this.#entries.values()) yield index
  }

  /** Whether the source has an index of this name, selected or not. */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** False while a primary of the index is not started: then nobody knows whether its history is the one it had. */
  isSettled(name: string): boolean {
    return this.#entries.get(name)?.isSettled ?? false
  }

  /** Another text where mapping, settings, aliases, or the data stream of the index are others. */
  stamp(name: string): string | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    const { index, details, newest = '' } = entry
    const { mapping, settings, aliasHash } = details
    return [index.uuid, mapping, settings, aliasHash, index.dataStream ?? '', newest].join(' ')
  }

  /** Of the whole cluster; undefined for engines that have none (before 2). */
  get clusterUuid(): string | undefined {
    return this.#clusterUuid
  }

  /** The selected data streams. */
  streams(): readonly StreamIndices[] {
    return this.#streams
  }

  /** Tells of each change that a refresh() finds, whoever called it. */
  onChange(listener: (change: ViewChange) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Looks again: what is read was so after the call. Several callers at once share one look. Gives what has changed.
   * Throws MA_CLUSTER_KIND where another cluster answers than at the start.
   */
  refresh(): Promise<ViewChange> {
    if (this.#reading === undefined) return this.#begin()
    this.#next ??= this.#reading.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  /**
   * Primaries of these indices as they are now. Left out is an index that is closed, gone or another one, and one with a
   * primary that is not started. Primary terms are read after the numbers: where they are as before, the numbers are
   * those of that primary.
   */
  async shards(names: readonly string[]): Promise<Map<string, readonly SourceShard[]>> {
    const { source, signal } = this.#input
    const open = names.flatMap((name) => {
      const entry = this.#entries.get(name)
      return entry?.index.isOpen && tellsNumbers(source) ? [entry.listed] : []
    })
    const shards = await readShards(source, open, signal)
    const terms = await readPrimaryTerms(source, open, signal)
    return new Map(
      open.flatMap(({ name }) => {
        const primaries = shards.get(name)
        const told = terms.get(name)
        if (primaries === undefined || told === undefined) return []
        const now = primaries.map((one, shard) => ({ ...one, primaryTerm: told[shard] ?? null }))
        return [[name, now] as const]
      }),
    )
  }

  #begin(): Promise<ViewChange> {
    this.#next = undefined
    this.#reading = this.#look().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #look(): Promise<ViewChange> {
    const { source, signal } = this.#input
    const version = await readStateVersion(source, signal)
    const isSame = version !== undefined && version === this.#stateVersion
    const isRested = performance.now() - this.#listed.at > unsettledMs
    if (isSame && !(isRested && this.#hasUnsettled())) return new Map()
    await this.#rest()
    const change = await this.#read()
    if (change.size > 0) for (const listener of this.#listeners) listener(change)
    return change
  }

  #hasUnsettled(): boolean {
    for (const { isSettled } of this.#entries.values()) if (!isSettled) return true
    return false
  }

  /** A source with very many indices, in which something changes all the time, is not kept busy with its list. */
  async #rest(): Promise<void> {
    const { at, tookMs } = this.#listed
    const restMs = Math.min(at + tookMs * restTimes - performance.now(), restMaxMs)
    const { signal } = this.#input
    if (restMs > 1) await wait(restMs, undefined, { ...(signal && { signal }) })
  }

  async #read(): Promise<ViewChange> {
    const { source, select, withStreams, signal } = this.#input
    const begun = performance.now()
    const list = await readList(source, signal)
    this.#listed = { at: performance.now(), tookMs: performance.now() - begun }
    this.#checkCluster(list)
    const { indices, streams } = list
    const names = selectedNames(list, select, withStreams)
    const listed = names.map((name) => indices.get(name)!)
    const before = this.#entries
    const changed = listed.filter((index) => !isAsBefore(before.get(index.name), index))
    const isChanged = new Set(changed)
    const details = await readDetails(source, changed, signal)
    const readHistories = tellsNumbers(source) ? readShards : readRestores
    const shards = await readHistories(
      source,
      changed.filter(({ isOpen }) => isOpen),
      signal,
    )
    const selected = withStreams ? selectStreams(streams, select) : []
    const behind = streamsByIndex(selected)
    const entries = new Map<string, ViewEntry>()
    for (const index of listed) {
      const old = before.get(index.name)
      const own = details.get(index.name) ?? old?.details
      // Deleted since the list was read: the next look will tell.
      if (own === undefined) continue
      const numbers = isChanged.has(index) ? shards.get(index.name) : old?.index.shards
      const isTold = numbers !== undefined || !index.isOpen
      entries.set(
        index.name,
        await this.#entry(index, own, { old, numbers, isTold, stream: behind.get(index.name) }),
      )
    }
    this.#entries = entries
    this.#names = new Set(indices.keys())
    this.#streams = selected
    this.#stateVersion = list.stateVersion
    return changesBetween(before, entries)
  }

  async #entry(
    listed: ListedIndex,
    details: IndexDetails,
    {
      old,
      numbers,
      isTold,
      stream,
    }: {
      old: ViewEntry | undefined
      numbers: readonly SourceShard[] | undefined
      isTold: boolean
      stream: StreamIndices | undefined
    },
  ): Promise<ViewEntry> {
    const { name, uuid, isOpen, numberOfShards, routingPartitionSize, runsPipeline } = listed
    const isSameIndex = old?.listed.uuid === uuid
    const shards = numbers ?? unknownShards(listed)
    const histories = shards.map(
      ({ historyUuid }, shard) =>
        historyUuid ?? (isSameIndex ? old.histories[shard] : null) ?? null,
    )
    const index: SourceIndex = {
      name,
      uuid,
      isOpen,
      numberOfShards,
      numberOfRoutingShards: await this.#routingShards(listed, isSameIndex ? old : undefined),
      routingPartitionSize,
      runsPipeline,
      mayRoute: details.mayRoute,
      aliases: details.aliases,
      ...(stream && { dataStream: stream.name }),
      shards,
    }
    const isSettled = isTold && index.numberOfRoutingShards > 0
    return { index, listed, details, newest: stream?.indices.at(-1), histories, isSettled }
  }

  /** Engines before 7 tell them nowhere: they are found out once for each open index. */
  async #routingShards(listed: ListedIndex, old: ViewEntry | undefined): Promise<number> {
    if (listed.numberOfRoutingShards !== undefined) return listed.numberOfRoutingShards
    const known = old?.index.numberOfRoutingShards ?? 0
    if (known > 0 || !listed.isOpen) return known || listed.numberOfShards
    const { source, signal } = this.#input
    const index = { ...listed, state: 'open' as const }
    try {
      return await findRoutingShards(source, index, signal)
    } catch (error) {
      // Deleted or closed since: asked again at the next look.
      if (error instanceof MigrationError && error.details.status !== undefined) return 0
      throw error
    }
  }

  #checkCluster({ clusterUuid }: SourceList): void {
    this.#clusterUuid ??= clusterUuid
    if (clusterUuid === this.#clusterUuid) return
    const { url } = this.#input.source
    throw new MigrationError(
      'MA_CLUSTER_KIND',
      `${url} is another cluster (uuid ${clusterUuid}) than the source was (uuid ${this.#clusterUuid}): nothing is taken from it`,
    )
  }
}

/** A primary that was not started is looked for again after this time, also where nothing else has changed. */
const unsettledMs = 500
/** Between two lists there is so many times the time that the first one took. */
const restTimes = 4
const restMaxMs = 10_000

/** As selectIndices(), but a pattern that names nothing is no slip here: indices come and go. */
function selectedNames(list: SourceList, select: Selection, withStreams: boolean): string[] {
  const { streams, apart } = list
  const indices = [...list.indices.keys()].sort()
  const names = [...indices, ...streams.map(({ name }) => name)]
  const include = (select.include ?? []).filter(
    (pattern) => pattern === '*' || names.some(matcher([pattern])),
  )
  if (include.length === 0 && (select.include ?? []).length > 0) return []
  const existing = { ...select, include }
  return [...selectIndices({ indices, streams, apart }, existing, { withStreams }).names]
}

function streamsByIndex(streams: readonly StreamIndices[]): Map<string, StreamIndices> {
  return new Map(streams.flatMap((stream) => stream.indices.map((index) => [index, stream])))
}

/** Sequence numbers and histories of shards are there since Elasticsearch 6. */
function tellsNumbers({ version }: Cluster): boolean {
  return version.flavour === 'opensearch' || version.major >= 6
}

function unknownShards({ numberOfShards, primaryTerms }: ListedIndex): SourceShard[] {
  return Array.from({ length: numberOfShards }, (_, shard) => {
    return { ...noNumbers, primaryTerm: primaryTerms[shard] ?? null }
  })
}

function isAsBefore(old: ViewEntry | undefined, listed: ListedIndex): boolean {
  if (old === undefined || !old.isSettled || listed.version === undefined) return false
  return old.listed.uuid === listed.uuid && old.listed.version === listed.version
}
