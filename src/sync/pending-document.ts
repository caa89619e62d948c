import type { Change } from './change.ts'
import type { IndexFlow } from './index-flow.ts'

/** Counts down what one call brought, and tells when the last of it is settled. */
export class Ticket {
  readonly #settled: (taken: boolean) => void
  #open = 1
  #taken = true

  constructor(settled: (taken: boolean) => void) {
    this.#settled = settled
  }

  add(): void {
    this.#open++
  }

  /** Once for each that was added, and once by the one who made it, when nothing more is added. */
  done(taken: boolean): void {
    if (!taken) this.#taken = false
    if (--this.#open === 0) this.#settled(this.#taken)
  }
}

/** All that waits to be done about one document of the source, put together: the newest state that is asked for. */
export interface PendingDocument {
  readonly flow: IndexFlow
  /** Of the flow, when it was taken. */
  life: number
  readonly key: string
  readonly id: string
  readonly routing: string | null | undefined
  readonly type: string | undefined
  shard: number | undefined
  what: Change['what']
  source: Buffer | undefined
  /** What orders the changes of a document: the source's number, before 6.0 its `_version`; -1 where none was told. */
  number: number
  /** The greatest number of a delete; -1: none. */
  deletedBy: number
  /** `_version` of the newest. */
  version: number | undefined
  primaryTerm: number | undefined
  isNew: boolean
  /** All numbers of the source that are done with when this is. */
  seqNos: number[]
  readonly tickets: Ticket[]
  /** A kept delete that is applied once more: UUID of the target index that it is for. It is nothing new. */
  again: string | undefined
  /** Where it was found, if its routing was not told. */
  foundRouting: string | null | undefined
  /** Writes that it has become, and that are not settled yet. */
  parts: number
  /** Why it cannot be settled now. */
  heldBy: string | undefined
  /** performance.now() when it was held for the first time. */
  heldSince: number | undefined
  /** Something of it was not carried out, and is left to the audit. */
  isLeft: boolean
  /** It became a dead letter. */
  isRefused: boolean
  /** The index was made anew: what is there now is read. */
  isAnew: boolean
  /** What it is counted as while it is held. */
  bytes: number
}

/** What is known of the engine that the changes come from. */
export interface SourceKind {
  /** It numbers its operations: 6.0 and later. */
  readonly numbered: boolean
  /** Mapping types are part of what names a document: before 7. */
  readonly typed: boolean
}

/** What has no number, no version where the client gives them, or no routing that is known, is read. */
export function pendingOf(
  change: Change,
  flow: IndexFlow,
  kind: SourceKind,
  again?: string,
): PendingDocument {
  const { id, routing, seqNo, version } = change
  const number = (kind.numbered ? seqNo : version) ?? -1
  const isSure =
    number >= 0 && routing !== undefined && !(flow.hasClientVersions && version === undefined)
  const what = isSure || again !== undefined ? change.what : 'read'
  const type = kind.typed ? change.type : undefined
  return {
    flow,
    life: flow.life,
    key: keyOf(id, routing, type),
    id,
    routing,
    type,
    shard: change.shard,
    what,
    source: what === 'write' ? change.source : undefined,
    number,
    deletedBy: change.what === 'delete' ? number : -1,
    version,
    primaryTerm: change.primaryTerm,
    isNew: change.isNew === true,
    seqNos: seqNo === undefined || again !== undefined ? [] : [seqNo],
    tickets: [],
    again,
    foundRouting: undefined,
    parts: 0,
    heldBy: undefined,
    heldSince: undefined,
    ...{ isLeft: false, isRefused: false, isAnew: false },
    bytes: 0,
  }
}

/** Documents of one id and another routing, or another type, are others; one whose routing is not known is looked for apart. */
function keyOf(id: string, routing: string | null | undefined, type: string | undefined): string {
  if (routing === null && type === undefined) return id
  return JSON.stringify([id, routing === undefined ? [] : routing, type ?? null])
}

/**
 * Puts `other` to `into`, both about the same document: the newer number wins, of equal ones the one that came later; a
 * read swallows all, since it is made after all of them. Tickets and numbers are kept.
 */
export function coalesce(into: PendingDocument, other: PendingDocument): void {
  if (into.life !== other.life) forgetNumbers(into.life < other.life ? into : other)
  const isRead = into.what === 'read' || other.what === 'read'
  const wins =
    other.number > into.number || (other.number === into.number && other.again === undefined)
  if (wins) {
    into.what = other.what
    into.source = other.source
    into.number = other.number
    into.version = other.version
    into.primaryTerm = other.primaryTerm
    into.again = other.again
  }
  if (isRead) {
    into.what = 'read'
    into.source = undefined
    into.again = undefined
  }
  into.life = Math.max(into.life, other.life)
  into.shard ??= other.shard
  into.deletedBy = Math.max(into.deletedBy, other.deletedBy)
  into.isNew = into.isNew && other.isNew
  for (const seqNo of other.seqNos) into.seqNos.push(seqNo)
  for (const ticket of other.tickets) into.tickets.push(ticket)
}

/** Its numbers belong to another life of the index: what is there now is read. */
export function forgetNumbers(document: PendingDocument): void {
  document.what = 'read'
  document.source = undefined
  document.number = document.deletedBy = -1
  document.version = undefined
  document.primaryTerm = undefined
  document.seqNos = []
  document.life = document.flow.life
}

/** Beside `_source`: objects, strings and entries of maps. */
const overheadBytes = 1000

/** What it is counted as while it is held. */
export function bytesOf({ id, source, seqNos }: PendingDocument): number {
  return overheadBytes + 2 * id.length + 16 * seqNos.length + (source?.length ?? 0)
}
