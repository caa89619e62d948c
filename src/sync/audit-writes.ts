import type { AuditInput } from './audit-input.ts'
import type { Change } from './change.ts'

const settledMsMin = 60_000

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

  /**
   * When all of them are settled, or have taken too long: an index that waits is not to keep others from being looked at.
   * False: something that was added since the last call was left alone, or is still under way.
   */
  async settled({ options, signal }: Pick<AuditInput, 'options' | 'signal'>): Promise<boolean> {
    const until = AbortSignal.timeout(Math.max(options.everyMs, settledMsMin))
    const either = AbortSignal.any([signal, until])
    while (this.#open > 0 && !either.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#whenSettled.push(resolve)
      either.addEventListener('abort', () => resolve(), { once: true })
      await promise
    }
    signal.throwIfAborted()
    if (this.#open > 0) return false
    const taken = this.#taken
    this.#taken = true
    return taken
  }
}
