import type {
  Estimate,
  LatencyComparison,
  PerformanceVerdict,
  RateComparison,
  SaturationSide,
  ShapeSpeed,
  SideResources,
} from '../compare/performance/record.ts'
import { formatBytes, formatNumber, printLine, printTable, printable, type Cell } from './output.ts'

const shapesShown = 20
const templateLengthMost = 60
const barWidth = 16

/** What `compare performance` prints: shapes with bars, the whole mix, rates, resources, and what it cannot see. */
export function printPerformance(verdict: PerformanceVerdict, reasons: readonly string[]): void {
  printShapes(verdict.shapes)
  printWhole(verdict)
  printSaturation(verdict)
  printResources(verdict)
  const { leftOut, endedEarly, cannotSee, generator } = verdict
  const left = Object.entries(leftOut).map(([why, count]) => `${formatNumber(count)} ${why}`)
  if (left.length > 0) printLine(`\nleft out: ${printable(left.join('; '))}`)
  printLine(
    `load generator: ${percent(generator.busy)} busy, late by ${ms(generator.delayP50)} (p50), ${ms(generator.delayP99)} (p99)`,
  )
  for (const one of cannotSee) printLine(`cannot see: ${one}`)
  if (endedEarly !== null) printLine(`\nended early: ${printable(endedEarly)}`)
  printLine(`\n${verdict.verdict}: ${verdict.why}`)
  for (const reason of reasons.slice(0, shapesShown)) printLine(`  ${printable(reason)}`)
}

function printShapes(shapes: readonly ShapeSpeed[]): void {
  if (shapes.length === 0) return
  printTable(
    [
      'verdict',
      'p50 source',
      'target',
      '',
      'p90 source',
      'target',
      'p99 source',
      'target',
      'shape',
    ],
    shapes.slice(0, shapesShown).map((shape) => [...latencyCells(shape), short(shape.template)]),
  )
  const more = shapes.length - shapesShown
  if (more > 0) printLine(`and ${more} more (--json)`)
  printLine()
  for (const { verdict, why, template } of shapes.slice(0, shapesShown)) {
    if (verdict !== 'same') printLine(`${verdict}: ${short(template)}: ${printable(why)}`)
  }
}

function latencyCells({ verdict, source, target, ratios }: LatencyComparison): Cell[] {
  return [
    verdict,
    ...[estimate(source.p50), estimate(target.p50), ratioBar(ratios.p50)],
    ...[estimate(source.p90), estimate(target.p90), estimate(source.p99), estimate(target.p99)],
  ]
}

function printWhole({ all, closedLoop, load, writes }: PerformanceVerdict): void {
  const rows: Cell[][] = []
  if (all) rows.push([...latencyCells(all), `all, ${load.rate} a second`])
  if (closedLoop) {
    rows.push([...latencyCells(closedLoop.latency), `all, ${load.connections} under way`])
  }
  if (rows.length > 0) {
    printLine()
    printTable(
      [
        'verdict',
        'p50 source',
        'target',
        '',
        'p90 source',
        'target',
        'p99 source',
        'target',
        'load',
      ],
      rows,
    )
  }
  const rates: [string, RateComparison][] = []
  if (closedLoop) rates.push(['requests', closedLoop.throughput])
  if (writes) rates.push([`documents of ${writes.index} written`, writes])
  if (rates.length === 0) return
  printLine()
  printTable(
    ['verdict', 'source', 'target', '', 'a second', 'why'],
    rates.map(([what, { verdict, source, target, ratio, why }]) => [
      ...[verdict, round(source.value), round(target.value), ratioBar(ratio), printable(what)],
      printable(why),
    ]),
  )
}

function printSaturation({ saturation }: PerformanceVerdict): void {
  if (saturation === null) return
  const row = (side: string, found: SaturationSide | null): Cell[][] =>
    found === null ? [] : [[side, found.rate, found.steps.length, printable(found.endedBy)]]
  printLine()
  printTable(
    ['saturation', 'requests a second', 'steps', 'ended by'],
    [...row('source', saturation.source), ...row('target', saturation.target)],
  )
}

function printResources({ resources }: PerformanceVerdict): void {
  const { source, target } = resources
  const row = (name: string, cell: (side: SideResources) => Cell): Cell[] => [
    name,
    cell(source),
    cell(target),
  ]
  printLine()
  printTable(
    ['during the run', 'source', 'target'],
    [
      row('CPU a request', ({ cpuMsPerRequest }) =>
        cpuMsPerRequest === null ? null : ms(cpuMsPerRequest),
      ),
      row('CPU at most', ({ cpuPercentMost }) => withUnit(cpuPercentMost, '%')),
      row('heap at most', ({ heapPercentMost }) => withUnit(heapPercentMost, '%')),
      row('garbage collection', ({ gcMs }) => withUnit(gcMs, 'ms')),
      row('read from disk', ({ diskReadBytes }) =>
        diskReadBytes === null ? null : formatBytes(diskReadBytes),
      ),
      row('written to disk', ({ diskWriteBytes }) =>
        diskWriteBytes === null ? null : formatBytes(diskWriteBytes),
      ),
    ],
  )
  for (const [side, { unknown }] of Object.entries({ source, target })) {
    if (unknown !== null) printLine(`${side}: ${printable(unknown)}`)
  }
}

/** The interval of a ratio around its middle, a factor of two to either end: `········│··██···· ×1.47`. */
export function ratioBar(ratio: Estimate | null): string {
  if (ratio === null) return ''
  const place = (value: number): number => {
    const at = Math.round((barWidth * (Math.log2(Math.max(value, 1e-9)) + 1)) / 2)
    return Math.max(0, Math.min(barWidth, at))
  }
  const [low, high] = [place(ratio.low), Math.max(place(ratio.low) + 1, place(ratio.high))]
  const cells = Array.from({ length: barWidth + 1 }, (_, i) => {
    if (i >= low && i < high) return '█'
    return i === barWidth / 2 ? '│' : '·'
  })
  return `${cells.join('')} ×${ratio.value.toFixed(2)}`
}

function estimate(found: Estimate | null): string | null {
  return found === null ? null : ms(found.value)
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0)} ms`
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

function withUnit(value: number | null, unit: string): string | null {
  return value === null ? null : `${formatNumber(value)} ${unit}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

function short(template: string): string {
  const text = printable(template)
  return text.length > templateLengthMost ? `${text.slice(0, templateLengthMost - 1)}…` : text
}
