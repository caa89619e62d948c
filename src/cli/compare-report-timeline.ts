import type { CompareReport } from '../compare/report/compare-report.ts'
import type { TimelineEvent } from '../compare/report/timeline.ts'
import { html, type Markup } from './markup.ts'
import { table, times } from './report-parts.ts'

const width = 520
const left = 92
const rowHeight = 30
const eventsShown = 200

const tones: { readonly [verdict: string]: string } = {
  equal: 'good',
  same: 'good',
  faster: 'good',
  announced: 'warn',
  different: 'bad',
  slower: 'bad',
}

/** What was compared when, and what came of it. */
export function timelineSection({ timeline, madeAt }: CompareReport): Markup {
  return html`<section id="timeline">
    <h2>Timeline</h2>
    ${
      timeline.length === 0
        ? html`<p class="unknown">Nothing was compared yet.</p>`
        : html`<div class="narrow">${chart(timeline, madeAt)}</div>
            <details>
              <summary>All that was compared</summary>
              ${table(
                ['what', 'verdict', 'from', 'to'],
                timeline
                  .slice(-eventsShown)
                  .map((event) => [
                    event.area,
                    html`<span class="tag ${toneOf(event)}">${event.verdict}</span>`,
                    times(event.startedAt),
                    times(event.endedAt),
                  ]),
              )}
            </details>`
    }
  </section>`
}

function toneOf({ verdict }: TimelineEvent): string {
  return tones[verdict] ?? 'plain'
}

function chart(timeline: readonly TimelineEvent[], madeAt: string): Markup {
  const areas = [...new Set(timeline.map(({ area }) => area))]
  const from = Date.parse(timeline[0]!.startedAt)
  const to = Math.max(Date.parse(madeAt), ...timeline.map(({ endedAt }) => Date.parse(endedAt)))
  const place = (time: number): number =>
    left + ((time - from) / Math.max(1, to - from)) * (width - left - 12)
  const height = areas.length * rowHeight + 26
  return html`<figure>
    <figcaption>What was compared when, up to this report</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of comparisons">
      ${areas.map((area, row) => {
        const middle = row * rowHeight + 15
        return html`<text x="${left - 10}" y="${middle + 5}" text-anchor="end">${area}</text>
          <line class="grid" x1="${left}" x2="${width - 12}" y1="${middle}" y2="${middle}" />
          ${timeline.filter((event) => event.area === area).map((event) => bar(event, middle, place))}`
      })}
      <text class="value" x="${left}" y="${height - 4}">${axisTime(from)}</text>
      <text class="value" x="${width - 12}" y="${height - 4}" text-anchor="end">
        ${axisTime(to)}
      </text>
    </svg>
  </figure>`
}

function bar(event: TimelineEvent, middle: number, place: (time: number) => number): Markup {
  const start = place(Date.parse(event.startedAt))
  const size = Math.max(6, place(Date.parse(event.endedAt)) - start)
  return html`<g>
    <title>${event.area}: ${event.verdict}, ${event.startedAt} to ${event.endedAt}</title>
    <rect
      class="${toneOf(event)}"
      x="${Math.min(start, width - 12 - size).toFixed(1)}"
      y="${middle - 8}"
      width="${size.toFixed(1)}"
      height="16"
      rx="3"
    />
  </g>`
}

function axisTime(time: number): string {
  return `${new Date(time).toISOString().slice(5, 16).replace('T', ' ')} UTC`
}
