import type { DocumentBlock } from './document-block.ts'
import type { ShardReader } from './shard-reader.ts'

/** Ids that several documents of a shard have: documents of several mapping types. */
export interface EqualIds {
  count: number
  /** There are more: so many were found that it was enough. */
  isLeast: boolean
  /** The first few of them. */
  readonly examples: string[]
}

/** At most so many bits for ids that were seen, and as many for those seen twice: 32 MB each. */
const bitsMax = 2 ** 28
/** With eight bits an id one in sixteen meets another by chance. */
const bitsPerId = 8
const examplesMax = 5
/** Ids that are held at once to be told apart. */
const suspectsMax = 4_000_000

/**
 * Counts the ids that more than one live document of the shard has, looking at documents of the types in `only` (null:
 * of all). Reads all stored fields twice for each 33 million documents; memory does not grow with them. Two ids are taken
 * for one with a chance of 2^-64.
 */
export async function findEqualIds(
  reader: Pick<ShardReader, 'segments' | 'readBlocks'>,
  only: readonly string[] | null,
  {
    bits = bitsMax,
    held = suspectsMax,
    signal,
  }: { bits?: number; held?: number; signal?: AbortSignal | undefined } = {},
): Promise<EqualIds> {
  const total = reader.segments.reduce((sum, { liveCount }) => sum + liveCount, 0)
  const parts = Math.max(1, Math.ceil((total * bitsPerId) / bits))
  const found: EqualIds = { count: 0, isLeast: false, examples: [] }
  for (let part = 0; part < parts; part++) {
    const size = Math.min(bits, 2 ** Math.ceil(Math.log2(Math.max(64, total * bitsPerId))))
    const eachId = (visit: (id: IdAt) => void): Promise<void> =>
      visitIds(reader, only, visit, signal)
    const suspects = await findSuspects(eachId, { part, parts, size })
    if (suspects === undefined) continue
    await countEqual(eachId, suspects, found, held)
    if (!found.isLeast) continue
    // Where none are equal, too many looked alike: fewer at once.
    return found.count > 0
      ? found
      : findEqualIds(reader, only, { bits: Math.max(64, bits >> 2), held: held * 2, signal })
  }
  return found
}

/** An id by its hash, in two halves, and where it stands. */
interface IdAt {
  hash1: number
  hash2: number
  block: DocumentBlock
  i: number
}

type EachId = (visit: (id: IdAt) => void) => Promise<void>

interface Part {
  readonly part: number
  readonly parts: number
  /** A power of two. */
  readonly size: number
}

/** Says whether an id may be one of those that were seen twice. */
type Suspects = (id: IdAt) => boolean

/** undefined where no two ids share a bit: then no two are equal. */
async function findSuspects(
  eachId: EachId,
  { part, parts, size }: Part,
): Promise<Suspects | undefined> {
  const once = new Uint32Array(size / 32)
  const twice = new Uint32Array(size / 32)
  const isMine = (id: IdAt): boolean => (id.hash2 >>> 0) % parts === part
  let any = false
  await eachId((id) => {
    if (!isMine(id)) return
    const bit = id.hash1 & (size - 1)
    const mask = 1 << (bit & 31)
    if ((once[bit >>> 5]! & mask) !== 0) {
      twice[bit >>> 5]! |= mask
      any = true
    } else once[bit >>> 5]! |= mask
  })
  if (!any) return undefined
  return (id) => {
    const bit = id.hash1 & (size - 1)
    return isMine(id) && (twice[bit >>> 5]! & (1 << (bit & 31))) !== 0
  }
}

/** By chance one in sixteen ids of a part is a suspect: two million. Where many more are, their number is not counted. */
async function countEqual(
  eachId: EachId,
  suspects: Suspects,
  found: EqualIds,
  held: number,
): Promise<void> {
  const seen = new Map<bigint, boolean>()
  await eachId((id) => {
    if (!suspects(id)) return
    const key = (BigInt(id.hash1) << 32n) | BigInt(id.hash2 >>> 0)
    const before = seen.get(key)
    if (before === undefined && seen.size >= held) found.isLeast = true
    else if (before === undefined) seen.set(key, false)
    if (before !== false) return
    seen.set(key, true)
    found.count++
    const { block, i } = id
    if (found.examples.length < examplesMax) {
      found.examples.push(block.bytes.toString('utf8', block.idStart[i], block.idEnd[i]))
    }
  })
}

async function visitIds(
  reader: Pick<ShardReader, 'segments' | 'readBlocks'>,
  only: readonly string[] | null,
  visit: (id: IdAt) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const types = only === null ? undefined : only.map((type) => Buffer.from(type))
  const id = { hash1: 0, hash2: 0, i: 0 } as IdAt
  for (const { name } of reader.segments) {
    for await (const block of reader.readBlocks(name)) {
      signal?.throwIfAborted()
      id.block = block
      for (let i = 0; i < block.count; i++) {
        if (types !== undefined && !types.some((type) => isType(block, i, type))) continue
        id.i = i
        hashId(id)
        visit(id)
      }
    }
  }
}

function isType({ bytes, typeStart, typeEnd }: DocumentBlock, i: number, type: Buffer): boolean {
  const [start, end] = [typeStart[i]!, typeEnd[i]!]
  return (
    start >= 0 &&
    end - start === type.length &&
    bytes.compare(type, 0, type.length, start, end) === 0
  )
}

/** Two different sums of the bytes of the id, mixed at the end (as murmur3 does). */
function hashId(id: IdAt): void {
  const { bytes, idStart, idEnd } = id.block
  let one = 0x2f0b4c47
  let two = 0x7b1dcdaf
  for (let at = idStart[id.i]!; at < idEnd[id.i]!; at++) {
    const byte = bytes[at]!
    one = Math.imul(one ^ byte, 0x01000193)
    two = Math.imul(two + byte, 0x85ebca6b) ^ (two >>> 13)
  }
  id.hash1 = mixed(one ^ two)
  id.hash2 = mixed(two + Math.imul(one, 0x9e3779b1))
}

function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
