import { CorruptData } from '../base/errors.ts'
import type { DocumentBlock } from '../document/document-block.ts'
import { openShardReader } from '../document/open-shard-reader.ts'
import type { Verify } from '../document/shard-reader.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import type { CanonicalDigest } from './canonical.ts'
import {
  absent,
  combine,
  digestMalformed,
  digestVersion,
  ScannedDocument,
} from './scanned-document.ts'
import type { DocumentName, Visit } from './scanned-document.ts'
import { throwIfStopped } from './stopped.ts'
import { versionOf, type VersionRule } from './version-rule.ts'

export interface SnapshotScan {
  readonly snapshot: Snapshot
  readonly index: string
  readonly verify: Verify
  readonly digest: CanonicalDigest
  /** The version that a document is to have on the target stands in the place of its `_source`. */
  readonly rule?: VersionRule | undefined
  /** Changes documents as they were changed on their way; undefined where they went as they are. */
  readonly transform?:
    ((blocks: AsyncIterable<DocumentBlock>) => AsyncIterable<DocumentBlock>) | undefined
  /** Told of each block; it may hold the scan up. */
  readonly onBlock?: (block: DocumentBlock) => Promise<void> | void
  readonly signal: AbortSignal
}

/**
 * Visits every live document of a shard in a snapshot, and gives the number of those that the transform leaves out, which
 * are not visited. Errors: those of reading a snapshot; MA_STOPPED; MA_TRANSFORM.
 */
export async function scanSnapshotShard(
  scan: SnapshotScan,
  shard: number,
  visit: Visit,
): Promise<number> {
  let dropped = 0
  const visitor = new BlockVisitor({
    digest: scan.digest,
    rule: scan.rule,
    where: `_source in index ${scan.index} of snapshot ${scan.snapshot.name}`,
  })
  const files = await scan.snapshot.openShard(scan.index, shard)
  const reader = await openShardReader(files, { verify: scan.verify })
  try {
    for (const segment of reader.segments) {
      const stored = reader.readBlocks(segment.name)
      for await (const block of scan.transform?.(stored) ?? stored) {
        throwIfStopped(scan.signal, `comparing ${scan.index}`)
        dropped += visitor.visit(block, visit)
        await scan.onBlock?.(block)
      }
    }
  } finally {
    await reader.close()
  }
  return dropped
}

/** Shows the documents of blocks as a scan does. */
export class BlockVisitor {
  readonly #about: BlockVisitorInput
  readonly #document = new ScannedDocument()

  constructor(about: BlockVisitorInput) {
    this.#about = about
  }

  /** Gives the number of documents that are left out by a transform: they are not visited. */
  visit(block: DocumentBlock & Partial<TransformedBlock>, visit: Visit): number {
    return visitBlock(this.#about, block, this.#document, visit)
  }
}

export interface BlockVisitorInput {
  readonly digest: CanonicalDigest
  readonly rule: VersionRule | undefined
  readonly where: string
}

function visitBlock(
  { digest, rule, where }: BlockVisitorInput,
  block: DocumentBlock & Partial<TransformedBlock>,
  document: ScannedDocument,
  visit: Visit,
): number {
  let dropped = 0
  digest.use(block.bytes, where)
  let i = 0
  document.name = () => nameAt(block, i)
  for (; i < block.count; i++) {
    if (block.unsent?.get(i)?.why === 'dropped') {
      dropped++
      continue
    }
    digest.raw(block.idStart[i]!, block.idEnd[i]!)
    document.id1 = digest.half1
    document.id2 = digest.half2
    let routing1: number = absent.half1
    let routing2: number = absent.half2
    if (block.routingStart[i]! >= 0) {
      digest.raw(block.routingStart[i]!, block.routingEnd[i]!)
      routing1 = digest.half1
      routing2 = digest.half2
    }
    let source1: number = absent.half1
    let source2: number = absent.half2
    const start = block.sourceStart[i]!
    document.sourceBytes = start < 0 ? 0 : block.sourceEnd[i]! - start
    document.nameBytes = block.idEnd[i]! - block.idStart[i]!
    if (rule !== undefined) {
      const told = rule.from === 'seqNo' ? block.seqNo[i]! : block.version[i]!
      digestVersion(digest, versionOf(rule, told))
      source1 = digest.half1
      source2 = digest.half2
    } else if (start >= 0) {
      digestSource(digest, block, i)
      source1 = digest.half1
      source2 = digest.half2
    }
    combine(digest, document, { routing1, routing2, source1, source2 })
    visit(document)
  }
  return dropped
}

function nameAt(block: DocumentBlock, i: number): DocumentName {
  const { bytes } = block
  const id = bytes.toString('utf8', block.idStart[i], block.idEnd[i])
  if (block.routingStart[i]! < 0) return { id }
  return { id, routing: bytes.toString('utf8', block.routingStart[i], block.routingEnd[i]) }
}

function digestSource(digest: CanonicalDigest, block: DocumentBlock, i: number): void {
  let start = block.sourceStart[i]!
  let end = block.sourceEnd[i]!
  try {
    digest.text(start, end)
  } catch (error) {
    if (!(error instanceof CorruptData)) throw error
    while (start < end && block.bytes[start]! <= 0x20) start++
    while (start < end && block.bytes[end - 1]! <= 0x20) end--
    digestMalformed(digest, start, end)
  }
}
