import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { settingAccess } from '../metadata/setting-access.ts'
import { changeSetting } from '../state/ledger.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import type { OnWait } from './waits.ts'

export interface RememberDeletesInput {
  readonly target: Cluster
  readonly state: StateStore
  /** How long deletes are remembered, and what that may take of the target's memory. */
  readonly gcDeletesMs: number
  readonly bytesMax: number
  readonly onWait: OnWait
}

const setting = 'index.gc_deletes'
const everyMs = 10_000
/** Each is a change of the target's cluster state. */
const indicesAtOnce = 20
/** Of one delete that is remembered, as measured on the heap of a target. */
const tombstoneBytes = 145
/** What engines do by themselves. */
const defaultMs = 60_000

/**
 * Has the target remember deletes for longer than a minute, so that a late write is refused there (design §3.3). It is a help:
 * what the target forgets nevertheless is mended by the kept deletes. Written to the ledger first, and put back at close.
 */
export class RememberDeletes {
  readonly #input: RememberDeletesInput
  /** By UUID of the target index, to what it was set. */
  readonly #set = new Map<string, number>()
  #ms: number
  #before: { readonly at: number; readonly deletes: number } | undefined

  constructor(input: RememberDeletesInput) {
    this.#input = input
    this.#ms = input.gcDeletesMs
  }

  async run(signal: AbortSignal): Promise<void> {
    const { onWait } = this.#input
    while (!signal.aborted) {
      try {
        await this.look()
        onWait(setting, undefined)
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof MigrationError)) throw error
        const why = `the target does not take ${setting}, so that it may forget deletes after a minute; sync remembers them: ${error.message}`
        onWait(setting, error.retryable ? error.message : why)
      }
      await wait(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Sets it where it is not set yet, on some indices at a time. */
  async look(): Promise<void> {
    const { target, state } = this.#input
    const access = settingAccess({ target })
    await this.#fitBudget()
    let left = indicesAtOnce
    for await (const { value } of state.each(targetIndexKind)) {
      if (left === 0) return
      if (this.#set.get(value.targetUuid) === this.#ms || value.stream !== undefined) continue
      left--
      this.#set.set(value.targetUuid, this.#ms)
      const name = { side: 'target', index: value.targetIndex, setting } as const
      if ((await access.read(name)) === undefined) continue
      const newValue = `${Math.round(this.#ms / 1000)}s`
      await changeSetting(state, access, { ...name, newValue, until: 'close' })
    }
  }

  /** Lowers the time where deletes come so fast that they would take more memory than they may. */
  async #fitBudget(): Promise<void> {
    const { bytesMax } = this.#input
    const now = { at: performance.now(), deletes: await this.#deletesSoFar() }
    const before = this.#before
    this.#before = now
    if (before === undefined || now.deletes <= before.deletes) return
    const perMs = (now.deletes - before.deletes) / (now.at - before.at)
    const fits = Math.max(defaultMs, Math.floor(bytesMax / tombstoneBytes / perMs))
    if (fits < this.#ms) this.#ms = Math.floor(fits / 60_000) * 60_000
  }

  async #deletesSoFar(): Promise<number> {
    const { body } = await this.#input.target.request('GET', '/_stats/indexing', {
      query: { filter_path: '_all.total.indexing.delete_total' },
    })
    const found = ['_all', 'total', 'indexing'].reduce<unknown>(
      (at, key) => (isJsonObject(at) ? at[key] : undefined),
      body,
    )
    return isJsonObject(found) ? Number(found.delete_total) : 0
  }
}
