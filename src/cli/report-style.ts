import { Markup } from './markup.ts'

/** The looks of a report: by the system's light or dark, and for paper. */
export const reportStyle = new Markup(`
:root { color-scheme: light dark; --ink: #1d2433; --soft: #5b6577; --line: #d9dee8; --back: #f6f7fa; --card: #fff;
  --plain: #3b6fd4; --bad: #c8372d; --warn: #d9822b; --good: #2c8a57 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --soft: #9aa5b8; --line: #343c4d; --back: #161a22;
  --card: #1e2430; --plain: #6f9bf0; --bad: #f0776d; --warn: #eeae6b; --good: #62c08d } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header, main, footer { max-width: 1000px; margin: 0 auto; padding: 0 20px }
header { padding-top: 28px } h1 { margin: 0; font-size: 26px } header p, footer { color: var(--soft) }
h2 { font-size: 19px; margin: 0 0 8px } h3 { font-size: 15px; margin: 16px 0 4px }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 18px 20px; margin: 16px 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 12px; background: none; border: 0; padding: 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px }
.card b { display: block; font-size: 22px } .card span { color: var(--soft) }
.card small { display: block; overflow-wrap: anywhere; max-height: 6em; overflow: auto }
.verdict { padding: 10px 16px; border-left: 5px solid var(--plain); background: var(--card); font-weight: 600 }
.verdict.good { border-color: var(--good) } .verdict.bad { border-color: var(--bad) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: 14px }
th, td { text-align: left; vertical-align: top; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); min-width: 6.5em; max-width: 34em; overflow-wrap: break-word }
th { color: var(--soft); font-weight: 600; white-space: nowrap }
details { border-top: 1px solid var(--line); padding: 6px 0 } summary { cursor: pointer; overflow-wrap: anywhere }
.tag { display: inline-block; padding: 0 8px; border-radius: 9px; color: #fff; font-size: 12px; background: var(--plain) }
.tag.bad { background: var(--bad) } .tag.warn { background: var(--warn) } .tag.good { background: var(--good) }
.note, .unknown { color: var(--soft); font-size: 13px } code { font-size: 13px }
pre { font-size: 12px; overflow-x: auto }
figure { margin: 14px 0 } figcaption { color: var(--soft); font-size: 13px; margin-bottom: 4px }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif } svg text { fill: var(--ink) }
svg .value { fill: var(--soft) } rect.plain { fill: var(--plain) } rect.bad { fill: var(--bad) }
rect.warn { fill: var(--warn) } rect.good { fill: var(--good) }
line.limit { stroke: var(--bad); stroke-dasharray: 4 3 } text.limit { fill: var(--bad) }
footer { padding-bottom: 40px; font-size: 13px }
@media print { body { background: #fff } section { break-inside: avoid } }
`)
