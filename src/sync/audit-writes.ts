import type { AuditInput } from './audit-input.ts'
import type { Change } from './change.ts'

/** What the audit found in one index and has handed on to be written. */
export class AuditWrites {
  readonly #applier: AuditInput['applier']
  #open = 0
  #taken = true
  #whenSettled: (() => void)[] = []

  constructor(applier: AuditInput['applier']) {
    this.#applier = applier
  }

  /** How many changes are not settled. */
  get open(): number {
    return this.#open
  }

  /** Waits while the applier is full. */
  async add(
    changes: readonly Change[],
    settled: (taken: boolean) => void = () => {},
  ): Promise<void> {
    this.#open += changes.length
    await this.#applier.add(changes, (taken) => {
      this.#open -= changes.length
      this.#taken &&= taken
      settled(taken)
      if (this.#open === 0) for (const resolve of this.#whenSettled.splice(0)) resolve()
    })
  }

  /** When all of them are settled. False: something that was added since the last call was left alone. */
  async settled(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done, { once: true })
        this.#whenSettled.push(done)
      })
      signal.throwIfAborted()
    }
    const taken = this.#taken
    this.#taken = true
    return taken
  }
}
