import { MigrationError } from '../base/errors.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'

const triesMax = 5

/**
 * Notes with the target indices of an index that clients give the versions of its documents (design §3.5), so that the next
 * process knows it before it sees such a write. Others write these records, too: it is tried again then.
 */
export async function rememberClientVersions(state: StateStore, index: string): Promise<void> {
  for (const { index: key } of await targetPartsOf(state, index)) {
    for (let tries = 1; ; tries++) {
      const record = await state.get(targetIndexKind, key)
      if (record === undefined || record.value.clientVersions) break
      const { value, revision } = record
      const noted = { ...value, clientVersions: true as const }
      try {
        await state.commit([{ op: 'put', kind: targetIndexKind, key, value: noted, revision }])
        break
      } catch (error) {
        const isConflict = error instanceof MigrationError && error.details['conflict'] === true
        if (!isConflict || tries === triesMax) throw error
      }
    }
  }
}
