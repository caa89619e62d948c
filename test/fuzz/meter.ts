/**
 * Counts what a decoder does, so that its deadline is work done and not a clock: turns of loops and calls of functions
 * (instrument.ts puts the counting into the code), and bytes asked for in buffers and typed arrays.
 */
export interface Allowance {
  /** Turns of loops and calls of functions. */
  readonly workMax: number
  /** Bytes asked for in all, freed ones included. */
  readonly bytesMax: number
}

/** Thrown in the middle of a decoder. A decoder may catch it, so `meter.exceeded` is what counts. */
export class AllowanceExceeded extends Error {}

class Meter {
  work = 0
  workMax = Infinity
  bytes = 0
  bytesMax = Infinity
  /** What was too much; undefined: nothing. */
  exceeded: string | undefined

  begin({ workMax, bytesMax }: Allowance): void {
    this.work = 0
    this.workMax = workMax
    this.bytes = 0
    this.bytesMax = bytesMax
    this.exceeded = undefined
  }

  end(): void {
    this.workMax = Infinity
    this.bytesMax = Infinity
  }

  tick(): void {
    if (++this.work > this.workMax) this.#stop(`more than ${this.workMax} turns of loops and calls`)
  }

  allocate(byteLength: number): void {
    this.bytes += byteLength
    if (this.bytes > this.bytesMax) {
      this.#stop(`${byteLength} bytes asked for, ${this.bytes} in all, above ${this.bytesMax}`)
    }
  }

  #stop(what: string): void {
    this.exceeded ??= what
    throw new AllowanceExceeded(what)
  }
}

export const meter = new Meter()
