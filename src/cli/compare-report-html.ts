import type { Area } from '../compare/report/areas.ts'
import type { CompareReport } from '../compare/report/compare-report.ts'
import type { GateLine, GateVerdict } from '../compare/report/gates.ts'
import { documentsSection, metadataSection } from './compare-report-documents.ts'
import { searchesSection } from './compare-report-searches.ts'
import { speedSection, trafficSection } from './compare-report-speed.ts'
import { compareReportStyle } from './compare-report-style.ts'
import { timelineSection } from './compare-report-timeline.ts'
import { html, nameOf, type Markup } from './markup.ts'
import { table, times } from './report-parts.ts'
import { reportStyle } from './report-style.ts'

/**
 * The comparison as one page of HTML, as assessmentReport() makes one: charts are SVG in it, nothing is fetched and nothing is
 * run (its own policy forbids both), what is long opens by a click or a key, and all names are text of others.
 */
export function compareReportPage(report: CompareReport): string {
  const { migration, source, target, madeAt, areas } = report
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Comparison: ${migration}</title>
        <style>
          ${reportStyle}${compareReportStyle}
        </style>
      </head>
      <body>
        <header>
          <h1>Comparison: ${nameOf(migration)}</h1>
          <p>
            ${nameOf(source ?? 'a snapshot')} → ${nameOf(target ?? 'no target')} · made
            ${times(madeAt)}
          </p>
          <nav aria-label="Parts of this report">
            <ul>
              ${areas.map(({ area }) => html`<li><a href="#${area}">${titles[area]}</a></li>`)}
              <li><a href="#timeline">Timeline</a></li>
            </ul>
          </nav>
        </header>
        <main>
          ${gateSection(report.gate)}
          <section class="areas">${areas.map((area) => areaCard(area, madeAt))}</section>
          ${documentsSection(report)} ${metadataSection(report)} ${searchesSection(report)}
          ${speedSection(report)} ${report.traffic !== null && trafficSection(report.traffic)}
          ${timelineSection(report)}
        </main>
        <footer>
          Made by osmigrate compare report from what was kept of comparisons; no cluster was asked.
          report.json beside this page holds all of it.
        </footer>
      </body>
    </html> `
  return page.text
}

const titles = {
  documents: 'Documents',
  metadata: 'Metadata',
  searches: 'Searches',
  speed: 'Speed',
  traffic: 'Replayed traffic',
} as const

function areaCard(about: Area, madeAt: string): Markup {
  const { area, verdict, tone, summary, startedAt, endedAt, stale, method, cannotSee, how } = about
  return html`<article class="area ${tone}">
    <h3>
      <a href="#${area}">${titles[area]}</a> <span class="tag ${tone}">${verdict}</span>
      ${stale !== null && html`<span class="tag warn">${stale}</span>`}
    </h3>
    <p>${summary}</p>
    ${
      startedAt !== null &&
      endedAt !== null &&
      html`<p class="note">${times(startedAt)} to ${times(endedAt)}, ${agoText(endedAt, madeAt)}</p>
        <details>
          <summary>How, and what it cannot see</summary>
          ${method.map((one) => html`<p class="note">${one}</p>`)}
          ${
            cannotSee.length > 0 &&
            html`<ul class="note">
              ${cannotSee.map((one) => html`<li>${one}</li>`)}
            </ul>`
          }
        </details>`
    }
    <p class="note">
      ${startedAt === null ? 'To compare:' : 'To compare anew:'} <code>${how}</code>
    </p>
  </article>`
}

function agoText(time: string, now: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(now) - Date.parse(time)) / 60_000))
  if (minutes < 120) return `${minutes} min before this report`
  return `${Math.round(minutes / 60)} h before this report`
}

const gateTones = { met: 'good', 'not met': 'bad', unknown: 'warn' } as const
const gateTexts = {
  met: 'All that gates.compare asks for is met.',
  'not met': 'Not all that gates.compare asks for is met.',
  unknown: 'What gates.compare asks for is not known yet.',
} as const

function gateSection({ state, lines }: GateVerdict): Markup {
  if (lines.length === 0) return html`<p class="verdict">gates.compare asks for nothing.</p>`
  return html`<p class="verdict ${gateTones[state]}">${gateTexts[state]}</p>
    <section aria-label="Gate">
      ${table(
        ['state', 'asked for', 'found'],
        lines.map((line) => [
          html`<span class="tag ${gateTones[line.state]}">${line.state}</span>`,
          html`${line.gate}: ${line.limit}`,
          html`${line.found ?? 'nothing to go by'}
            <div class="note">${reasonsOf(line)}</div>`,
        ]),
      )}
    </section>`
}

function reasonsOf({ reasons, state, how }: GateLine): Markup {
  const [first, ...rest] = reasons
  return html`${first !== undefined && nameOf(first)}
  ${
    rest.length > 0 &&
    html`<details>
      <summary>${rest.length} more</summary>
      <ul>
        ${rest.map((reason) => html`<li>${nameOf(reason)}</li>`)}
      </ul>
    </details>`
  }
  ${state === 'unknown' && html`<br /><code>${how}</code>`}`
}
