import type { CompareReport } from '../compare/report/compare-report.ts'
import type { MetadataFinding } from '../state/metadata-verdict.ts'
import type { Verdict } from '../state/records.ts'
import { html, nameOf, type Markup } from './markup.ts'
import { formatNumber } from './output.ts'
import { names, nothingYet, table, times } from './report-parts.ts'

const examplesShown = 100
const verdictTones = { equal: 'good', different: 'bad', unknown: 'warn' } as const

/** The account of each index, those that differ first with the documents that do. */
export function documentsSection({ documents, notCompared }: CompareReport): Markup {
  if (documents.length === 0)
    return nothingYet('documents', 'Documents', 'osmigrate compare documents')
  const differing = documents.filter(({ examples }) => examples.length > 0)
  return html`<section id="documents">
    <h2>Documents</h2>
    <p class="note">
      In the source = equal + different + missing; in the target = equal + different + extra. What
      was left out on purpose is in neither.
    </p>
    ${table(
      [
        'index',
        'verdict',
        'source',
        'equal',
        'different',
        'missing',
        'extra',
        'target',
        'left out',
      ],
      documents.map(accountRow),
    )}
    ${differing.length > 0 && html`<h3>Documents that differ</h3>`}
    ${differing.slice(0, examplesShown).map(exampleDetails)}
    ${
      notCompared.length > 0 &&
      html`<details>
        <summary>${formatNumber(notCompared.length)} selected indices were not compared</summary>
        <p>${names(notCompared)}</p>
        <p class="note">To compare them: <code>osmigrate compare documents</code></p>
      </details>`
    }
  </section>`
}

function accountRow(one: Verdict): (Markup | string)[] {
  const { dropped, deadLetters, discarded } = one.leftOut ?? {
    dropped: 0,
    deadLetters: 0,
    discarded: 0,
  }
  const quick = one.how === 'quick' ? 'by ids and versions alone; ' : ''
  return [
    html`${nameOf(one.index)}
      <div class="note">
        ${quick}${times(one.endedAt)}${one.note !== '' && html`; ${nameOf(one.note)}`}
      </div>`,
    html`<span class="tag ${verdictTones[one.verdict]}">${one.verdict}</span>`,
    ...[one.source, one.equal, one.different, one.missing, one.extra, one.target].map(formatNumber),
    formatNumber(dropped + deadLetters + discarded),
  ]
}

function exampleDetails({ index, examples, different, missing, extra }: Verdict): Markup {
  const counts = [
    ...(different > 0 ? [`${formatNumber(different)} different`] : []),
    ...(missing > 0 ? [`${formatNumber(missing)} missing`] : []),
    ...(extra > 0 ? [`${formatNumber(extra)} extra`] : []),
  ]
  const shown = examples.slice(0, examplesShown)
  return html`<details>
    <summary>${nameOf(index)}: ${counts.join(', ')}</summary>
    <ul>
      ${shown.map((example) => html`<li><code>${JSON.stringify(example)}</code></li>`)}
    </ul>
    ${examples.length > shown.length && html`<p class="note">and ${formatNumber(examples.length - shown.length)} more in report.json</p>`}
    <p class="note">
      Each of them as a difference of JSON: <code>osmigrate compare show</code>. To write them
      again:
      <code>osmigrate compare documents --repair</code>
    </p>
  </details>`
}

const findingTones = {
  announced: 'warn',
  'left behind': 'warn',
  different: 'bad',
  missing: 'bad',
  'in the way': 'bad',
} as const

/** What differs of the metadata, what nobody announced first. */
export function metadataSection({ metadata }: CompareReport): Markup {
  if (metadata === null) return nothingYet('metadata', 'Metadata', 'osmigrate compare metadata')
  const { counts, notCarried, findings, findingsAll } = metadata
  return html`<section id="metadata">
    <h2>Metadata</h2>
    <p>
      ${formatNumber(counts.equal)} objects equal, ${formatNumber(counts.announced)} with announced
      losses, ${formatNumber(counts.different)} different, ${formatNumber(counts.missing)} missing,
      ${formatNumber(notCarried)} that stay behind.
    </p>
    ${findings.length > 0 && table(['what', 'kind', 'name', 'why'], findings.map(findingRow))}
    ${findingsAll > findings.length && html`<p class="note">and ${formatNumber(findingsAll - findings.length)} more: <code>osmigrate compare metadata --json</code></p>`}
  </section>`
}

function findingRow({ what, kind, name, why }: MetadataFinding): (Markup | string)[] {
  return [
    html`<span class="tag ${findingTones[what]}">${what}</span>`,
    kind,
    nameOf(name),
    nameOf(why),
  ]
}
