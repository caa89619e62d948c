import type { SyncStatus } from '../sync/status.ts'
import { jsonLine, type LogLevel } from './progress.ts'
import { formatBytes, formatDuration, formatNumber } from './output.ts'

const lookEveryMs = 1000
const lineEveryMs = 60_000
/** Who waits for less is not talked about. */
const waitToldAfterMs = 5000

/**
 * What a running sync writes to stderr: a line a minute on how it stands, and one for each thing that begins or ends to need
 * attention. With `--json` each is a JSON document with time and level.
 */
export class SyncLog {
  readonly #json: boolean
  #timer: NodeJS.Timeout | undefined
  #told = new Map<string, string>()
  #lineAt = Date.now()

  constructor(json: boolean) {
    this.#json = json
  }

  info(message: string, facts: object = {}): void {
    this.#write('info', message, facts)
  }

  warn(message: string, facts: object = {}): void {
    this.#write('warning', message, facts)
  }

  follow(status: () => SyncStatus): void {
    this.#timer = setInterval(() => this.#look(status()), lookEveryMs).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #look(status: SyncStatus): void {
    const now = attention(status)
    for (const [key, text] of now) if (!this.#told.has(key)) this.warn(text, { about: key })
    for (const key of this.#told.keys()) {
      if (!now.has(key)) this.info(`no longer: ${this.#told.get(key)!}`, { about: key })
    }
    this.#told = now
    if (Date.now() - this.#lineAt < lineEveryMs) return
    this.#lineAt = Date.now()
    const { lag, perSecond, totals } = status
    this.info(lineOf(status), { lag, perSecond, totals })
  }

  #write(level: LogLevel, message: string, facts: object): void {
    const line = this.#json
      ? jsonLine(level, message, facts)
      : `${new Date().toISOString()} ${message}`
    process.stderr.write(`${line}\n`)
  }
}

function lineOf({ lag, perSecond, audit }: SyncStatus): string {
  const bytes = lag.bytes === null ? '' : `, ${formatBytes(lag.bytes)}`
  const records = lag.records === null ? 'some' : formatNumber(lag.records)
  const proven = audit?.asOf == null ? 'nothing proven yet' : `proven as of ${audit.asOf}`
  return `${formatNumber(perSecond.written)} written/s, behind by ${records} records${bytes}, ${formatDuration(lag.seconds * 1000)}; ${proven}`
}

/** What a person should know, by what it is about. */
function attention(status: SyncStatus): Map<string, string> {
  const { waits, indices, gaps, deadLetters, foreignWrites, at } = status
  const found = new Map<string, string>()
  for (const { key, what, since } of waits) {
    if (Date.parse(at) - Date.parse(since) > waitToldAfterMs)
      found.set(`wait ${key}`, `${key}: ${what}`)
  }
  for (const { index, state, why } of indices) {
    found.set(`${state} ${index}`, `index ${index} is ${state}: ${why}`)
  }
  for (const { stream, from, requests, cause } of gaps) {
    found.set(
      `gap ${stream} ${from}`,
      `gap: ${formatNumber(requests)} requests are in no record (${cause})`,
    )
  }
  for (const { index, firstAt } of foreignWrites) {
    found.set(
      `foreign ${index}`,
      `somebody else writes to ${index} on the target, since ${firstAt}`,
    )
  }
  if (deadLetters > 0)
    found.set('deadletters', 'documents were refused: osmigrate deadletters list')
  return found
}
