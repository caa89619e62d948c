import type { BulkBody } from '../../src/cluster/bulk-body.ts'
import type { JsonObject } from '../../src/base/json.ts'
import type { Clock } from '../../src/cluster/backoff.ts'

export interface TestItem {
  readonly id: string
  readonly version: number
  readonly source: JsonObject
}

/** A bulk body of versioned index items, as the backfill makes them. */
export function bulkBody(items: readonly TestItem[]): BulkBody {
  const itemStart = new Int32Array(items.length + 1)
  const lines = items.map(({ id, version, source }, i) => {
    const action = { index: { _id: id, version, version_type: 'external_gte' } }
    const line = Buffer.from(`${JSON.stringify(action)}\n${JSON.stringify(source)}\n`)
    itemStart[i + 1] = itemStart[i]! + line.length
    return line
  })
  return { bytes: Buffer.concat(lines), itemStart, count: items.length }
}

/** A clock on which waiting takes no time: `slept` tells how long it would have taken. */
export class SkippingClock implements Clock {
  slept = 0
  readonly #onSleep: (times: number) => Promise<void> | void
  #times = 0

  constructor(onSleep: (times: number) => Promise<void> | void = () => {}) {
    this.#onSleep = onSleep
  }

  now(): number {
    return this.slept
  }

  async sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.slept += ms
    await this.#onSleep(++this.#times)
    signal?.throwIfAborted()
  }

  random(): number {
    return 0.99
  }
}
