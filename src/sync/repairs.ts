import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { kind, type StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import type { Transform } from '../usercode/transform.ts'
import { Applier } from './applier.ts'
import { SyncDeadLetters } from './dead-letters.ts'
import { KeptDeletes } from './kept-deletes.ts'
import { applierOptions, type SyncOptions } from './options.ts'
import { ReadBudget } from './read-budget.ts'
import { SourceView } from './source-view.ts'

/**
 * A document that somebody found to be another one on the target: it is read from the source and written once more, or
 * deleted where the source has none. Key: repairKey(). Gone when that is done.
 */
export type DocumentRepair = { index: string; id: string; routing: string | null; at: string }
export const documentRepairKind = kind<DocumentRepair>('document-repair')

export function repairKey({ index, id, routing }: Omit<DocumentRepair, 'at'>): string {
  return `${index}/${JSON.stringify([id, routing])}`
}

const repairsAtOnce = 500

/** Has the sync that runs carry out what others asked to be repaired: by its lanes, as all it writes. */
export class Repairs {
  readonly #state: StateStore
  readonly #applier: Pick<Applier, 'add'>
  readonly #underWay = new Set<string>()

  constructor(state: StateStore, applier: Pick<Applier, 'add'>) {
    this.#state = state
    this.#applier = applier
  }

  /** Takes some of them; returns when there is room for them. */
  async take(): Promise<void> {
    const free = repairsAtOnce - this.#underWay.size
    if (free <= 0) return
    const records = await this.#state.list(documentRepairKind, { limit: repairsAtOnce })
    const open = records.filter(({ key }) => !this.#underWay.has(key)).slice(0, free)
    for (const { key, value } of open) {
      this.#underWay.add(key)
      await this.#applier.add([readOf(value)], () => void this.#done(key))
    }
  }

  /** What cannot be noted is carried out once more. */
  async #done(key: string): Promise<void> {
    await this.#state
      .commit([{ op: 'delete', kind: documentRepairKind, key }])
      .catch(() => undefined)
    this.#underWay.delete(key)
  }
}

function readOf({ index, id, routing }: Omit<DocumentRepair, 'at'>) {
  return { index, id, routing, what: 'read' as const }
}

/**
 * Repairs documents where no sync runs, by sync's own lanes; whoever calls holds sync's lock. What the target refuses becomes
 * a dead letter of sync. Errors: those of the clusters, MA_STOPPED.
 */
export async function repairAlone(
  input: {
    source: Cluster
    target: Cluster
    state: StateStore
    select: Selection
    withStreams: boolean
    options: SyncOptions
    transform?: Transform
    onWait?: (key: string, what: string | undefined) => void
    signal: AbortSignal
  },
  documents: readonly Omit<DocumentRepair, 'at'>[],
): Promise<void> {
  const { source, target, state, select, withStreams, options, transform, signal } = input
  const view = await SourceView.open({ source, select, withStreams, signal })
  const letters = await SyncDeadLetters.load(state, options.deadLettersMax)
  const kept = await KeptDeletes.open(state)
  const applier = new Applier({
    ...{ source, target, state, view, kept, signal },
    accounts: { acknowledged: () => undefined },
    places: {
      placesOf: async (index) => {
        const parts = await targetPartsOf(state, index)
        return parts.length === 0 ? 'left-out' : parts.map((part) => ({ target: part }))
      },
    },
    ...(transform && { transform }),
    options: applierOptions(options),
    budget: new ReadBudget(options.sourceReadsPerSecondMax),
    onWait: (key, what) => input.onWait?.(key, what),
    onDeadLetter: async (refused) => void (await letters.put(refused)),
    hasDeadLetter: (index, id, routing) => letters.has({ index, id, routing }),
    onWritten: (index, id, routing) => letters.written({ index, id, routing }),
  })
  try {
    for (let at = 0; at < documents.length; at += repairsAtOnce) {
      const changes = documents.slice(at, at + repairsAtOnce).map(readOf)
      await applier.add(changes, () => undefined)
    }
    await applier.flush()
    await kept.store()
  } finally {
    applier.close()
  }
}
