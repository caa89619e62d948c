import type { Explained } from './account-records.ts'
import type { AuditIndex, AuditShard, AuditVerdict } from './audit-records.ts'
import type { IndexAudit } from './index-audit.ts'

const rangesShown = 20
const openShown = 100

/** What a look found of one index. */
export function indexVerdict(audit: IndexAudit): AuditIndex {
  const { index, waiting, found, comparison, coveredAt } = audit
  const shards = audit.shards.map((_, shard) => shardOf(audit, shard))
  const isNumbered = shards.every(({ maxSeqNo }) => maxSeqNo !== null)
  const isCaughtUp =
    coveredAt !== undefined &&
    found.ahead.length === 0 &&
    audit.accounts.every(({ isDoubtful }) => !isDoubtful) &&
    shards.every((shard, at) => shard.missing === 0 && isComplete(audit, at))
  return {
    index: index.name,
    verdict: !isNumbered ? 'not-provable' : isCaughtUp ? 'caught-up' : 'open',
    asOf: !isNumbered || coveredAt === undefined ? null : new Date(coveredAt).toISOString(),
    at: new Date().toISOString(),
    waiting,
    shards,
    found: { ...found },
    comparison,
  }
}

/** All that the newest reading knew of is accounted for. */
function isComplete({ accounts, readings }: IndexAudit, shard: number): boolean {
  const newest = readings[shard]!.newest
  return newest !== undefined && accounts[shard]!.numbers.completeTo >= newest.maxSeqNo
}

function shardOf({ accounts, readings, shards }: IndexAudit, shard: number): AuditShard {
  const { numbers, explained } = accounts[shard]!
  const { maxSeqNo, globalCheckpoint } = shards[shard]!
  const ranges: { from: number; to: number }[] = []
  let missing = 0
  for (const { from, to } of numbers.missing(0, globalCheckpoint ?? -1)) {
    missing += to - from + 1
    if (ranges.length < rangesShown) ranges.push({ from, to })
  }
  const since = ranges[0] && readings[shard]!.since(ranges[0].from)
  return {
    ...{ shard, maxSeqNo, globalCheckpoint, accounted: numbers.size },
    explained: { ...explained },
    ...{ missing, ranges },
    since: since === undefined ? null : new Date(since).toISOString(),
  }
}

/** Of all indices together. */
export function wholeVerdict(
  indices: readonly AuditIndex[],
  look: Pick<AuditVerdict, 'streamsRead' | 'ms' | 'searches' | 'comparisons'>,
): AuditVerdict {
  const open = indices.filter(({ verdict }) => verdict !== 'caught-up')
  const explained: Explained = { snapshot: 0, captured: 0, search: 0, comparison: 0 }
  const shards = indices.flatMap((index) => index.shards)
  for (const shard of shards) {
    for (const how of Object.keys(explained) as (keyof Explained)[]) {
      explained[how] += shard.explained[how]
    }
  }
  const sum = (of: (shard: AuditShard) => number): number =>
    shards.reduce((total, shard) => total + of(shard), 0)
  const isProvable = indices.every(({ verdict }) => verdict !== 'not-provable')
  const times = indices.map(({ asOf }) => asOf)
  return {
    verdict: !isProvable
      ? 'not-provable'
      : open.length > 0 || !look.streamsRead
        ? 'open'
        : 'caught-up',
    asOf: times.includes(null) ? null : (times.toSorted()[0] ?? new Date().toISOString()),
    at: new Date().toISOString(),
    indices: indices.length,
    open: open.slice(0, openShown).map(({ index }) => index),
    openCount: open.length,
    ...look,
    shards: shards.length,
    accounted: sum(({ accounted }) => accounted),
    missing: sum(({ missing }) => missing),
    pending: sum(({ maxSeqNo, globalCheckpoint }) => (maxSeqNo ?? 0) - (globalCheckpoint ?? 0)),
    explained,
  }
}
