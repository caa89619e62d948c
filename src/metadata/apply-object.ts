import { MigrationError } from '../base/errors.ts'
import type { TargetIndex } from '../state/records.ts'
import { named, type AppliedObject, type ApplyInput } from './apply.ts'
import { decideIndex, readExistingIndex, type ExistingIndex } from './existing.ts'
import type { PlannedIndex } from './plan.ts'
import { isIntent, recordOf } from './records.ts'

type Named = Pick<AppliedObject, 'kind' | 'name' | 'renamedTo'>

/** Applies one object, so that a failure of it is its outcome. */
export type ApplyObject = (
  object: Named,
  work: () => Promise<AppliedObject>,
) => Promise<AppliedObject>

/** So many objects in a row that a busy target has not answered end the run: each was asked for several times. */
const busyInRowMost = 3

/**
 * For one run. What the target answers to one object alone (403 for a name that the user may not touch, 429 or 503 until
 * the attempts were used up) is its outcome: the others are made, and a later run makes this one. After a few of them in
 * a row for a busy target the rest wait for a later run. Throws where the target does not answer at all, or refuses the
 * credentials, as it would for each of the others, too.
 */
export function objectApplier(): ApplyObject {
  let busyInRow = 0
  return async ({ kind, name, renamedTo }, work) => {
    const object = { kind, name, ...(renamedTo !== undefined && { renamedTo }) }
    if (busyInRow >= busyInRowMost) return { ...object, outcome: 'waiting', reason: busy }
    try {
      const applied = await work()
      busyInRow = 0
      return applied
    } catch (error) {
      if (!isRefusal(error)) throw error
      busyInRow = error.retryable ? busyInRow + 1 : 0
      return { ...object, outcome: 'failed', reason: error.message }
    }
  }
}

const busy = `not begun, since the target could not take ${busyInRowMost} objects before it one after the other. Run again when it can`

/** Whether the target has answered, and that it does not do this one thing. */
export function isRefusal(error: unknown): error is MigrationError {
  if (!(error instanceof MigrationError)) return false
  const { code, details } = error
  if (code !== 'MA_CLUSTER_RESPONSE' && code !== 'MA_CLUSTER_AUTH') return false
  return typeof details.status === 'number' && details.status !== 401
}

/** What is done about an index, by what is found of it. */
export interface IndexSteps {
  readonly create: () => Promise<AppliedObject>
  readonly adopt: (
    existing: ExistingIndex,
    record: TargetIndex | undefined,
  ) => Promise<AppliedObject['outcome']>
  /** It is there, and ours. */
  readonly keep: (existing: ExistingIndex, record: TargetIndex | undefined) => Promise<void>
  /** One that was about to be made when a run was killed is taken over, since nothing tells whose it is. */
  readonly adoptsIntents?: boolean
}

/** Looks at the target once more, and does what is to be done about an index of the plan. */
export async function applyDecided(
  planned: PlannedIndex,
  { target, state, signal }: ApplyInput,
  { create, adopt, keep, adoptsIntents = false }: IndexSteps,
): Promise<AppliedObject> {
  const object = named(planned)
  if (planned.action === 'refused') {
    return { ...object, outcome: 'refused', reason: planned.reason! }
  }
  const record = await recordOf(state, planned)
  const existing = await readExistingIndex(target, planned.targetIndex, signal)
  const adopts = planned.action === 'adopt' || (adoptsIntents && isIntent(record))
  const decision = decideIndex(planned, record, existing, adopts)
  switch (decision.action) {
    case 'refused':
      return { ...object, outcome: 'refused', reason: decision.reason! }
    case 'exists-different':
      return { ...object, outcome: 'different', reason: decision.reason! }
    case 'create':
      return create()
    case 'adopt':
      return { ...object, outcome: await adopt(existing!, record) }
    case 'exists-equal':
      await keep(existing!, record)
      return { ...object, outcome: 'unchanged' }
  }
}
