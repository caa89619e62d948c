import type { CompareReport } from '../compare/report/compare-report.ts'
import type { PerformanceVerdict } from '../compare/performance/record.ts'
import type { SearchVerdict } from '../compare/searches/search-verdict.ts'
import { curlCommand } from './curl.ts'
import { printable } from './output.ts'
import { milliseconds, times } from './report-parts.ts'

const rowsMax = 200
const shapesShown = 20

/** The report as text with tables, for tickets and pull requests. */
export function compareReportMarkdown(report: CompareReport): string {
  const { migration, madeAt, source, target, areas, gate, searches, speed } = report
  const parts = [
    `# Comparison: ${text(migration)}`,
    `${code(source ?? 'a snapshot')} → ${code(target ?? 'no target')}, made ${times(madeAt)}.`,
    table(
      ['area', 'verdict', 'what was found', 'when'],
      areas.map(({ area, verdict, summary, endedAt, stale, how }) => [
        area,
        `**${verdict}**${stale === null ? '' : ` (${stale})`}`,
        text(summary),
        endedAt === null ? `to compare: ${code(how)}` : times(endedAt),
      ]),
    ),
    `## Gate: ${gate.state}`,
    table(
      ['asked for', 'limit', 'found', 'state', 'why'],
      gate.lines.map(({ gate: name, limit, found, state, reasons }) => [
        name,
        limit,
        text(found ?? '-'),
        `**${state}**`,
        text(reasons.slice(0, 5).join('; ')),
      ]),
    ),
    ...documentParts(report),
    ...metadataParts(report),
    ...(searches ? searchParts(searches, report) : []),
    ...(speed ? speedParts(speed) : []),
    '## What the comparisons cannot see',
    areas
      .flatMap(({ area, cannotSee }) => cannotSee.map((one) => `- ${area}: ${text(one)}`))
      .join('\n') || 'Nothing is named.',
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function documentParts({ documents, notCompared }: CompareReport): string[] {
  if (documents.length === 0) return []
  return [
    '## Documents',
    table(
      ['index', 'verdict', 'source', 'equal', 'different', 'missing', 'extra', 'target'],
      documents
        .slice(0, rowsMax)
        .map((one) => [
          code(one.index),
          one.verdict,
          ...[one.source, one.equal, one.different, one.missing, one.extra, one.target].map(String),
        ]),
    ),
    more(documents.length - rowsMax),
    notCompared.length === 0 ? '' : `${notCompared.length} selected indices were not compared.`,
  ]
}

function metadataParts({ metadata }: CompareReport): string[] {
  if (metadata === null) return []
  const { findings, findingsAll } = metadata
  if (findings.length === 0) return ['## Metadata', 'All objects are equal.']
  return [
    '## Metadata',
    table(
      ['what', 'kind', 'name', 'why'],
      findings.map(({ what, kind, name, why }) => [what, kind, code(name), text(why)]),
    ),
    more(findingsAll - findings.length),
  ]
}

function searchParts(searches: SearchVerdict, { source, target }: CompareReport): string[] {
  const differing = searches.shapes.filter(({ different }) => different > 0)
  const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3))
  return [
    '## Searches',
    table(
      [
        'requests',
        'otherwise',
        'in noise',
        'overlap@10',
        'rank-biased overlap',
        'nDCG',
        "Kendall's tau",
      ],
      [
        [
          ...[searches.requests, searches.different, searches.noise].map(String),
          ...[
            searches.overlapAt10,
            searches.rankBiasedOverlap,
            searches.ndcg,
            searches.kendallTau,
          ].map(figure),
        ],
      ],
    ),
    ...differing
      .slice(0, shapesShown)
      .flatMap(({ template, requests, different, findings, example }) => [
        `### ${different} of ${requests} otherwise: ${Object.keys(findings).join(', ')}`,
        fenced(template),
        table(
          ['what', 'where', 'source', 'target'],
          example.findings.map((one) => [
            one.what,
            code(one.where),
            text(one.source ?? 'nothing'),
            text(one.target ?? 'nothing'),
          ]),
        ),
        fenced(
          `${curlCommand(source ?? '$SOURCE', example)}\n${curlCommand(target ?? '$TARGET', example.target ?? example)}`,
        ),
      ]),
    more(differing.length - shapesShown),
  ]
}

function speedParts({ shapes, why, verdict }: PerformanceVerdict): string[] {
  const time = (estimate: { value: number } | null): string =>
    estimate === null ? '-' : milliseconds(estimate.value)
  return [
    '## Speed',
    `**${verdict}**: ${text(why)}`,
    table(
      ['verdict', 'shape', 'source p50', 'target p50', 'source p99', 'target p99', 'p99 ratio'],
      shapes
        .slice(0, rowsMax)
        .map(({ verdict: one, template, source, target, ratios }) => [
          one,
          code(template),
          ...[source.p50, target.p50, source.p99, target.p99].map(time),
          ratios.p99 === null ? '-' : ratios.p99.value.toFixed(2),
        ]),
    ),
    more(shapes.length - rowsMax),
  ]
}

function more(count: number): string {
  return count > 0 ? `and ${count} more in report.json.` : ''
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Names and messages of others: no line breaks, no markup, no cells. */
function text(value: string): string {
  return printable(value).replace(/[\\`*_[\]<>|#&]/g, (character) => `\\${character}`)
}

/** Between as many backticks as the text does not have. */
function code(value: string): string {
  const shown = printable(value).replaceAll('|', '\\|')
  const ticks = '`'.repeat(longestRun(shown) + 1)
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : ''
  return `${ticks}${pad}${shown}${pad}${ticks}`
}

function fenced(value: string): string {
  const shown = value.split('\n').map(printable).join('\n')
  const ticks = '`'.repeat(Math.max(3, longestRun(shown) + 1))
  return `${ticks}\n${shown}\n${ticks}`
}

function longestRun(value: string): number {
  return Math.max(0, ...[...value.matchAll(/`+/g)].map(([run]) => run.length))
}
