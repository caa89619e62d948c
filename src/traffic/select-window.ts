import type { CaptureRecord, ExchangeId } from './exchange.ts'
import type { TimeWindow } from './export-layout.ts'
import { recordTime } from './record-time.ts'

/** Exchanges that are remembered until their answer comes; older ones count as without an answer. */
const openMax = 100_000

/**
 * Selects the records of a time window: requests by their first byte, answers with their requests, whenever they came;
 * gaps that reach into it; marks by their time.
 */
export class WindowSelection {
  readonly #window: TimeWindow
  /** Exchanges within the window whose answer has not come. */
  readonly #open: Set<string>

  /** `open`: what openExchanges() gave, to go on where another ended. */
  constructor(window: TimeWindow, open: readonly string[] = []) {
    this.#window = window
    this.#open = new Set(open)
  }

  selects(record: CaptureRecord): boolean {
    const { since, until } = this.#window
    if (since === 0 && until === 0) return true
    switch (record.kind) {
      case 'request':
        return this.#isIn(record.firstByteAt) && this.#remember(record.exchange)
      case 'response':
      case 'thin':
        return this.#open.delete(keyOf(record.exchange))
      case 'gap':
        return record.until >= since && (until === 0 || record.from < until)
      case 'started':
      case 'stopped':
        return this.#isIn(recordTime(record))
    }
  }

  openExchanges(): string[] {
    return [...this.#open]
  }

  #isIn(time: number): boolean {
    const { since, until } = this.#window
    return time >= since && (until === 0 || time < until)
  }

  #remember(exchange: ExchangeId): true {
    if (this.#open.size >= openMax) this.#open.delete(this.#open.values().next().value!)
    this.#open.add(keyOf(exchange))
    return true
  }
}

export function keyOf({ proxy, number }: ExchangeId): string {
  return `${number} ${proxy}`
}
