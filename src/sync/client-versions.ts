import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { untilMet } from '../state/until-met.ts'

const triesMax = 5

/**
 * Notes with the target indices of an index that clients give the versions of its documents (design §3.5), so that the next
 * process knows it before it sees such a write. Others write these records, too: it is tried again then.
 */
export async function rememberClientVersions(state: StateStore, index: string): Promise<void> {
  for (const { index: key } of await targetPartsOf(state, index)) {
    await untilMet(triesMax, () => note(state, key))
  }
}

async function note(state: StateStore, key: string): Promise<void> {
  const record = await state.get(targetIndexKind, key)
  if (record === undefined || record.value.clientVersions) return
  const { value, revision } = record
  const noted = { ...value, clientVersions: true as const }
  await state.commit([{ op: 'put', kind: targetIndexKind, key, value: noted, revision }])
}
