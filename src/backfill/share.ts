import { MigrationError } from '../base/errors.ts'

/** A part of a backfill that one host of several does: the second of five is `{ number: 2, of: 5 }`. */
export interface Share {
  readonly number: number
  readonly of: number
}

/** The backfill as a whole. */
export const wholeBackfill: Share = { number: 1, of: 1 }

/** More hosts than a target takes documents from. */
const sharesMax = 1000

/** Reads `2/5`; no text is the whole. Throws MA_CONFIG for anything else. */
export function parseShare(text: string | undefined): Share {
  if (text === undefined) return wholeBackfill
  const [, number, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const share = { number: Number(number), of: Number(of) }
  if (share.number >= 1 && share.number <= share.of && share.of <= sharesMax) return share
  throw new MigrationError(
    'MA_CONFIG',
    `${JSON.stringify(text)} is no share: expected NUMBER/OF, e.g. 2/5 for the second of five hosts, of at most ${sharesMax}`,
    { details: { share: text } },
  )
}

/** As the state keeps it and people write it; null for the whole. */
export function shareText({ number, of }: Share): string | null {
  return of === 1 ? null : `${number}/${of}`
}

/** A shard with fewer bytes than this in the snapshot is done by one host whole: to open it costs more than to read it. */
export const cutBytesMin = 4 * 1024 * 1024

/** A shard as the split sees it: nothing of it that two hosts could see differently. */
export interface SplitShard {
  /** UUID of the source's index. */
  readonly sourceUuid: string
  readonly shard: number
  /** Of all its files in the snapshot. */
  readonly byteLength: number
}

/**
 * What a share has of a shard: a `part` of each that is worth cutting, and of the smaller ones some `whole` and `none` of
 * the others, in turn.
 *
 * The split follows from the snapshot alone, never from options or from what else is selected: so hosts that know
 * nothing of one another leave nothing out and do nothing twice.
 */
export function shareOfShard(shard: SplitShard, { number, of }: Share): 'whole' | 'part' | 'none' {
  if (of === 1) return 'whole'
  if (shard.byteLength >= cutBytesMin) return 'part'
  return (hashOf(shard.sourceUuid) + shard.shard) % of === number - 1 ? 'whole' : 'none'
}

/** So that the first shards of all the indices of one shard do not meet on one host. */
function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0
  return hash
}

export interface SplitSegment {
  readonly name: string
  readonly maxDoc: number
  readonly storedBytes: number
}

/** Documents [fromDoc, toDoc) of a segment. */
export interface SegmentStretch {
  readonly segment: string
  readonly fromDoc: number
  readonly toDoc: number
  readonly storedBytes: number
}

/**
 * The documents of a shard that are in a share: its segments in their order are one line of stored bytes, which is cut
 * into equal lengths. A cut inside a segment falls on the document in proportion. Shares never overlap, and together
 * they hold every document.
 */
export function stretchesOfShare(
  segments: readonly SplitSegment[],
  share: Share,
): SegmentStretch[] {
  const weights = segments.map(({ storedBytes }) => Math.max(1, storedBytes))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const from = cutAt(share.number - 1, share.of, total)
  const to = cutAt(share.number, share.of, total)
  const stretches: SegmentStretch[] = []
  let start = 0
  for (const [i, { name, maxDoc, storedBytes }] of segments.entries()) {
    const weight = weights[i]!
    const docAt = (cut: number): number =>
      cut <= start
        ? 0
        : cut >= start + weight
          ? maxDoc
          : Math.floor((maxDoc * (cut - start)) / weight)
    const fromDoc = docAt(from)
    const toDoc = docAt(to)
    if (fromDoc < toDoc) {
      const bytes = Math.round((storedBytes * (toDoc - fromDoc)) / maxDoc)
      stretches.push({ segment: name, fromDoc, toDoc, storedBytes: bytes })
    }
    start += weight
  }
  return stretches
}

/** Where share `number` ends: the same number for the one that ends there and the one that begins. */
function cutAt(number: number, of: number, total: number): number {
  return number === of ? total : Math.floor((total / of) * number)
}
