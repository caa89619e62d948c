import type {
  Estimate,
  LatencyClasses,
  LatencyComparison,
  PerformanceVerdict,
  RateComparison,
  SaturationSide,
  ShapeSpeed,
  SideLatency,
  SideResources,
  Speed,
} from '../compare/performance/record.ts'
import type { CompareReport } from '../compare/report/compare-report.ts'
import type { ReplayedTraffic } from '../compare/report/compare-records.ts'
import { html, nameOf, type Markup, type Piece } from './markup.ts'
import { formatBytes, formatNumber } from './output.ts'
import { milliseconds, nothingYet, table } from './report-parts.ts'
import { ratioChart } from './ratio-chart.ts'
import { xyChart, type Series } from './xy-chart.ts'

const tones = { faster: 'good', same: 'good', slower: 'bad', 'cannot tell': 'warn' } as const
const ratiosShown = 15
const shapesShown = 200

/** How fast both sides answered: the whole mix, its shapes, at which rate they gave up, what it cost. */
export function speedSection({ speed }: CompareReport): Markup {
  if (speed === null) return nothingYet('speed', 'Speed', 'osmigrate compare performance')
  const { verdict, why, endedEarly, all, closedLoop, saturation, writes, shapes, load } = speed
  return html`<section id="speed">
    <h2>Speed</h2>
    <p>${tag(verdict)} ${why}</p>
    ${endedEarly !== null && html`<p class="unknown">It ended early: ${endedEarly}</p>`}
    <p class="note">
      ${formatNumber(load.requests.source)} requests to the source,
      ${formatNumber(load.requests.target)} to the
      target${load.rate !== null && `, at ${formatNumber(load.rate)} a second`}; both are the same
      up to a ratio of ${formatNumber(speed.same.ratio)} or a difference of
      ${formatNumber(speed.same.belowMs)} ms.
    </p>
    ${all !== null && mixMarkup('The whole mix at a constant rate', all)}
    <div class="charts">
      ${all !== null && distribution('Answers by time, at a constant rate', all.histogram)}
      ${ratios(shapes)} ${saturation !== null && saturationChart(saturation)}
      ${resourceCharts(speed)}
    </div>
    ${closedLoop !== null && mixMarkup('As many requests under way all the time', closedLoop.latency)}
    ${closedLoop !== null && rateText('Requests a second, with as many under way all the time', closedLoop.throughput)}
    ${writes !== null && rateText(`Documents a second written (those of ${writes.index})`, writes)}
    ${saturation !== null && saturationText(saturation)}
    ${
      shapes.length > 0 &&
      html`<h3>Shapes of requests, the worst first</h3>
        ${table(
          [
            'verdict',
            'shape',
            'share',
            'source p50',
            'target p50',
            'source p99',
            'target p99',
            'p99 ratio',
          ],
          shapes.map(shapeRow),
          shapesShown,
        )}`
    }
    ${resourcesTable(speed)}
    ${speed.generator.bottleneck !== null && html`<p class="unknown">The process that made the load: ${speed.generator.bottleneck}</p>`}
  </section>`
}

function tag(verdict: Speed): Markup {
  return html`<span class="tag ${tones[verdict]}">${verdict}</span>`
}

function mixMarkup(
  title: string,
  { verdict, why, source, target, ratios }: LatencyComparison,
): Markup {
  return html`<h3>${title}</h3>
    <p>${tag(verdict)} ${why}</p>
    ${table(
      ['', 'requests', 'errors', 'p50', 'p90', 'p99', 'p99.9', 'longest', 'its own took, p50'],
      [
        sideRow('source', source),
        sideRow('target', target),
        [
          'target by source',
          '',
          '',
          ...[ratios.p50, ratios.p90, ratios.p99].map(ratioText),
          '',
          '',
          '',
        ],
      ],
    )}`
}

function sideRow(side: string, one: SideLatency): Piece[] {
  return [
    side,
    formatNumber(one.requests),
    formatNumber(one.errors),
    ...[one.p50, one.p90, one.p99, one.p999].map(timeText),
    milliseconds(one.max),
    milliseconds(one.tookP50),
  ]
}

function timeText(estimate: Estimate | null): string {
  if (estimate === null) return '-'
  return `${milliseconds(estimate.value)} (${short(estimate.low)}–${short(estimate.high)})`
}

function ratioText(estimate: Estimate | null): string {
  if (estimate === null) return '-'
  return `${estimate.value.toFixed(2)} (${estimate.low.toFixed(2)}–${estimate.high.toFixed(2)})`
}

function short(value: number): string {
  return formatNumber(Number(value.toPrecision(3)))
}

function shapeRow({ verdict, template, share, source, target, ratios, why }: ShapeSpeed): Piece[] {
  return [
    tag(verdict),
    html`<code>${nameOf(template)}</code>
      <div class="note">${why}</div>`,
    `${(share * 100).toFixed(1)} %`,
    ...[source.p50, target.p50, source.p99, target.p99].map((one) =>
      milliseconds(one?.value ?? null),
    ),
    ratioText(ratios.p99),
  ]
}

