import { isUnknown, type OrUnknown } from '../assess/assessment.ts'
import type { Bar } from './bar-chart.ts'
import { html, nameOf, type Markup, type Piece } from './markup.ts'
import { formatNumber } from './output.ts'

/** Pieces that sections of a report are made of. */

export const barsMax = 15
export const rowsMax = 2000
const namesMax = 30

export function unknownNote({ unknown }: { readonly unknown: string }): Markup {
  return html`<p class="unknown">Unknown: ${nameOf(unknown)}</p>`
}

export function unknownOr(value: OrUnknown<number>, format: (value: number) => string): Markup {
  return isUnknown(value)
    ? html`<span class="unknown">unknown: ${nameOf(value.unknown)}</span>`
    : html`${format(value)}`
}

export function figure(
  value: OrUnknown<number>,
  format: (value: number) => string,
): OrUnknown<string> {
  return isUnknown(value) ? value : format(value)
}

export function names(all: readonly string[]): Markup {
  const shown = all.slice(0, namesMax)
  return html`${shown.map((name, i) => html`${i > 0 && ', '}${nameOf(name)}`)}${all.length > namesMax && ` and ${formatNumber(all.length - namesMax)} more`}`
}

export function table(
  header: readonly string[],
  rows: readonly (readonly Piece[])[],
  max = rowsMax,
): Markup {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${header.join(', ')}">
      <table>
        <thead>
          <tr>
            ${header.map((title) => html`<th>${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.slice(0, max).map(
            (row) =>
              html`<tr>
                ${row.map((cell) => html`<td>${cell}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${rows.length > max && html`<p class="note">and ${formatNumber(rows.length - max)} more (--json has all)</p>`}`
}

export function knownBars(
  rows: readonly (readonly [string, OrUnknown<number>])[],
  format: (value: number) => string,
): Bar[] {
  return rows.flatMap(([label, value]) =>
    isUnknown(value) ? [] : [{ label, value, text: format(value) }],
  )
}

/** A section without anything to show, and the command that changes that. */
export function nothingYet(id: string, title: string, how: string): Markup {
  return html`<section id="${id}">
    <h2>${title}</h2>
    <p class="unknown">Nothing was compared yet. To compare: <code>${how}</code></p>
  </section>`
}

/** `2026-11-20 09:30 UTC`. */
export function times(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

/** Three digits and a unit; `-` for what is not known. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return '-'
  return ms < 1000
    ? `${formatNumber(Number(ms.toPrecision(3)))} ms`
    : `${formatNumber(Number((ms / 1000).toPrecision(3)))} s`
}
