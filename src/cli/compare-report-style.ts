import { Markup } from './markup.ts'

/** What the report of a comparison adds to the looks of reports: two colours for two sides, at home in light and dark. */
export const compareReportStyle = new Markup(`
:root { --source: #3b6fd4; --target: #c2570c } :focus-visible { outline: 3px solid var(--plain); outline-offset: 2px }
@media (prefers-color-scheme: dark) { :root { --source: #6f9bf0; --target: #f2994a } }
a { color: #2c5cbf } @media (prefers-color-scheme: dark) { a { color: var(--plain) } } nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 12px 0 0; padding: 0 }
.areas { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 12px; background: none; border: 0; padding: 0 }
.area { background: var(--card); border: 1px solid var(--line); border-top: 5px solid var(--plain); border-radius: 8px; padding: 12px 16px }
.area.good { border-top-color: var(--good) } .area.warn { border-top-color: var(--warn) } .area.bad { border-top-color: var(--bad) }
.area h3 { margin: 0 0 6px; font-size: 17px } .area p { margin: 6px 0; overflow-wrap: anywhere }
.tag.plain { background: var(--soft) } .tag { white-space: nowrap } .tag.warn { background: #a2560f } .tag.good { background: #23774a }
@media (prefers-color-scheme: dark) { .tag { color: #10141c } .tag.warn { background: var(--warn) } .tag.good { background: var(--good) } }
.cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, 150px), 1fr)) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 8px 24px }
.charts svg, .narrow svg { font-size: 13.5px; max-width: 640px } line.grid { stroke: var(--line) }
polyline { fill: none; stroke-width: 2.5 } polyline.source { stroke: var(--source) } polyline.target { stroke: var(--target); stroke-dasharray: 7 3 }
polygon { stroke: none; opacity: 0.15 } polygon.source, rect.source, circle.source { fill: var(--source) }
polygon.target, rect.target, circle.target { fill: var(--target) } g.answers circle { fill: var(--target); opacity: 0.55 }
line.interval { stroke-width: 3; stroke: var(--soft) } line.interval.bad { stroke: var(--bad) } line.interval.good { stroke: var(--good) }
circle.plain { fill: var(--soft) } circle.bad { fill: var(--bad) } circle.good { fill: var(--good) } circle.warn { fill: var(--warn) }
.copy { border: 1px solid var(--line); border-radius: 6px; padding: 8px 10px; white-space: pre-wrap; overflow-wrap: anywhere }
details details { margin-left: 12px } details h4 { margin: 12px 0 2px; font-size: 13px; color: var(--soft) }
th, td { min-width: 4.5em } td { font-variant-numeric: tabular-nums } td .note { overflow-wrap: anywhere } td code { display: inline-block; min-width: 15em }
@media (max-width: 640px) { header, main, footer { padding-left: 12px; padding-right: 12px } section { padding: 14px 12px } h1 { font-size: 21px; overflow-wrap: anywhere } }
@media print { nav { display: none } }
`)
