import { selectNames } from '../base/select.ts'
import { withMigration } from '../migration/migration.ts'
import { selectionOf } from '../migration/open-snapshot.ts'
import {
  auditIndexKind,
  auditVerdictKind,
  type AuditIndex,
  type AuditShard,
} from '../sync/audit-records.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatNumber, formatTime, printJson, printLine, printTable, printable } from './output.ts'
import { auditLine } from './sync-views.ts'

export async function showAudit(invocation: Invocation): Promise<ExitCode> {
  const loaded = await invocation.loadConfig()
  const { verdict, indices } = await withMigration(loaded, invocation.signal, async (migration) => {
    const state = await migration.state('read')
    const all: AuditIndex[] = []
    for await (const { value } of state.each(auditIndexKind)) all.push(value)
    const names = new Set(
      selectNames(
        all.map(({ index }) => index),
        selectionOf(migration.config),
      ),
    )
    return {
      verdict: (await state.get(auditVerdictKind, 'audit'))?.value ?? null,
      indices: all.filter(({ index }) => names.has(index)),
    }
  })
  if (invocation.json) printJson({ verdict, indices })
  else printAudit(indices, { isByShard: invocation.options.shards === true })
  if (!invocation.json) printLine(`${indices.length > 0 ? '\n' : ''}${auditLine(verdict)}`)
  if (verdict === null) return exitCodes.unfinished
  return indices.every((one) => one.verdict === 'caught-up') ? exitCodes.done : exitCodes.differs
}

const verdicts: Record<AuditIndex['verdict'], string> = {
  'caught-up': 'complete',
  open: 'OPEN',
  'not-provable': 'not provable',
}

function printAudit(indices: readonly AuditIndex[], { isByShard }: { isByShard: boolean }): void {
  if (indices.length === 0) return
  const header = [
    'index',
    'audit',
    'as of',
    'highest',
    'accounted',
    'snapshot',
    'captured',
    'found',
    'compared',
    'missing',
  ]
  printTable(
    header,
    indices.flatMap(({ index, verdict, asOf, shards }) => {
      const time = asOf === null ? '-' : formatTime(Date.parse(asOf))
      const whole = [[index, verdicts[verdict], time, ...numbersOf(shards)]]
      if (!isByShard) return whole
      return [
        ...whole,
        ...shards.map((one) => [`  shard ${one.shard}`, '', '', ...numbersOf([one])]),
      ]
    }),
  )
  for (const one of indices) for (const line of remarks(one)) printLine(line)
}

function numbersOf(shards: readonly AuditShard[]): (number | string)[] {
  const sum = (of: (shard: AuditShard) => number): number =>
    shards.reduce((total, shard) => total + of(shard), 0)
  const highest = shards.map(({ maxSeqNo }) => maxSeqNo)
  return [
    highest.includes(null) || highest.length === 0 ? '-' : Math.max(...(highest as number[])),
    sum(({ accounted }) => accounted),
    sum(({ explained }) => explained.snapshot),
    sum(({ explained }) => explained.captured),
    sum(({ explained }) => explained.search),
    sum(({ explained }) => explained.comparison),
    sum(({ missing }) => missing),
  ]
}

function remarks({ index, waiting, found, shards }: AuditIndex): string[] {
  const lines: string[] = []
  if (waiting !== null) lines.push(`${printable(index)} waits: ${printable(waiting)}`)
  const past = found.search + found.missing + found.extra + found.other
  if (past > 0) {
    const last =
      found.lastAt === null ? '' : `, the last at ${formatTime(Date.parse(found.lastAt))}`
    lines.push(
      `${printable(index)}: ${formatNumber(past)} documents had come by no record (${formatNumber(found.search)} found by number, ${formatNumber(found.missing + found.extra + found.other)} by comparison)${last}: they are on the target now`,
    )
  }
  for (const { id, source, target } of found.ahead) {
    lines.push(
      `${printable(index)}: ${printable(id)} has number ${target} on the target and ${source ?? 'none'} on the source`,
    )
  }
  for (const { shard, ranges, since } of shards) {
    if (ranges.length === 0) continue
    const shown = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`))
    const time = since === null ? '' : ` since ${formatTime(Date.parse(since))}`
    lines.push(`${printable(index)}, shard ${shard}: missing ${shown.join(', ')}${time}`)
  }
  return lines
}
