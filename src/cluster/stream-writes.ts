import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { BulkBody, ItemProblem } from './bulk-body.ts'
import { deliverBulk, type BulkWait } from './bulk.ts'
import type { Cluster } from './cluster.ts'
import { scanUpsertSource } from './upsert-source.ts'
import type { StreamIndex } from './write-place.ts'

/** What a document behind a data stream shall be, whatever it is now. */
export interface StreamDocument {
  readonly id: string
  readonly routing: string | null
  /** JSON in one line. Null: there shall be none. */
  readonly source: Buffer | null
  /** Only where this is there, by value; undefined: in any case. */
  readonly replaces?: Json
  /** Asked after the document was looked at, and before it is changed: false leaves it as it is. */
  readonly isWanted?: () => Promise<boolean>
}

export interface StreamWrite {
  readonly stream: StreamIndex
  /** Each id once. */
  readonly documents: readonly StreamDocument[]
  readonly gzip?: boolean | undefined
  readonly waitMaxMs: number
  readonly signal: AbortSignal
  readonly onWait?: ((wait: BulkWait) => void) | undefined
}

/**
 * Writes by compare-and-set: a document that is there is replaced or deleted only as the very change that was read, one
 * that is not is inserted only where there still is none, and what somebody else changed meanwhile is looked at again.
 * So a write of this that arrives late, or twice, changes nothing any more. The text of sources is kept: where an insert
 * would change it, a document with nothing but its time is inserted, and replaced.
 *
 * Gives what the target refuses, by its position; a document that was there then stays as it was. One id must not be
 * written by two calls at once. Errors as deliverBulk(), and MA_TARGET_INDEX where somebody else changes a document
 * faster than it can be replaced.
 */
export async function writeToStream(cluster: Cluster, write: StreamWrite): Promise<ItemProblem[]> {
  const refused: ItemProblem[] = []
  let open = write.documents.map((document, item): OpenWrite => ({ item, document }))
  for (let round = 0; open.length > 0; round++) {
    if (round === roundsMax) throw changedByOthers(cluster, write.stream, open)
    open = await new Round(cluster, write, open).run(refused)
  }
  return refused
}

const roundsMax = 30

interface OpenWrite {
  readonly item: number
  readonly document: StreamDocument
}

/** A document as the target has it. */
interface Found {
  readonly seqNo: number
  readonly primaryTerm: number
  readonly source: Json
}

type Action = OpenWrite & { readonly text: Buffer; readonly placeholder?: Json }

/** One look at all that is open, and one bulk. */
class Round {
  readonly #cluster: Cluster
  readonly #write: StreamWrite
  readonly #open: readonly OpenWrite[]
  readonly #field: Buffer

  constructor(cluster: Cluster, write: StreamWrite, open: readonly OpenWrite[]) {
    this.#cluster = cluster
    this.#write = write
    this.#open = open
    this.#field = Buffer.from(write.stream.timestampField)
  }

