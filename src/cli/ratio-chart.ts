import { html, type Markup } from './markup.ts'

export interface Ratio {
  readonly label: string
  readonly value: number
  readonly low: number
  readonly high: number
  readonly tone: string
}

const width = 520
const rowHeight = 40
const edge = 14

/**
 * Ratios with the intervals that they lie in, on a logarithmic axis around 1; `limit` is a line across. The label stands above
 * its line, so that it has the whole width.
 */
export function ratioChart(title: string, ratios: readonly Ratio[], limit?: number): Markup {
  const all = [...ratios.flatMap(({ low, high }) => [low, high]), limit ?? 1].filter(
    (one) => one > 0,
  )
  const reach = Math.max(Math.log(1.25), ...all.map((one) => Math.abs(Math.log(one)))) * 1.05
  const place = (value: number): string => {
    const share = (Math.log(Math.max(value, 1e-9)) / reach + 1) / 2
    return (edge + Math.min(1, Math.max(0, share)) * (width - 2 * edge)).toFixed(1)
  }
  const height = ratios.length * rowHeight + 24
  const ticks = [Math.exp(-reach / 1.05), 1, Math.exp(reach / 1.05)]
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${ticks.map(
        (tick, i) =>
          html`<line
              class="grid"
              x1="${place(tick)}"
              x2="${place(tick)}"
              y1="0"
              y2="${height - 20}"
            />
            <text
              class="value"
              x="${place(tick)}"
              y="${height - 5}"
              text-anchor="${i === 0 ? 'start' : i === 1 ? 'middle' : 'end'}"
              >${tick === 1 ? '1: as fast' : tick.toFixed(2)}</text
            >`,
      )}
      ${limit !== undefined && html`<line class="limit" x1="${place(limit)}" x2="${place(limit)}" y1="0" y2="${height - 20}" />`}
      ${ratios.map((ratio, i) => {
        const { label, value, low, high, tone } = ratio
        const y = i * rowHeight + 28
        return html`<g>
          <title>${label}: ${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})</title>
          <text x="${edge}" y="${y - 12}">${shorten(label)} ${value.toFixed(2)}</text>
          <line
            class="interval ${tone}"
            x1="${place(low)}"
            x2="${place(high)}"
            y1="${y}"
            y2="${y}"
          />
          <circle class="${tone}" cx="${place(value)}" cy="${y}" r="5" />
        </g>`
      })}
    </svg>
  </figure>`
}

const labelLengthMax = 56

function shorten(label: string): string {
  const characters = [...label]
  if (characters.length <= labelLengthMax) return label
  return `${characters.slice(0, labelLengthMax - 1).join('')}…`
}
