import { shardOfDocument } from '../base/shard-of.ts'
import { systemClock, type Clock } from '../cluster/backoff.ts'
import type { IndexFlow } from './index-flow.ts'
import type { PendingDocument, SourceKind } from './pending-document.ts'
import type { PresentDocument } from './present-document.ts'
import type { FoundDocument } from './read-answer.ts'
import type { SourceDocuments } from './source-documents.ts'
import type { SourceShard } from './source-index.ts'

export interface ReadBackInput {
  readonly documents: Pick<SourceDocuments, 'read'>
  readonly kind: SourceKind
  /** Checkpoints as they are now, and after them the primary terms; an index with a primary that is not started is absent. */
  readonly shards: (
    names: readonly string[],
  ) => Promise<ReadonlyMap<string, readonly SourceShard[]>>
  readonly signal: AbortSignal
  readonly clock?: Clock
}

/** What became of documents that were read. */
export interface ReadBackResult {
  readonly present: PresentDocument[]
  /** Nothing is to be done about them: their index is gone, or nothing of the kind is found anywhere. */
  readonly nothing: PendingDocument[]
  /** To be read again later, by the reason for which their index waits. */
  readonly held: Troubled[]
  /** The source refuses to read them, now and ever. */
  readonly refused: Refused[]
}

interface Troubled {
  readonly document: PendingDocument
  readonly reason: string
}

type Refused = Troubled & { readonly cause: string }

type Shards = ReadonlyMap<string, readonly SourceShard[]>

/** It is to be believed once the primary's checkpoint has got to `need`, in the life in which it was read. */
interface Doubt {
  readonly result: PresentDocument
  readonly shard: number
  /** undefined: the greatest number that there is when it is looked at first. */
  need: number | undefined
}

const roundsMax = 6
const looksMax = 7
const lookMs = 20

/**
 * Reads from the source what documents are now (design §3.4). What is read may be rolled back: a document numbered above
 * its primary's global checkpoint is believed only when that has got there under the same primary term; else it is read
 * again. One that is not found is deleted at the number that its own delete named, else at the checkpoint as it was before
 * it was looked for, once all that the primary had by then is safe.
 */
export async function readBack(
  wanted: readonly PendingDocument[],
  input: ReadBackInput,
): Promise<ReadBackResult> {
  const result: ReadBackResult = { present: [], nothing: [], held: [], refused: [] }
  let open = wanted
  for (let round = 0; open.length > 0; round++) {
    if (round === roundsMax) {
      const reason = 'the primaries of its shards on the source change again and again'
      result.held.push(...open.map((document) => ({ document, reason })))
      break
    }
    open = await readOnce(open, input, result)
  }
  return result
}

/** Gives what is to be read again. */
async function readOnce(
  wanted: readonly PendingDocument[],
  input: ReadBackInput,
  result: ReadBackResult,
): Promise<PendingDocument[]> {
  const before = await shardsOf(wanted, input)
  const readable = wanted.filter((document) => {
    if (!input.kind.numbered || before.has(document.flow.name)) return true
    const reason = 'a primary of its shards on the source is not started, or the index is closed'
    result.held.push({ document, reason })
    return false
  })
  const again: PendingDocument[] = []
  const doubts: Doubt[] = []
  for (const [document, found] of await input.documents.read(readable)) {
    const judged = judge(document, found, { before, numbered: input.kind.numbered })
    if (judged === 'again') again.push(document)
    else if (judged === 'nothing') result.nothing.push(document)
    else if ('cause' in judged) result.refused.push({ document, ...judged })
    else if ('reason' in judged) result.held.push({ document, ...judged })
    else {
      result.present.push(...judged.sure)
      doubts.push(...judged.doubts)
    }
  }
  if (again.length > 0 && doubts.length === 0) await pause(0, input)
  again.push(...(await confirm(doubts, { before, input, result })))
  return again
}

/** Wrong with the document itself, and not with its index or shard. */
function isOfDocument({ type }: { readonly type: string }): boolean {
  return type === 'illegal_argument_exception' || type === 'action_request_validation_exception'
}

interface Judged {
  readonly sure: PresentDocument[]
  readonly doubts: Doubt[]
}

