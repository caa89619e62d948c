import type { Doubts } from './doubts.ts'
import type { NotInStep } from './reconciler.ts'
import type { IndexTrouble } from './status.ts'

/** Indices to which nothing is written until somebody acts. */
export class StoppedIndices {
  readonly #stopped = new Map<string, { why: string; since: string }>()

  stopped(index: string, why: string): void {
    if (!this.#stopped.has(index)) {
      this.#stopped.set(index, { why, since: new Date().toISOString() })
    }
  }

  mended(index: string): void {
    this.#stopped.delete(index)
  }

  all(): IndexTrouble[] {
    return [...this.#stopped].map(([index, facts]) => ({ index, state: 'stopped', ...facts }))
  }
}

const doubtWhy =
  'it was deleted, restored or made anew: what was recorded before that is read from the source'

/** Everything that is not as it should be with single indices. */
export function troublesOf(
  stopped: StoppedIndices,
  { waiting }: NotInStep,
  doubts: Doubts,
): IndexTrouble[] {
  return [
    ...stopped.all(),
    ...waiting.map(({ index, waiting: why, since }): IndexTrouble => ({
      index,
      state: 'waiting',
      why,
      since,
    })),
    ...[...doubts.all()].map(({ index, since }): IndexTrouble => ({
      index,
      state: 'doubtful',
      why: doubtWhy,
      since,
    })),
  ]
}
