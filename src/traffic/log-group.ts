import { FrameBatch } from './record-encode.ts'

/** Records that one write makes safe, with who is to be told. */
export interface Group {
  readonly batch: FrameBatch
  durables: ((error?: Error) => void)[]
  /** Somebody waits for it. */
  isUrgent: boolean
}

export function emptyGroup(): Group {
  return { batch: new FrameBatch(), durables: [], isUrgent: false }
}

/** Tells everybody, and empties the group. */
export function settle(group: Group, error?: Error): void {
  const { durables } = group
  group.durables = []
  group.isUrgent = false
  group.batch.clear()
  for (const durable of durables) durable(error)
}