function judge(
  document: PendingDocument,
  found: readonly FoundDocument[],
  { before, numbered }: { before: Shards; numbered: boolean },
): Judged | 'again' | 'nothing' | Pick<Refused, 'cause' | 'reason'> | { reason: string } {
  const error = found.find((one) => one.error !== undefined)?.error
  if (error?.type === 'index_not_found_exception') return 'nothing'
  if (error !== undefined && (error.isOwn || isOfDocument(error)))
    return { cause: error.type, reason: `the source: ${error.reason}` }
  if (error !== undefined && error.type !== 'routing_missing_exception') {
    return { reason: `the source answered ${error.type}: ${error.reason}` }
  }
  const judged: Judged = { sure: [], doubts: [] }
  for (const one of found) {
    if (!one.found) continue
    const present = presentFrom(document, one, numbered)
    const shard = shardOf(document.flow, present, document)
    const checkpoint = before.get(document.flow.name)?.[shard]?.globalCheckpoint ?? undefined
    const isSafe = checkpoint === undefined || present.number <= checkpoint
    if (isSafe) judged.sure.push(present)
    else judged.doubts.push({ result: present, shard, need: present.number })
  }
  if (judged.sure.length + judged.doubts.length > 0) return judged
  return judgeMissing(document, before, numbered)
}

function judgeMissing(
  document: PendingDocument,
  before: Shards,
  numbered: boolean,
): Judged | 'again' | 'nothing' | { reason: string } {
  // Where it lay nobody tells: what deleted it names its routing.
  if (document.routing === undefined) return 'nothing'
  const absent = { pending: document, routing: document.routing, type: document.type, source: null }
  const { number, deletedBy, version, primaryTerm } = document
  if (deletedBy >= 0 && deletedBy >= number) {
    const own = { ...absent, number: deletedBy, version, primaryTerm }
    return { sure: [own], doubts: [] }
  }
  const shard = shardOf(document.flow, absent, document)
  const checkpoint = before.get(document.flow.name)?.[shard]?.globalCheckpoint ?? undefined
  if (!numbered || checkpoint === undefined) {
    // Later than all that was told of it; a delete counts one up.
    const after = { ...absent, number: number + 1, version: undefined, primaryTerm }
    return number < 0 ? 'nothing' : { sure: [after], doubts: [] }
  }
  if (checkpoint < number) return 'again'
  // The version that the target has of it, where clients give the versions and nobody knows that of the delete.
  const told = document.flow.hasClientVersions ? version : undefined
  const at = { ...absent, number: checkpoint, version: told, primaryTerm: undefined }
  if (checkpoint < 0) return 'nothing'
  return { sure: [], doubts: [{ result: at, shard, need: undefined }] }
}

function presentFrom(
  pending: PendingDocument,
  found: FoundDocument,
  numbered: boolean,
): PresentDocument {
  const { routing, type, parent, source, seqNo, version, primaryTerm } = found
  return {
    pending,
    routing,
    type: pending.type ?? type,
    ...(parent !== undefined && { parent }),
    ...(source === undefined && { lacksSource: true }),
    source: source ?? Buffer.from('{}'),
    number: (numbered ? seqNo : version) ?? -1,
    version,
    primaryTerm,
  }
}

function shardOf(
  { source }: IndexFlow,
  { routing }: { routing: string | null },
  { id, shard }: PendingDocument,
): number {
  return shard ?? shardOfDocument(id, routing, source)
}

/** Waits a moment for the checkpoints; gives what has to be read again. */
async function confirm(
  doubts: readonly Doubt[],
  { before, input, result }: { before: Shards; input: ReadBackInput; result: ReadBackResult },
): Promise<PendingDocument[]> {
  const again = new Set<PendingDocument>()
  let open = doubts
  for (let look = 0; open.length > 0; look++) {
    if (look > 0) await pause(look, input)
    const now = await shardsOf(
      open.map(({ result: { pending } }) => pending),
      input,
    )
    const still: Doubt[] = []
    for (const doubt of open) {
      const { flow } = doubt.result.pending
      const shard = now.get(flow.name)?.[doubt.shard]
      if (shard === undefined || isOther(shard, before.get(flow.name)![doubt.shard]!)) {
        again.add(doubt.result.pending)
        continue
      }
      doubt.need ??= shard.maxSeqNo ?? -1
      if (doubt.need <= (shard.globalCheckpoint ?? -1)) result.present.push(doubt.result)
      else still.push(doubt)
    }
    open = still
    if (look === looksMax) break
  }
  for (const { result: unsure, shard, need } of open) {
    const reason = `copies of shard ${shard} on the source have not confirmed its operation ${need} yet`
    if (!again.has(unsure.pending)) result.held.push({ document: unsure.pending, reason })
  }
  return [...again]
}

function isOther(now: SourceShard, before: SourceShard): boolean {
  return now.primaryTerm !== before.primaryTerm || now.historyUuid !== before.historyUuid
}

function shardsOf(documents: readonly PendingDocument[], input: ReadBackInput): Promise<Shards> {
  if (!input.kind.numbered) return Promise.resolve(new Map())
  return input.shards([...new Set(documents.map(({ flow }) => flow.name))])
}

function pause(look: number, { clock = systemClock, signal }: ReadBackInput): Promise<void> {
  return clock.sleep(lookMs * 2 ** look, signal)
}
