/**
 * Versioned writes in the small: what an index of the source and one of the target are to the applier, in memory, so that
 * thousands of interleavings can be tried. A model, and no engine: what real ones do is shown in test/system.
 */
import type { JsonObject } from '../../src/base/json.ts'
import type { Answer, Cluster, EngineVersion, RequestOptions } from '../../src/cluster/cluster.ts'
import type { Change } from '../../src/sync/change.ts'
import type { SourceIndex, SourceShard } from '../../src/sync/source-index.ts'

/** Numbers in [0, 1), as a test wants them. */
export type Dice = () => number

const version: EngineVersion = {
  ...{ flavour: 'opensearch', text: '3.6.0', major: 3, minor: 6, patch: 0 },
}

abstract class ModelCluster implements Cluster {
  readonly url = 'model'
  readonly version = version
  abstract readonly side: 'source' | 'target'
  protected abstract answer(path: string, options: RequestOptions): JsonObject

  async requestRaw(_: string, path: string, options: RequestOptions = {}): Promise<Answer<Buffer>> {
    for (let turns = this.turns(); turns > 0; turns--) await new Promise(setImmediate)
    const body = Buffer.from(JSON.stringify(this.answer(path, options)))
    for (let turns = this.turns(); turns > 0; turns--) await new Promise(setImmediate)
    return { status: 200, headers: {}, body }
  }

  async request<T = JsonObject>(
    method: string,
    path: string,
    options?: RequestOptions,
  ): Promise<Answer<T>> {
    const answer = await this.requestRaw(method, path, options)
    return { ...answer, body: JSON.parse(answer.body.toString()) as T }
  }

  /** How long an answer takes. */
  protected abstract turns(): number

  async close(): Promise<void> {}
}

interface ModelDocument {
  readonly seqNo: number
  readonly n: number
}

/** One index with one shard, whose writes are all safe at once. */
export class ModelSource extends ModelCluster {
  readonly side = 'source'
  readonly documents = new Map<string, ModelDocument>()
  readonly index: SourceIndex
  readonly #dice: Dice
  #next = 0

  constructor(dice: Dice) {
    super()
    this.#dice = dice
    this.index = {
      ...{ name: 'i', uuid: 'u', isOpen: true, numberOfShards: 1, numberOfRoutingShards: 1 },
      ...{ routingPartitionSize: 1, runsPipeline: false, mayRoute: false, aliases: new Map() },
      shards: [],
    }
  }

  get shards(): readonly SourceShard[] {
    const last = this.#next - 1
    const numbers = { maxSeqNo: last, localCheckpoint: last, globalCheckpoint: last }
    return [{ historyUuid: 'h', primaryTerm: 1, ...numbers }]
  }

  /** What the exchange of a write comes to. */
  write(id: string, n: number): Change {
    const seqNo = this.#next++
    this.documents.set(id, { seqNo, n })
    const source = Buffer.from(JSON.stringify({ n }))
    return { index: 'i', id, routing: null, what: 'write', seqNo, source, primaryTerm: 1 }
  }

  delete(id: string): Change {
    const seqNo = this.#next++
    this.documents.delete(id)
    return { index: 'i', id, routing: null, what: 'delete', seqNo, primaryTerm: 1 }
  }

  protected override turns(): number {
    return Math.floor(this.#dice() * 4)
  }

  protected override answer(path: string, { body }: RequestOptions): JsonObject {
    if (path !== '/_mget')
      return { hits: { total: { value: 0 }, hits: [] }, _shards: { failed: 0 } }
    const { docs } = body as unknown as { docs: { _id: string }[] }
    return {
      docs: docs.map(({ _id }) => {
        const known = this.documents.get(_id)
        if (known === undefined) return { _index: 'i', _id, found: false }
        const numbers = { _seq_no: known.seqNo, _primary_term: 1, _version: 1 }
        return { _index: 'i', _id, ...numbers, found: true, _source: { n: known.n } }
      }),
    }
  }
}

interface Held {
  readonly version: number
  /** null: a tombstone. */
  readonly source: JsonObject | null
}

/** Keeps the newest version of each document; items fail at random in ways that pass. */
export class ModelTarget extends ModelCluster {
  readonly side = 'target'
  readonly held = new Map<string, Held>()
  readonly #dice: Dice
  readonly #failures: number
  bulks = 0

  /** `failures`: share of items that are answered 503. */
  constructor(dice: Dice, failures: number) {
    super()
    this.#dice = dice
    this.#failures = failures
  }

  documents(): Map<string, JsonObject> {
    return new Map(
      [...this.held].flatMap(([id, { source }]) =>
        source === null ? [] : [[id, source] as const],
      ),
    )
  }

  forgetTombstones(): void {
    for (const [id, { source }] of this.held) if (source === null) this.held.delete(id)
  }

  protected override turns(): number {
    return Math.floor(this.#dice() * 6)
  }

  protected override answer(_: string, { body }: RequestOptions): JsonObject {
    this.bulks++
    const lines = (body as Buffer).toString().trimEnd().split('\n')
    const items: JsonObject[] = []
    for (let at = 0; at < lines.length; at++) {
      const action = JSON.parse(lines[at]!) as { [kind: string]: { _id: string; version: number } }
      const [kind, { _id: id, version }] = Object.entries(action)[0]!
      const source = kind === 'index' ? (JSON.parse(lines[++at]!) as JsonObject) : null
      items.push({ [kind]: this.#apply(id, { version, source }) })
    }
    return { errors: items.some((item) => JSON.stringify(item).includes('"error"')), items }
  }

  #apply(id: string, write: Held): JsonObject {
    if (this.#dice() < this.#failures) {
      const reason = 'primary shard is not active'
      return { status: 503, error: { type: 'unavailable_shards_exception', reason } }
    }
    const known = this.held.get(id)
    if (known !== undefined && known.version > write.version) {
      const reason = `[${id}]: version conflict, current version [${known.version}] is higher than the one provided [${write.version}]`
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason } }
    }
    this.held.set(id, write)
    return { status: 200 }
  }
}
