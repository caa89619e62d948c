/**
 * `npm run fuzz [-- --seconds 600] [--target NAME]… [--seed N] [--run N]`: feeds hostile bytes to every decoder and ends with 1
 * when one of them met them with anything but a typed error or right documents.
 */
import './instrument.ts'
import { parseArgs } from 'node:util'
import type { Finding, Tally } from './run.ts'

const secondsDefault = 60
/** Targets take turns of this length, so that a run that is stopped has seen all of them. */
const turnMs = 2000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string' },
    run: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const seconds = Number(values.seconds ?? secondsDefault)
const only = values.run === undefined ? undefined : Number(values.run)

// The decoders come after what makes them count.
const { describe, fuzz, prepare } = await import('./run.ts')
const { allTargets } = await import('./targets.ts')

const chosen = allTargets.filter(({ name }) => values.target?.includes(name) ?? true)
if (chosen.length === 0 || [seed, seconds, only ?? 0].some((number) => !Number.isFinite(number))) {
  console.error(`targets: ${allTargets.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

console.log(`seed ${seed}, ${chosen.length} targets, ${seconds} s`)
const prepared = []
for (const target of chosen)
  prepared.push({
    ...(await prepare(target)),
    next: only ?? 0,
    tally: undefined as Tally | undefined,
  })
const findings: Finding[] = []
const end = Date.now() + seconds * 1000
for (let round = 1; ; round++) {
  for (const one of prepared) {
    const left = (end - Date.now()) / prepared.length
    const timeMaxMs = Math.max(50, Math.min(turnMs, left))
    const toRun = only === undefined ? Infinity : only + 1
    const result = await fuzz(one, { seed, fromRun: one.next, toRun, timeMaxMs })
    one.next += result.tally.runs
    one.tally = one.tally === undefined ? result.tally : added(one.tally, result.tally)
    for (const finding of result.findings) {
      findings.push(finding)
      console.log(`\n${describe(finding)}`)
    }
  }
  const done = only !== undefined || Date.now() >= end
  const runs = prepared.reduce((sum, { tally }) => sum + (tally?.runs ?? 0), 0)
  const left = Math.max(0, Math.round((end - Date.now()) / 1000))
  console.log(`round ${round}: ${runs} runs, ${findings.length} findings, ${left} s left`)
  if (done) break
}
printTable(prepared.map(({ tally }) => tally!))
console.log(
  findings.length === 0
    ? `\nnothing found, seed ${seed}`
    : `\n${findings.length} findings, seed ${seed}`,
)
process.exitCode = findings.length === 0 ? 0 : 1

function added(sum: Tally, more: Tally): Tally {
  const errors = new Map(sum.errors)
  for (const [code, count] of more.errors) errors.set(code, (errors.get(code) ?? 0) + count)
  return {
    ...sum,
    runs: sum.runs + more.runs,
    right: sum.right + more.right,
    errors,
    workShare: Math.max(sum.workShare, more.workShare),
    bytesShare: Math.max(sum.bytesShare, more.bytesShare),
  }
}

/** Work and bytes: the most that a run took of what it was allowed. */
function printTable(tallies: readonly Tally[]): void {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
  const rows = tallies.map((one) => [
    one.target,
    `${one.samples}`,
    `${one.runs}`,
    `${one.right}`,
    percent(one.workShare),
    percent(one.bytesShare),
    [...one.errors].map(([code, count]) => `${code.slice(3)} ${count}`).join(', '),
  ])
  const table = [['target', 'samples', 'runs', 'right', 'work', 'bytes', 'typed errors'], ...rows]
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)))
  console.log()
  for (const row of table) {
    console.log(
      row
        .map((cell, i) =>
          i === 0 || i === 6 ? cell.padEnd(i === 6 ? 0 : widths[i]!) : cell.padStart(widths[i]!),
        )
        .join('  '),
    )
  }
}