  /** Gives what is still to be done. */
  async run(refused: ItemProblem[]): Promise<OpenWrite[]> {
    const { stream, gzip, waitMaxMs, signal, onWait } = this.#write
    const found = await this.#read()
    const actions: Action[] = []
    for (const [i, one] of this.#open.entries()) {
      const action = this.#action(one, found[i])
      if (action && ((await one.document.isWanted?.()) ?? true)) actions.push(action)
    }
    if (actions.length === 0) return []
    const body = bodyOf(actions)
    const delivery = { stream, body, gzip, waitMaxMs, signal, onWait }
    const outcome = await deliverBulk(this.#cluster, delivery)
    const problems = new Map(outcome.refused.map((problem) => [problem.item, problem]))
    const again = new Set(outcome.conflicts.map(({ item }) => item))
    const next: OpenWrite[] = []
    for (const [i, action] of actions.entries()) {
      const { item, document, placeholder } = action
      const problem = problems.get(i)
      if (problem !== undefined) {
        refused.push({ ...problem, item })
        // What stands there for the document must not stay.
        if (document.replaces !== undefined && document.source !== null) {
          next.push({ item, document: { ...document, source: null } })
        }
      } else if (placeholder !== undefined && !again.has(i)) {
        next.push({ item, document: { ...document, replaces: placeholder } })
      } else if (again.has(i)) next.push({ item, document })
    }
    return next
  }

  #action({ item, document }: OpenWrite, found: Found | undefined): Action | undefined {
    const { id, routing, source, replaces } = document
    if (replaces !== undefined && !(found && isSameByValue(replaces, found.source)))
      return undefined
    const name = { _id: id, ...(routing !== null && { routing }) }
    if (found) {
      const action = { ...name, if_seq_no: found.seqNo, if_primary_term: found.primaryTerm }
      const kind = source === null ? 'delete' : 'index'
      return { item, document, text: linesOf({ [kind]: action }, source) }
    }
    if (source === null) return undefined
    const { insert, isKept } = insertOf(source, this.#field)
    const text = linesOf({ update: name }, insertLine(insert))
    return { item, document, text, ...(!isKept && { placeholder: parsed(insert) }) }
  }

  /** In the order of what is open. Only where something is to be compared its source is asked for. */
  async #read(): Promise<(Found | undefined)[]> {
    const { stream, signal } = this.#write
    const path = `/${encodeURIComponent(stream.index)}/_mget`
    const found: (Found | undefined)[] = []
    for (let at = 0; at < this.#open.length; at += readAtOnce) {
      const part = this.#open.slice(at, at + readAtOnce)
      const docs = part.map(({ document: { id, routing, replaces } }) => {
        return { _id: id, ...(routing !== null && { routing }), _source: replaces !== undefined }
      })
      const { body } = await this.#cluster.request('POST', path, { body: { docs }, signal })
      found.push(...this.#foundIn(body.docs, part.length))
    }
    return found
  }

  #foundIn(docs: Json | undefined, count: number): (Found | undefined)[] {
    const where = `${this.#cluster.side} ${this.#cluster.url}: _mget of ${this.#write.stream.index}`
    if (!Array.isArray(docs) || docs.length !== count) {
      throw new MigrationError('MA_CLUSTER_RESPONSE', `${where} gave no list of ${count} documents`)
    }
    return docs.map((doc) => {
      if (!isJsonObject(doc) || typeof doc.found !== 'boolean') {
        const said = JSON.stringify(doc).slice(0, 500)
        throw new MigrationError(
          'MA_CLUSTER_RESPONSE',
          `${where} says nothing of a document: ${said}`,
        )
      }
      const { found, _seq_no: seqNo, _primary_term: primaryTerm, _source: source = null } = doc
      if (!found) return undefined
      if (typeof seqNo === 'number' && typeof primaryTerm === 'number') {
        return { seqNo, primaryTerm, source }
      }
      throw new MigrationError('MA_CLUSTER_RESPONSE', `${where} gave no numbers of a document`)
    })
  }
}

const readAtOnce = 500

/** What is inserted of a source: all of it where that is kept as it is, else its time alone, to be replaced. */
export function insertOf(
  source: Buffer,
  timestampField: Buffer,
): { readonly insert: Buffer; readonly isKept: boolean } {
  const { isKept, timeStart, timeEnd } = scanUpsertSource(source, 0, source.length, timestampField)
  if (isKept || timeStart < 0) return { insert: source, isKept }
  const name = Buffer.from(JSON.stringify(timestampField.toString()))
  const time = source.subarray(timeStart, timeEnd)
  const parts = [Buffer.from('{'), name, Buffer.from(':'), time, Buffer.from('}')]
  return { insert: Buffer.concat(parts), isKept }
}

function insertLine(source: Buffer): Buffer {
  return Buffer.concat([Buffer.from('{"doc":{},"upsert":'), source, Buffer.from('}')])
}

function linesOf(action: Json, line: Buffer | null): Buffer {
  const head = Buffer.from(`${JSON.stringify(action)}\n`)
  return line === null ? head : Buffer.concat([head, line, Buffer.from('\n')])
}

function bodyOf(actions: readonly Action[]): BulkBody {
  const itemStart = new Int32Array(actions.length + 1)
  actions.forEach(({ text }, i) => (itemStart[i + 1] = itemStart[i]! + text.length))
  return { bytes: Buffer.concat(actions.map(({ text }) => text)), itemStart, count: actions.length }
}

function parsed(source: Buffer): Json {
  return JSON.parse(source.toString()) as Json
}

/** Numbers as doubles, which is how an engine prints those that it changes; too large ones as text. */
function isSameByValue(one: Json, other: Json): boolean {
  if (one === Infinity || one === -Infinity) return String(one) === other
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, i) => isSameByValue(value, other[i]!))
  }
  if (isJsonObject(one) && isJsonObject(other)) {
    const keys = Object.keys(one)
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => key in other && isSameByValue(one[key]!, other[key]!))
    )
  }
  return one === other
}

function changedByOthers(
  { side, url }: Cluster,
  { index }: StreamIndex,
  open: readonly OpenWrite[],
): MigrationError {
  const { id } = open[0]!.document
  return new MigrationError(
    'MA_TARGET_INDEX',
    `${side} ${url}: ${open.length} documents of ${index}, ${JSON.stringify(id)} among them, changed each time that they were to be ` +
      'replaced: somebody else writes them. Stop that, then run again',
    { details: { index, id } },
  )
}
