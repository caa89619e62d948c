import { formatNumber, printable } from './output.ts'

/** One thing under way. `total` 0 or undefined: not known. */
export interface ProgressRow {
  label: string
  done: number
  total?: number
  /** What is shown in place of `done`, where that is not a count for people. */
  shown?: string
  /** e.g. `12.1 MB/s  ETA 3 min 2 s`. */
  note?: string
}

/** Looking for equal ids reads all documents of an index, shard by shard. */
export function idsReadRows(index: string, done: number, total: number): ProgressRow[] {
  return [{ label: `ids of ${index}`, done, total }]
}

export interface ProgressStream {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

/** Writes above the bars that are on the terminal now. */
let logAbove: ((text: string) => void) | undefined

let isJson = false

/** With `--json` all that is said on stderr is JSON, too: a document a line, and no bars. */
export function sayAsJson(on: boolean): void {
  isJson = on
}

/** How much a line of a log asks for attention. */
export type LogLevel = 'info' | 'warning'

/** A line of a log as JSON. */
export function jsonLine(level: LogLevel, message: string, facts: object = {}): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...facts })
}

/** A message for the person in front of it, on stderr, above bars if there are any; never part of the result. */
export function say(text: string, level: LogLevel = 'info'): void {
  if (logAbove) logAbove(text)
  else process.stderr.write(`${isJson ? jsonLine(level, text) : text}\n`)
}

const barWidth = 24
const redrawEveryMs = 100
const lineEveryMs = 10_000

/** Bars on a terminal, redrawn in place; elsewhere a line every 10 s. Always on stderr. */
export class Progress {
  readonly #stream: ProgressStream
  readonly #now: () => number
  readonly #log = (text: string): void => this.log(text)
  #lastMs = -Infinity
  #linesUp = 0
  #rows: readonly ProgressRow[] = []

  constructor(
    stream: ProgressStream = process.stderr,
    now: () => number = () => performance.now(),
  ) {
    this.#stream = stream
    this.#now = now
  }

  /** Notes where things are; draws when it is time to. */
  update(rows: readonly ProgressRow[]): void {
    this.#rows = rows
    if (!isJson) logAbove = this.#log
    const now = this.#now()
    if (now - this.#lastMs < (this.#hasBars ? redrawEveryMs : lineEveryMs)) return
    const first = this.#lastMs === -Infinity
    this.#lastMs = now
    if (this.#hasBars) this.#draw()
    else if (!first) this.#writeLines()
    else return
  }

  /** A line above the bars that stays. */
  log(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
    if (this.#hasBars && this.#rows.length > 0) this.#draw()
  }

  /** Draws the last state for good. */
  end(): void {
    if (this.#hasBars && this.#rows.length > 0) this.#draw()
    this.#linesUp = 0
    this.#rows = []
    this.#lastMs = -Infinity
    if (logAbove === this.#log) logAbove = undefined
  }

  get #hasBars(): boolean {
    return this.#stream.isTTY === true && !isJson
  }

  #clear(): void {
    if (this.#hasBars && this.#linesUp > 0) this.#stream.write(`\x1b[${this.#linesUp}A\x1b[J`)
    this.#linesUp = 0
  }

  #draw(): void {
    const width = this.#stream.columns ?? 80
    const labelWidth = Math.min(36, Math.max(...this.#rows.map((row) => row.label.length)))
    const lines = this.#rows.map((row) => barLine(row, labelWidth).slice(0, width - 1))
    const up = this.#linesUp > 0 ? `\x1b[${this.#linesUp}A` : ''
    this.#stream.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`)
    this.#linesUp = lines.length
  }

  #writeLines(): void {
    for (const row of this.#rows) {
      const of = row.total ? ` (${percent(row)} %)` : ''
      const note = row.note ? `  ${row.note}` : ''
      const text = `${printable(row.label)}: ${shownOf(row)}${of}${note}`
      this.#stream.write(`${isJson ? jsonLine('info', text) : text}\n`)
    }
  }
}

function percent({ done, total = 0 }: ProgressRow): number {
  return total === 0 ? 0 : Math.min(100, Math.floor((done / total) * 100))
}

function barLine(row: ProgressRow, labelWidth: number): string {
  const label = printable(row.label).slice(0, labelWidth).padEnd(labelWidth)
  const note = row.note ? `  ${row.note}` : ''
  if (!row.total) return `${label}  ${shownOf(row)}${note}`
  const filled = Math.round((Math.min(row.done, row.total) / row.total) * barWidth)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`
  return `${label}  ${bar} ${String(percent(row)).padStart(3)} %  ${shownOf(row)}${note}`
}

function shownOf(row: ProgressRow): string {
  if (row.shown !== undefined) return row.shown
  return row.total
    ? `${formatNumber(row.done)} of ${formatNumber(row.total)}`
    : formatNumber(row.done)
}
