import { typeMark } from '../base/document-types.ts'
import { targetIndexKind, type TargetIndex } from './records.ts'
import type { StateStore } from './store.ts'

/** What an index of the source became on the target: one index, or one for each of its parts. Empty: nothing was made. */
export async function targetPartsOf(state: StateStore, index: string): Promise<TargetIndex[]> {
  const whole = await state.get(targetIndexKind, index)
  if (whole) return [whole.value]
  const parts: TargetIndex[] = []
  const prefix = index + typeMark
  for await (const { value } of state.each(targetIndexKind, { prefix })) parts.push(value)
  return parts
}
