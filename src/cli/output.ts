/** Everything that goes to stdout: results only. Progress and messages go to stderr (progress.ts, failure.ts). */

let stdoutClosed = false

/** Makes a closed pipe (`| head`) a quiet end of output and not a crash. */
export function guardOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (stream === process.stdout) stdoutClosed = true
    })
  }
}

/** True once the reader of stdout has gone: whoever prints a lot stops then. */
export function isOutputClosed(): boolean {
  return stdoutClosed
}

/** Writes to stdout and waits while the reader is slower. */
export async function writeOut(data: string | Uint8Array): Promise<void> {
  if (stdoutClosed || process.stdout.write(data)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      process.stdout.off('drain', done).off('close', done).off('error', done)
      resolve()
    }
    process.stdout.on('drain', done).on('close', done).on('error', done)
  })
}

export function printLine(text = ''): void {
  if (!stdoutClosed) process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value))
}

export type Cell = string | number | boolean | null | undefined

/** Aligned columns with two blanks between; numbers to the right and grouped by thousands. */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText))
  const widths = header.map((title, column) =>
    Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)),
  )
  const toRight = header.map((_, column) => {
    const cells = rows
      .map((row) => row[column])
      .filter((cell) => cell !== undefined && cell !== null)
    return cells.length > 0 && cells.every((cell) => typeof cell === 'number' || isQuantity(cell))
  })
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (toRight[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(header), ...texts.map(line)].join('\n')
}

export function printTable(header: readonly string[], rows: readonly (readonly Cell[])[]): void {
  printLine(formatTable(header, rows))
}

function cellText(cell: Cell): string {
  if (cell === undefined || cell === null) return '-'
  if (typeof cell === 'number') return formatNumber(cell)
  return typeof cell === 'boolean' ? (cell ? 'yes' : 'no') : printable(cell)
}

function isQuantity(cell: Cell): boolean {
  return typeof cell === 'string' && /^[\d.,]+ (B|KB|MB|GB|TB|MB\/s|%|s|ms)$/.test(cell)
}

/**
 * Names and ids come from others: control characters in them, and those that turn the direction of the writing, must
 * not reach a terminal or a page.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
}

/** 1 MB = 1,000,000 bytes, as disks and networks count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let unit = 0
  let value = bytes
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Rounded up: minutes below two hours, then hours. */
export function formatHours(hours: number): string {
  if (hours < 2) return `${formatNumber(Math.ceil(hours * 60))} min`
  return `${formatNumber(hours < 20 ? Math.ceil(hours * 10) / 10 : Math.ceil(hours))} h`
}

/** Local time with offset, for people; files and JSON have ISO 8601 UTC. */
export function formatTime(ms: number): string {
  const date = new Date(ms)
  const offset = -date.getTimezoneOffset()
  const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0')
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, 19).replace('T', ' ')
  return `${local} ${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`
}
