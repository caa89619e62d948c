import { isJsonObject } from '../base/json.ts'
import type { AppliedObject, ApplyInput } from './apply.ts'
import { textOf } from './json-objects.ts'
import type { PlannedPipeline } from './plan.ts'
import { decideExisting, pipelinePath, readExistingPipeline } from './plan-pipelines.ts'
import { putCarried } from './records.ts'
import { deepestReason } from './target-check.ts'

/**
 * Makes a stored script or an ingest pipeline. The target would put it over one of the same name, so it is looked at
 * once more right before.
 */
export async function applyPipeline(
  planned: PlannedPipeline,
  { target, state, signal }: ApplyInput,
): Promise<AppliedObject> {
  const { kind, name, body } = planned
  if (planned.action === 'refused') {
    return { kind, name, outcome: 'refused', reason: planned.reason! }
  }
  const existing = await readExistingPipeline(target, planned, signal)
  if (existing !== undefined) {
    const { action, reason } = decideExisting(planned, existing)
    if (action === 'exists-equal') return { kind, name, outcome: 'unchanged' }
    return { kind, name, outcome: 'different', reason: reason! }
  }
  await putCarried(state, planned)
  const answer = await target.request('PUT', pipelinePath(planned), {
    body,
    repeatable: true,
    accept: [400, 404],
    ...(signal && { signal }),
  })
  if (answer.status === 200) return { kind, name, outcome: 'created' }
  const { error } = answer.body
  const why = isJsonObject(error) ? deepestReason(error) : textOf(error)
  return { kind, name, outcome: 'refused', reason: `the target does not take ${name}: ${why}` }
}
