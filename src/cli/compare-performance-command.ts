import type { Command } from 'commander'
import { reasonsWorse } from '../compare/performance/compare-performance.ts'
import type { LoadPlan } from '../compare/performance/load-plan.ts'
import type { PerformanceProgress } from '../compare/performance/performance-run.ts'
import type { PerformanceVerdict } from '../compare/performance/record.ts'
import { addConfigFlags, addExamples, defineAction, type Invocation } from './command.ts'
import { printPerformance } from './compare-performance-view.ts'
import { addRequestFlags, requestFlags } from './compare-searches-command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatDuration, formatNumber, printJson } from './output.ts'
import { Progress, say, type ProgressRow } from './progress.ts'

/** `osmigrate compare performance`. */
export function defineComparePerformance(compare: Command): void {
  const command = compare
    .command('performance')
    .summary('latency and throughput of both sides under the same load')
    .description(
      'Puts the same searches as load on both sides, in short turns beside each other, first with a constant number of them under way, then at a constant rate, and says for each shape of request whether the target is faster, the same, slower, or whether that cannot be told, with the intervals that say so. What it will send is said before; it is bounded in time and number, and ends when the source gets slow. Exit code 0 when nothing is slower, 3 when something is, or fails on the target alone, 4 when it ended before all was measured.',
    )
  addConfigFlags(command, ['source', 'target', 'select', 'transform', 'compare.performance'])
  addRequestFlags(command)
  command.option(
    '--writes [INDEX]',
    'also write documents of this index (of the largest one) to indices osmigrate-scratch-*, which are deleted afterwards; it writes to the source, too',
  )
  addExamples(command, [
    ['osmigrate compare performance', 'what clients asked, as the proxy recorded it'],
    ['osmigrate compare performance --generate 300 --rounds 10 --turn 1s', 'a first look'],
    ['osmigrate compare performance --load-rate 200 --saturation target', ''],
    ['osmigrate compare performance --requests searches.ndjson --writes shop --json', ''],
  ])
  defineAction(command, compareCommand, { stopping: 'stopping; nothing of this run is kept' })
}

async function compareCommand(invocation: Invocation): Promise<ExitCode> {
  const { withMigration } = await import('../migration/migration.ts')
  const { compareConfiguredPerformance } = await import('../migration/compare-performance.ts')
  const loaded = await invocation.loadConfig()
  const { writes } = invocation.options
  const progress = new Progress()
  const verdict = await withMigration(loaded, invocation.signal, (migration) =>
    compareConfiguredPerformance(migration, {
      ...requestFlags(invocation.options),
      writes: typeof writes === 'string' || writes === true ? writes : undefined,
      onGathered: (label, done) => progress.update([{ label, done }]),
      onWarning: (message) => say(message, 'warning'),
      onPlan: (plan) => say(planText(plan)),
      onProgress: (one) => progress.update([progressRow(one)]),
    }),
  ).finally(() => progress.end())
  const reasons = reasonsOf(verdict, loaded.config.gates.compare.p99Ratio)
  if (invocation.json) printJson({ ...verdict, reasons })
  else printPerformance(verdict, reasons)
  if (reasons.length > 0) return exitCodes.differs
  return verdict.endedEarly === null ? exitCodes.done : exitCodes.unfinished
}

function reasonsOf(verdict: PerformanceVerdict, p99Ratio: number | undefined): string[] {
  const reasons = reasonsWorse(verdict)
  const found = verdict.all?.ratios.p99?.value
  if (p99Ratio !== undefined && found !== undefined && found > p99Ratio) {
    const limit = `gates.compare.p99Ratio asks for ${p99Ratio}`
    reasons.push(
      `the p99 of the target is ${found.toFixed(2)} times that of the source, and ${limit}`,
    )
  }
  return reasons
}

/** What is about to be sent; said before the first request. */
export function planText(plan: LoadPlan): string {
  const { connections, rate, rounds, sourceBrake, saturation } = plan
  const atRate =
    rate === undefined
      ? 'then at half the rate that the slower side manages so'
      : `then ${formatNumber(rate)} requests a second`
  const more = [
    ...(saturation === 'none'
      ? []
      : [`then ever more of them, until ${sidesText(saturation)} breaks`]),
    ...(plan.writes ? ['then bulks of documents to scratch indices on both sides'] : []),
  ]
  return [
    `load: ${formatNumber(plan.requests)} requests of ${plan.shapes} shapes, one side at a time; ${rounds} rounds of a turn of ${formatDuration(plan.turnMs)} on each side`,
    `      first ${connections} requests under way, ${[atRate, ...more].join(', ')}`,
    `      about ${formatDuration(plan.expectedMs)}; ends after ${formatDuration(plan.timeMaxMs)}, after ${formatNumber(plan.requestsMax)} requests to a side,`,
    `      or when more than 1 % of the source's answers take over ${formatDuration(sourceBrake.p99)}, or over ${formatNumber(sourceBrake.errorRate * 100)} % of them are errors`,
    `      seed ${plan.seed}`,
  ].join('\n')
}

function sidesText(saturation: 'target' | 'both'): string {
  return saturation === 'both' ? 'either side' : 'the target'
}

function progressRow({ phase, done, total, requests }: PerformanceProgress): ProgressRow {
  const sent = `${formatNumber(requests.source + requests.target)} requests`
  return { label: phase, done, total, note: sent }
}
