import {
  isUnknown,
  type Assessment,
  type ChangeGroup,
  type OrUnknown,
} from '../assess/assessment.ts'
import { barChart, type Bar } from './bar-chart.ts'
import { html, nameOf, type Markup } from './markup.ts'
import { formatBytes, formatHours, formatNumber } from './output.ts'
import {
  clientsSection,
  clusterSection,
  inUseSection,
  leastRolesSection,
  sizesSection,
  writesSection,
} from './assess-report-source.ts'
import { barsMax, figure, knownBars, names, rowsMax, table, unknownOr } from './report-parts.ts'
import { reportStyle } from './report-style.ts'

const namesMax = 500

/**
 * The assessment as one page of HTML: charts are SVG in it, nothing is fetched and nothing is run (its own policy forbids
 * both). All names are text of others, and are escaped. Long lists end with how many more there are.
 */
export function assessmentReport(assessment: Assessment): string {
  const { source, target, madeAt } = assessment
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Assessment of ${source.place}</title>
        <style>
          ${reportStyle}
        </style>
      </head>
      <body>
        <header>
          <h1>${source.engine} → ${target.engine}</h1>
          <p>
            ${nameOf(source.place)} → ${target.place ?? targetText[target.basis]} ·
            ${madeAt.slice(0, 16).replace('T', ' ')} UTC
          </p>
        </header>
        <main>${sectionsInOrder().map((section) => section(assessment))}</main>
        <footer>
          Made by osmigrate assess. It has read only; nothing on any cluster was changed.
        </footer>
      </body>
    </html> `
  return page.text
}

function sectionsInOrder(): readonly ((assessment: Assessment) => Markup)[] {
  return [
    summary,
    way,
    losses,
    behind,
    sizesSection,
    inUseSection,
    writesSection,
    clusterSection,
    clientsSection,
    leastRolesSection,
    harmless,
  ]
}

const targetText = {
  connected: 'the target',
  'asked for': 'no target was asked',
  'newest known': 'no target was named: the newest that osmigrate knows',
}

function summary({
  sizes,
  estimate,
  breakingChanges,
  staysBehind,
  path,
  complete,
}: Assessment): Markup {
  const cards: [string, OrUnknown<string>][] = [
    ['indices', formatNumber(sizes.indices)],
    ['primary shards', formatNumber(sizes.primaryShards)],
    ['documents', figure(sizes.documents, formatNumber)],
    ['bytes to move', figure(sizes.primaryBytes, formatBytes)],
    ['changes with a loss', formatNumber(breakingChanges.length)],
    ['things that do not move', formatNumber(staysBehind.length)],
    ['backfill', figure(estimate.backfillHours, formatHours)],
    ['disk on the target', figure(estimate.targetDiskBytes, formatBytes)],
  ]
  return html`<section class="cards">
      ${cards.map(
        ([title, value]) =>
          html`<div class="card">
            <b>${isUnknown(value) ? 'unknown' : value}</b
            ><span>${title}</span>${isUnknown(value) && html`<small>${value.unknown}</small>`}
          </div>`,
      )}
    </section>
    <p class="verdict ${complete ? 'good' : 'bad'}">
      ${complete ? 'Everything selected can move.' : 'Not everything can move as it is.'} Proposed:
      ${path.path}.
    </p>`
}

function way({ path, estimate }: Assessment): Markup {
  const bars = knownBars(
    [
      ['snapshot', estimate.snapshotHours],
      ['backfill', estimate.backfillHours],
      ['of it: indices written to', estimate.deltaHours],
    ],
    formatHours,
  )
  const disks = knownBars(
    [
      ['needed on the target', estimate.targetDiskBytes],
      ['free there', estimate.targetDiskFreeBytes],
      ['log of a capture', estimate.captureLogBytes],
    ],
    formatBytes,
  )
  return html`<section>
    <h2>The way: ${path.path}</h2>
    <p>${path.why}.</p>
    <ol>
      ${path.steps.map((step) => html`<li>${nameOf(step)}</li>`)}
    </ol>
    ${bars.length > 0 && barChart('Hours', bars)} ${disks.length > 0 && barChart('Disk', disks)}
    ${table(
      ['estimate', 'about'],
      [
        ['snapshot', unknownOr(estimate.snapshotHours, formatHours)],
        ['backfill', unknownOr(estimate.backfillHours, formatHours)],
        ['indices written to', unknownOr(estimate.deltaHours, formatHours)],
        ['disk on the target', unknownOr(estimate.targetDiskBytes, formatBytes)],
        ['free there', unknownOr(estimate.targetDiskFreeBytes, formatBytes)],
        ['log of a capture', unknownOr(estimate.captureLogBytes, formatBytes)],
      ],
    )}
    <p class="note">Rate: ${estimate.rate.text}.</p>
    <ul class="note">
      ${estimate.notes.map((note) => html`<li>${note}</li>`)}
    </ul>
  </section>`
}

const tones = { cannot: 'bad', dropped: 'warn', changed: 'plain', none: 'good' } as const

function losses({ breakingChanges }: Assessment): Markup {
  if (breakingChanges.length === 0)
    return html`<section><h2>Nothing is lost on the way</h2></section>`
  const bars = breakingChanges.slice(0, barsMax).map(({ severity, rule, reason, objects }): Bar => {
    return {
      label: rule ?? reason,
      value: objects.length,
      text: `${formatNumber(objects.length)} (${severity})`,
      tone: tones[severity],
    }
  })
  return html`<section>
    <h2>What changes with a loss or another meaning</h2>
    ${barChart('Objects by change', bars)} ${breakingChanges.slice(0, rowsMax).map(changeDetails)}
  </section>`
}

function harmless({ harmlessChanges }: Assessment): Markup {
  return html`<section>
    <h2>What changes without any loss</h2>
    ${harmlessChanges.slice(0, rowsMax).map(changeDetails)}
  </section>`
}

function changeDetails({ rule, link, what, severity, reason, objects }: ChangeGroup): Markup {
  return html`<details>
    <summary>
      <span class="tag ${tones[severity]}">${severity === 'none' ? what : severity}</span>
      ${rule !== undefined && html`<code>${rule}</code>`} ${formatNumber(objects.length)} ·
      ${reason}
    </summary>
    ${link !== undefined && html`<p class="note">${link}</p>`}
    ${table(
      ['kind', 'name', 'where'],
      objects.map(({ kind, name, paths }) => [
        kind,
        nameOf(name),
        nameOf(
          paths.slice(0, 20).join(', ') +
            (paths.length > 20 ? ` and ${paths.length - 20} more` : ''),
        ),
      ]),
      namesMax,
    )}
  </details>`
}

function behind({ staysBehind, notSelected }: Assessment): Markup {
  return html`<section>
    <h2>What does not move</h2>
    ${
      staysBehind.length === 0
        ? html`<p>Nothing.</p>`
        : table(
            ['kind', 'name', 'why'],
            staysBehind.map(({ kind, name, reason }) => [kind, nameOf(name), nameOf(reason)]),
          )
    }
    ${
      notSelected.length > 0 &&
      html`<details>
        <summary>${formatNumber(notSelected.length)} indices are not selected</summary>
        <p>${names(notSelected)}</p>
      </details>`
    }
  </section>`
}
