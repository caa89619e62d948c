import type { Applier } from './applier.ts'
import type { Doubts } from './doubts.ts'
import type { NotInStep } from './reconciler.ts'
import type { IndexTrouble } from './status.ts'

const doubtWhy =
  'it was deleted, restored or made anew: what was recorded before that is read from the source'

/** Everything that is not as it should be with single indices. */
export function troublesOf(
  stopped: Applier['stopped'],
  { waiting }: NotInStep,
  doubts: Doubts,
): IndexTrouble[] {
  return [
    ...stopped.map((one): IndexTrouble => ({ ...one, state: 'stopped' })),
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
