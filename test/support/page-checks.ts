/** Checks that run in a page: each stands by itself, since only its text gets there. Of the DOM there is what they use. */
interface PageElement {
  readonly tagName: string
  readonly className: string
  readonly textContent: string
  readonly parentElement: PageElement | null
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string }>
  closest(selector: string): PageElement | null
  matches(selector: string): boolean
  setAttribute(name: string, value: string): void
  getBoundingClientRect(): { readonly right: number; readonly height: number }
}
interface Style {
  readonly color: string
  readonly fill: string
  readonly backgroundColor: string
  readonly fontSize: string
}
declare const document: {
  readonly activeElement: PageElement | null
  readonly documentElement: { readonly clientWidth: number }
  querySelectorAll(selector: string): Iterable<PageElement>
}
declare function getComputedStyle(element: PageElement): Style

/** Name and text of what has the focus. */
export function focused(): string {
  const { tagName = '', textContent = '' } = document.activeElement ?? {}
  return `${tagName} ${textContent}`
}

/** Opens all that can be opened. */
export function openAll(): void {
  for (const one of document.querySelectorAll('details')) one.setAttribute('open', '')
}

/** What hangs out of the page, but for what is in a part that scrolls by itself. */
export function tooWide(): string[] {
  const width = document.documentElement.clientWidth
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.closest('.scroll, svg') === null || one.matches('.scroll'))
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 40)}`)
}

/** Text of less contrast to its ground than 4.5 (WCAG 2, AA), or lower than nine pixels. */
export function hardToRead(): string[] {
  const parse = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number)
  const light = (color: string): number => {
    const [r = 0, g = 0, b = 0] = parse(color).map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = (start: PageElement): string => {
    for (let one: PageElement | null = start; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor
      if (parse(color)[3] !== 0) return color
    }
    return 'rgb(255, 255, 255)'
  }
  const hasText = (one: PageElement): boolean =>
    [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
  return [...document.querySelectorAll('body *')]
    .filter((one) => one.tagName !== 'title' && hasText(one))
    .flatMap((one) => {
      const style = getComputedStyle(one)
      const isDrawn = one.closest('svg') !== null
      const [a, b] = [light(isDrawn ? style.fill : style.color), light(ground(one))]
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      const size = isDrawn ? one.getBoundingClientRect().height : parseFloat(style.fontSize)
      if (contrast >= 4.5 && size >= 9) return []
      const text = one.textContent.trim().slice(0, 40)
      return [`${text}: contrast ${contrast.toFixed(1)}, size ${size.toFixed(1)}`]
    })
}
