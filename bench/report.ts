import { readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { PartResult } from './parts.ts'

interface Goal {
  readonly what: string
  readonly met: (result: PartResult) => boolean
}

/** What the program is to reach on a quiet machine of two cores; only told for the corpora that they are meant for. */
function goalsOf(result: PartResult): Goal[] {
  const { part, corpus } = result
  if (result.sourceMb < 400) return []
  const isFull = result.sourceMb < 500
  const atLeast = (what: string, of: (one: PartResult) => number, least: number): Goal => ({
    what: `${what} ≥ ${least.toLocaleString('en')}`,
    met: (one) => of(one) >= least,
  })
  const atMost = (what: string, of: (one: PartResult) => number, most: number): Goal => ({
    what: `${what} ≤ ${most}`,
    met: (one) => of(one) <= most,
  })
  if (part.startsWith('(a)')) {
    return [
      atLeast('MB/CPU s', (one) => one.mbPerCpuSecond, corpus.includes('DEFLATE') ? 220 : 380),
    ]
  }
  if (part.startsWith('(b)')) {
    const goals = [atMost('RSS MB', (one) => one.rssPeakMb, part.includes('1 thread') ? 170 : 250)]
    if (!isFull || !corpus.includes('1 shard, LZ4') || !part.includes('1 thread')) return goals
    return [
      atMost('CPU s', (one) => one.cpuSeconds, 3.2),
      atLeast('docs/s', (one) => one.documentsPerSecond, 80_000),
      ...goals,
    ]
  }
  return result.ofCeiling === undefined
    ? []
    : [atLeast('of the ceiling', (one) => one.ofCeiling!, 0.9)]
}

const columns: [string, (result: PartResult) => string][] = [
  ['part', ({ part }) => part],
  ['corpus', ({ corpus }) => corpus],
  ['docs/s', ({ documentsPerSecond }) => Math.round(documentsPerSecond).toLocaleString('en')],
  ['MB/s', ({ mbPerSecond }) => mbPerSecond.toFixed(0)],
  ['seconds', ({ seconds }) => seconds.toFixed(2)],
  ['CPU s', ({ cpuSeconds }) => cpuSeconds.toFixed(2)],
  ['MB/CPU s', ({ mbPerCpuSecond }) => mbPerCpuSecond.toFixed(0)],
  ['RSS MB', ({ rssPeakMb }) => rssPeakMb.toFixed(0)],
  ['read MB', ({ repositoryMb }) => repositoryMb?.toFixed(0) ?? ''],
  ['of ceiling', ({ ofCeiling }) => (ofCeiling === undefined ? '' : ofCeiling.toFixed(2))],
  ['hash', ({ hash, correct }) => (correct ? (hash ?? 'counts right') : `WRONG ${hash ?? ''}`)],
  [
    'goals',
    (result) =>
      goalsOf(result)
        .map(({ what, met }) => `${what} ${met(result) ? 'met' : 'NOT MET'}`)
        .join('; '),
  ],
]

/** The results as a table of Markdown, which is readable on a terminal too. */
export function tableText(results: readonly PartResult[]): string {
  return alignedTable([
    columns.map(([name]) => name),
    ...results.map((result) => columns.map(([, text]) => text(result))),
  ])
}

/** Rows of cells, the first the heads. */
export function alignedTable(rows: readonly string[][]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n')
}

const resultsFile = path.join(import.meta.dirname, 'RESULTS.md')
const resultsHead = `# Results of the benchmarks

Written by \`npm run bench\`, section by section; do not edit.
`

/** Writes one section of bench/RESULTS.md, in the place of the one of that title. */
export async function recordSection(title: string, text: string): Promise<void> {
  const before = await readFile(resultsFile, 'utf8').catch(() => resultsHead)
  const [head = '', ...sections] = before.split(/^(?=## )/m)
  const others = sections.filter((section) => !section.startsWith(`## ${title}\n`))
  const all = [...others, `## ${title}\n\n${text.trim()}\n`].sort()
  await writeFile(resultsFile, [head, ...all].map((one) => `${one.trim()}\n`).join('\n'))
}

/** When, where and by which command, as it was typed. */
export function measuredText(): string {
  const command = process.argv.slice(2).join(' ')
  const processor = os.cpus()[0]?.model ?? 'unknown processor'
  const machine = `${os.cpus().length} × ${processor}, ${Math.round(os.totalmem() / 2 ** 30)} GiB`
  const load = `load ${os.loadavg()[0]!.toFixed(1)} at the end`
  const day = new Date().toISOString().slice(0, 10)
  return `- ${day}, ${machine}, ${load}, Node.js ${process.version}: \`npm run bench -- ${command}\``
}

export function backfillText(results: readonly PartResult[]): string {
  return `Medians of ${results[0]?.runs ?? 0} runs; RSS is the highest of all.

${measuredText()}
- Corpus: log-like documents of 1,000 to 2,400 bytes, a snapshot of Elasticsearch 7.10.2, one in a hundred documents updated.
- (a) decodes every document and throws it away, CPU of a warm pass; (b) is a whole \`runBackfill\` in a process of its own,
  start-up included, into a process that answers \`_bulk\`; (c) is the same into a real OpenSearch 3 on the same machine,
  against a bare loop that posts the same bodies from a file.
- hash: sum of 64-bit digests of id and \`_source\` of every document; it is right when it is that of the generator.

${tableText(results)}
`
}
