import { html, type Markup } from './markup.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  /** What stands beside the bar. */
  readonly text: string
  readonly tone?: 'plain' | 'bad' | 'warn' | 'good'
}

const width = 760
const labelWidth = 250
const textWidth = 120
const rowHeight = 24
const labelLengthMax = 34

/**
 * Horizontal bars as SVG, all by the largest of them; `limit` is a line across at that value. Without a script, without
 * anything from elsewhere.
 */
export function barChart(
  title: string,
  bars: readonly Bar[],
  limit?: { readonly value: number; readonly text: string },
): Markup {
  const largest = Math.max(limit?.value ?? 0, ...bars.map(({ value }) => value), Number.MIN_VALUE)
  const room = width - labelWidth - textWidth
  const scale = (value: number): number => Math.max(0, (value / largest) * room)
  const height = bars.length * rowHeight + (limit ? 18 : 4)
  const limitAt = labelWidth + scale(limit?.value ?? 0)
  return html`<figure>
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
      ${bars.map((bar, i) => barRow(bar, i * rowHeight, scale(bar.value)))}
      ${
        limit &&
        html`<line class="limit" x1="${limitAt}" x2="${limitAt}" y1="0" y2="${height - 14}" />
          <text class="limit" x="${limitAt}" y="${height - 3}" text-anchor="middle"
            >${limit.text}</text
          >`
      }
    </svg>
  </figure>`
}

function barRow({ label, value, text, tone = 'plain' }: Bar, top: number, length: number): Markup {
  const middle = top + rowHeight / 2 + 4
  const shown = value > 0 ? Math.max(length, 1) : 0
  return html`<g>
    <title>${label}: ${text}</title>
    <text x="${labelWidth - 8}" y="${middle}" text-anchor="end">${shorten(label)}</text>
    <rect
      class="${tone}"
      x="${labelWidth}"
      y="${top + 4}"
      width="${shown.toFixed(1)}"
      height="${rowHeight - 8}"
      rx="2"
    />
    <text class="value" x="${labelWidth + shown + 6}" y="${middle}">${text}</text>
  </g>`
}

/** By whole characters: half of one would not be text. */
function shorten(label: string): string {
  const characters = [...label]
  if (characters.length <= labelLengthMax) return label
  return `${characters.slice(0, labelLengthMax - 1).join('')}…`
}