function distribution(title: string, { boundsMs, source, target }: LatencyClasses): Markup {
  const of = (name: 'source' | 'target', counts: readonly number[]): Series => {
    const all = counts.reduce((sum, count) => sum + count, 0) || 1
    const points = counts.map((count, i) => [boundsMs[i]!, (count / all) * 100] as const)
    return { name, tone: name, marks: 'area', points }
  }
  return xyChart(title, [of('source', source), of('target', target)], {
    x: { title: 'milliseconds', scale: 'log', format: formatNumber },
    y: { title: '% of answers', scale: 'linear', format: formatNumber },
    smallest: 0.01,
  })
}

function ratios(shapes: readonly ShapeSpeed[]): Markup | false {
  const known = shapes.flatMap(({ template, verdict, ratios: { p99, p50 } }) => {
    const ratio = p99 ?? p50
    return ratio === null ? [] : [{ ...ratio, label: template, tone: tones[verdict] }]
  })
  if (known.length === 0) return false
  const title =
    'Time on the target by that on the source, p99 (p50 where too few): the worst shapes'
  return ratioChart(title, known.slice(0, ratiosShown))
}

type Saturation = NonNullable<PerformanceVerdict['saturation']>

function saturationChart({ source, target }: Saturation): Markup | false {
  const of = (name: 'source' | 'target', side: SaturationSide | null): Series => {
    const points = (side?.steps ?? []).map(({ reached, p99 }) => [reached, p99] as const)
    return { name, tone: name, marks: 'line', points }
  }
  const series = [of('source', source), of('target', target)]
  if (series.every(({ points }) => points.length === 0)) return false
  return xyChart('p99 by requests a second, step by step up to saturation', series, {
    x: { title: 'requests a second', scale: 'linear', format: formatNumber },
    y: { title: 'p99, ms', scale: 'log', format: formatNumber },
  })
}

function saturationText({ source, target }: Saturation): Markup {
  const row = (name: string, side: SaturationSide | null): Piece[] =>
    side === null ? [name, '-', 'not tried'] : [name, formatNumber(side.rate), side.endedBy]
  return html`<h3>Saturation</h3>
    ${table(['', 'requests a second', 'what broke at the next step'], [row('source', source), row('target', target)])}`
}

function rateText(title: string, { verdict, why, source, target, ratio }: RateComparison): Markup {
  return html`<h3>${title}</h3>
    <p>
      ${tag(verdict)} source ${short(source.value)} (${short(source.low)}–${short(source.high)}),
      target ${short(target.value)} (${short(target.low)}–${short(target.high)}): ratio
      ${ratioText(ratio)}. ${why}
    </p>`
}

function resourceCharts({ resources: { points } }: PerformanceVerdict): Markup | false {
  if (points.length === 0) return false
  const start = Math.min(...points.map(({ at }) => Date.parse(at)))
  const charts = (['cpuPercent', 'heapPercent'] as const).map((figure) => {
    const series = (['source', 'target'] as const).map((side): Series => {
      const known = points.flatMap((point) =>
        point.side === side && point[figure] !== null
          ? [[(Date.parse(point.at) - start) / 60_000, point[figure]] as const]
          : [],
      )
      return { name: side, tone: side, marks: 'line', points: known }
    })
    if (series.every((one) => one.points.length === 0)) return false
    const title =
      figure === 'cpuPercent' ? 'CPU of the nodes during the run' : 'Heap in use during the run'
    return xyChart(title, series, {
      x: { title: 'minutes', scale: 'linear', format: formatNumber },
      y: { title: '%', scale: 'linear', format: formatNumber },
    })
  })
  return html`${charts}`
}

function resourcesTable({ resources: { source, target } }: PerformanceVerdict): Markup {
  const figure = (value: number | null, format = formatNumber): string =>
    value === null ? '-' : format(value)
  const row = (name: string, side: SideResources): Piece[] => [
    name,
    formatNumber(side.nodes),
    figure(side.cpuMsPerRequest),
    figure(side.cpuPercentMost),
    figure(side.heapPercentMost),
    figure(side.gcMs),
    figure(side.diskReadBytes, formatBytes),
    figure(side.diskWriteBytes, formatBytes),
    side.unknown ?? '',
  ]
  return html`<h3>What it cost the clusters</h3>
    ${table(
      [
        '',
        'nodes',
        'CPU ms a request',
        'CPU % most',
        'heap % most',
        'GC ms',
        'disk read',
        'disk written',
        'why unknown',
      ],
      [row('source', source), row('target', target)],
    )}`
}

/** What a replay of captured traffic has shown. */
export function trafficSection({ state, totals, latency, method }: ReplayedTraffic): Markup {
  const row = (side: 'source' | 'target'): Piece[] => {
    const { p50, p90, p99 } = latency[side]
    return [side, ...[p50, p90, p99].map(milliseconds)]
  }
  return html`<section id="traffic">
    <h2>Replayed traffic</h2>
    <p>
      ${formatNumber(totals.sent)} captured requests sent to the target (${state});
      ${formatNumber(totals.compared)} answers compared, ${formatNumber(totals.different)}
      otherwise, ${formatNumber(totals.statusDiffers)} with another status,
      ${formatNumber(totals.errors)} errors of the target, ${formatNumber(totals.sourceErrors)} of
      the source.
    </p>
    ${table(['time', 'p50', 'p90', 'p99'], [row('source'), row('target')])}
    <p class="note">${method} Details: <code>osmigrate shadow status</code></p>
  </section>`
}
