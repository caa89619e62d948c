import { html, type Markup } from './markup.ts'

export interface Series {
  readonly name: string
  /** Class of its colour: `source`, `target`, or a tone. */
  readonly tone: string
  readonly points: readonly (readonly [number, number])[]
  readonly marks: 'line' | 'area' | 'points'
}

export interface Axis {
  readonly title: string
  readonly scale: 'linear' | 'log'
  readonly format: (value: number) => string
}

const width = 520
const height = 300
const left = 58
const right = 24
const top = 30
const bottom = 46

/**
 * Lines or points in two dimensions as SVG, with a legend of their colours; `diagonal` is where both are equal. On a
 * logarithmic axis values below `smallest` stand at its edge. Small enough to be read on a telephone.
 */
export function xyChart(
  title: string,
  series: readonly Series[],
  {
    x,
    y,
    diagonal = false,
    smallest = 0.1,
  }: { x: Axis; y: Axis; diagonal?: boolean; smallest?: number },
): Markup {
  const points = series.flatMap((one) => one.points)
  const xs = rangeOf(
    points.map(([value]) => value),
    x,
    smallest,
  )
  const ys = rangeOf(
    points.map(([, value]) => value),
    y,
    smallest,
  )
  const [from, to] = [Math.min(xs.from, ys.from), Math.max(xs.to, ys.to)]
  const across = placer(diagonal ? { from, to } : xs, x, {
    start: left,
    end: width - right,
    smallest,
  })
  const down = placer(diagonal ? { from, to } : ys, y, {
    start: height - bottom,
    end: top,
    smallest,
  })
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${legend(series)}
      ${down.ticks.map((value) => {
        const at = down.place(value).toFixed(1)
        return html`<line class="grid" x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" />
          <text class="value" x="${left - 6}" y="${Number(at) + 4}" text-anchor="end"
            >${y.format(value)}</text
          >`
      })}
      ${across.ticks.map((value) => {
        const at = across.place(value).toFixed(1)
        return html`<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${height - bottom}" />
          <text class="value" x="${at}" y="${height - bottom + 17}" text-anchor="middle"
            >${x.format(value)}</text
          >`
      })}
      ${diagonal && html`<line class="limit" x1="${across.place(from).toFixed(1)}" y1="${down.place(from).toFixed(1)}" x2="${across.place(to).toFixed(1)}" y2="${down.place(to).toFixed(1)}" />`}
      ${series.map((one) => marksOf(one, across.place, down.place))}
      <text class="value" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">
        ${x.title}
      </text>
      <text class="value" x="${left}" y="${top - 14}">${y.title}</text>
    </svg>
  </figure>`
}

function legend(series: readonly Series[]): Markup {
  const names = series.filter(({ name }) => name !== '')
  return html`${names.map((one, i) => {
    const at = width - right - (names.length - i) * 86
    return html`<rect class="${one.tone}" x="${at}" y="${top - 24}" width="12" height="12" rx="2" />
      <text x="${at + 17}" y="${top - 13}">${one.name}</text>`
  })}`
}

type Place = (value: number) => number

function marksOf({ marks, tone, points }: Series, across: Place, down: Place): Markup {
  if (marks === 'points')
    return html`<g class="${tone}">
      ${points.map(([x, y]) => html`<circle cx="${across(x).toFixed(1)}" cy="${down(y).toFixed(1)}" r="3" />`)}
    </g>`
  const path = points.map(([x, y]) => `${across(x).toFixed(1)},${down(y).toFixed(1)}`).join(' ')
  if (marks === 'line' || points.length === 0)
    return html`<polyline class="${tone}" points="${path}" />`
  const ground = height - bottom
  const first = across(points[0]![0]).toFixed(1)
  const last = across(points.at(-1)![0]).toFixed(1)
  return html`<polygon class="${tone}" points="${first},${ground} ${path} ${last},${ground}" />
    <polyline class="${tone}" points="${path}" />`
}

interface Range {
  readonly from: number
  readonly to: number
}

function rangeOf(values: readonly number[], axis: Axis, smallest: number): Range {
  const known = values.filter(Number.isFinite)
  const most = known.reduce((a, b) => Math.max(a, b), 0)
  const least = known.reduce((a, b) => Math.min(a, b), most)
  if (axis.scale === 'linear') return { from: 0, to: most > 0 ? most : 1 }
  const from = 10 ** Math.floor(Math.log10(Math.max(least, smallest)))
  const to = 10 ** Math.ceil(Math.log10(Math.max(most, smallest)) + 1e-9)
  return { from, to: to > from ? to : from * 10 }
}

function placer(
  { from, to }: Range,
  axis: Axis,
  { start, end, smallest }: { start: number; end: number; smallest: number },
): { place: Place; ticks: number[] } {
  const isLog = axis.scale === 'log'
  const scaled = (value: number): number =>
    isLog
      ? Math.log(Math.max(value, smallest, from) / from) / Math.log(to / from)
      : (value - from) / (to - from || 1)
  return {
    place: (value) => start + Math.min(1, Math.max(0, scaled(value))) * (end - start),
    ticks: isLog ? powers(from, to) : steps(from, to),
  }
}

function powers(from: number, to: number): number[] {
  const ticks: number[] = []
  for (let value = from; value <= to * 1.001; value *= 10) ticks.push(value)
  return ticks
}

/** About four round steps: 1, 2 or 5 times a power of ten. */
function steps(from: number, to: number): number[] {
  const raw = (to - from || 1) / 4
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw)!
  const ticks: number[] = []
  for (let value = Math.ceil(from / step) * step; value <= to + step / 1e6; value += step)
    ticks.push(value)
  return ticks
}

/** Counts by class as upright bars, each with its count above. */
export function columnChart(
  title: string,
  columns: readonly { readonly label: string; readonly value: number; readonly tone: string }[],
  xTitle: string,
): Markup {
  const most = Math.max(1, ...columns.map(({ value }) => value))
  const room = (width - 2 * right) / columns.length
  const ground = height - bottom
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${columns.map(({ label, value, tone }, i) => {
        const at = right + i * room
        const size = (value / most) * (ground - top)
        const middle = (at + room / 2).toFixed(1)
        return html`<g>
          <title>${label}: ${value}</title>
          <rect
            class="${tone}"
            x="${(at + 2).toFixed(1)}"
            y="${(ground - size).toFixed(1)}"
            width="${(room - 4).toFixed(1)}"
            height="${size.toFixed(1)}"
          />
          ${value > 0 && html`<text x="${middle}" y="${(ground - size - 5).toFixed(1)}" text-anchor="middle">${value.toLocaleString('en-US')}</text>`}
          <text class="value" x="${middle}" y="${ground + 17}" text-anchor="middle">${label}</text>
        </g>`
      })}
      <line class="grid" x1="${right}" x2="${width - right}" y1="${ground}" y2="${ground}" />
      <text class="value" x="${width / 2}" y="${height - 6}" text-anchor="middle">${xTitle}</text>
    </svg>
  </figure>`
}
