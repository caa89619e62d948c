import type { CompareReport } from '../compare/report/compare-report.ts'
import type {
  FindingShown,
  SearchExample,
  SearchLatency,
  SearchShape,
  SearchVerdict,
} from '../compare/searches/search-verdict.ts'
import { curlCommand } from './curl.ts'
import { html, nameOf, type Markup } from './markup.ts'
import { formatNumber } from './output.ts'
import { milliseconds, nothingYet, table } from './report-parts.ts'
import { columnChart, xyChart } from './xy-chart.ts'

const shapesShown = 50
const how = 'osmigrate compare searches'

/** How answers agree, and the shapes of requests of which they agree least, each with a request to try. */
export function searchesSection(report: CompareReport): Markup {
  const { searches } = report
  if (searches === null) return nothingYet('searches', 'Searches', how)
  const differing = searches.shapes.filter((one) => one.different > 0 || one.errors.target > 0)
  const alike = searches.shapes.filter((one) => !differing.includes(one))
  return html`<section id="searches">
    <h2>Searches</h2>
    ${agreement(searches)}
    <div class="charts">
      ${columnChart('Requests by the share of the first ten hits that both have', classColumns(searches.overlapClasses), 'overlap@10')}
      ${searches.latencyPairs.length > 0 && scatter(searches)}
    </div>
    <p class="note">
      Times of single requests, asked side by side: for a look. What is faster is told below, under
      Speed.
    </p>
    ${differing.length > 0 && html`<h3>Shapes of requests that are answered otherwise, the worst first</h3>`}
    ${differing.slice(0, shapesShown).map((shape) => shapeDetails(shape, report))}
    ${differing.length > shapesShown && html`<p class="note">and ${formatNumber(differing.length - shapesShown)} more in report.json</p>`}
    ${
      alike.length > 0 &&
      html`<details>
        <summary>${formatNumber(alike.length)} shapes are answered alike</summary>
        ${table(
          ['shape', 'requests', 'of them in noise', 'overlap@10', 'source p50', 'target p50'],
          alike.map((shape) => [
            html`<code>${nameOf(shape.template)}</code>`,
            formatNumber(shape.requests),
            formatNumber(shape.noise),
            ratio(shape.overlapAt10),
            milliseconds(shape.latency.source.p50),
            milliseconds(shape.latency.target.p50),
          ]),
        )}
      </details>`
    }
    ${countsDetails('Request rules that fired', searches.rulesFired)}
    ${countsDetails('Requests that took no part', searches.leftOut)}
  </section>`
}

function agreement(one: SearchVerdict): Markup {
  const cards: [string, string][] = [
    ['requests', formatNumber(one.requests)],
    ['answered otherwise', formatNumber(one.different)],
    ['differ in noise alone', formatNumber(one.noise)],
    [
      'errors of source, of target',
      `${formatNumber(one.errors.source)}, ${formatNumber(one.errors.target)}`,
    ],
    ['overlap@10', ratio(one.overlapAt10)],
    ['rank-biased overlap', ratio(one.rankBiasedOverlap)],
    ['nDCG, the source as truth', ratio(one.ndcg)],
    ["Kendall's tau", ratio(one.kendallTau)],
  ]
  return html`<div class="cards">
    ${cards.map(([title, value]) => html`<div class="card"><b>${value}</b><span>${title}</span></div>`)}
  </div>`
}

function ratio(value: number | null): string {
  return value === null ? '-' : value.toFixed(3)
}

function classColumns(classes: readonly number[]) {
  return classes.map((value, i) => {
    const isWhole = i === classes.length - 1
    const label = isWhole ? '1' : `${i / 10}–`
    return { label, value, tone: isWhole ? 'good' : i < 5 ? 'bad' : 'warn' }
  })
}

function scatter({ latencyPairs }: SearchVerdict): Markup {
  const axis = { scale: 'log', format: (value: number) => formatNumber(value) } as const
  return xyChart(
    'Time of a request on both sides; above the line the target is slower',
    [{ name: '', tone: 'answers', marks: 'points', points: latencyPairs.map(([x, y]) => [x, y]) }],
    {
      x: { ...axis, title: 'source, ms' },
      y: { ...axis, title: 'target, ms' },
      diagonal: true,
    },
  )
}

function shapeDetails(shape: SearchShape, { source, target }: CompareReport): Markup {
  const { template, requests, different, noise, errors, findings, latency, example } = shape
  const kinds = Object.entries(findings).sort(([, a], [, b]) => b - a)
  return html`<details>
    <summary>
      <span class="tag bad">${formatNumber(different)} of ${formatNumber(requests)}</span>
      ${kinds.map(([kind]) => kind).join(', ')} · <code>${nameOf(template)}</code>
    </summary>
    ${table(
      [
        'overlap@10',
        'rank-biased',
        'nDCG',
        "Kendall's tau",
        'in noise',
        'errors of source',
        'of target',
      ],
      [
        [
          ratio(shape.overlapAt10),
          ratio(shape.rankBiasedOverlap),
          ratio(shape.ndcg),
          ratio(shape.kendallTau),
          ...[noise, errors.source, errors.target].map(formatNumber),
        ],
      ],
    )}
    ${table(
      ['time', 'p50', 'p90', 'p99', 'longest'],
      [latencyRow('source', latency.source), latencyRow('target', latency.target)],
    )}
    ${exampleMarkup(example, { source, target })}
  </details>`
}

function latencyRow(side: string, { p50, p90, p99, max }: SearchLatency): string[] {
  return [side, ...[p50, p90, p99, max].map(milliseconds)]
}

function exampleMarkup(
  example: SearchExample,
  { source, target }: { source: string | null; target: string | null },
): Markup {
  return html`${
      example.findings.length > 0 &&
      html`<h4>One of them: what its answers differ in</h4>
        ${table(['what', 'where', 'source', 'target', 'why it does not count'], example.findings.map(findingRow))}`
    }
    <h4>To ask the source</h4>
    <pre class="copy" tabindex="0">${curlCommand(source ?? '$SOURCE', example)}</pre>
    <h4>To ask the target</h4>
    <pre class="copy" tabindex="0">
${curlCommand(target ?? '$TARGET', example.target ?? example)}</pre>`
}

function findingRow({ what, where, source, target, noise }: FindingShown): (Markup | string)[] {
  return [
    what,
    html`<code>${nameOf(where)}</code>`,
    nameOf(source ?? 'nothing'),
    nameOf(target ?? 'nothing'),
    noise ?? '',
  ]
}

function countsDetails(title: string, counts: { readonly [name: string]: number }): Markup | false {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return (
    rows.length > 0 &&
    html`<details>
      <summary>${title}: ${formatNumber(rows.reduce((sum, [, count]) => sum + count, 0))}</summary>
      ${table(
        ['what', 'requests'],
        rows.map(([name, count]) => [nameOf(name), formatNumber(count)]),
      )}
    </details>`
  )
}
