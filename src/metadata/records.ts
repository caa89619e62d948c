import { targetIndexKind, type TargetIndex } from '../state/records.ts'
import { kind, type StateStore } from '../state/store.ts'
import type { PlannedIndex, TemplateKind } from './plan.ts'

/** Settings kept off a template of the target until the switch. Key: `kind/name`. */
export type WithheldTemplate = {
  template: TemplateKind
  name: string
  settings: { [setting: string]: string }
}
export const withheldTemplateKind = kind<WithheldTemplate>('withheld-template')

/** What is remembered of the index under this name; under another it was another one. */
export async function recordOf(
  state: StateStore | undefined,
  { name, targetIndex }: Pick<PlannedIndex, 'name' | 'targetIndex'>,
): Promise<TargetIndex | undefined> {
  const record = (await state?.get(targetIndexKind, name))?.value
  return record?.targetIndex === targetIndex ? record : undefined
}
