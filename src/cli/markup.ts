import { printable } from './output.ts'

/** HTML put together from templates in which every value is escaped, unless it is markup itself. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Piece = Markup | string | number | false | undefined | readonly Piece[]

/** `html\`<td>${name}</td>\``: text in values cannot become markup, neither between tags nor in quoted attributes. */
export function html(literals: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(
    literals.map((literal, i) => (i === 0 ? '' : render(values[i - 1])) + literal).join(''),
  )
}

function render(value: Piece): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return escapeText(String(value))
}

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Control characters have no place in HTML, and half a surrogate pair none in UTF-8: they are shown by number. */
function escapeText(text: string): string {
  const lines = text.split('\n').map(printable)
  return lines
    .join('\n')
    .replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (character) => entities[character]!)
}

/** A name that others chose, kept apart from the direction of the writing around it. */
export function nameOf(name: string): Markup {
  return html`<bdi>${name}</bdi>`
}
