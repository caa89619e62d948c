import { MigrationError } from '../base/errors.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import type { Change, StateStore } from '../state/store.ts'
import { errorRecord } from './failure.ts'
import { backfillRunKind, stopRequestKind, type BackfillRun } from './records.ts'

/** What other processes see of a run, and how they ask it to stop. */
export class RunRecord {
  readonly #state: StateStore
  #record: BackfillRun
  /** What others were told last. */
  #toldWaiting: BackfillRun['waiting'] = null

  constructor(
    state: StateStore,
    { snapshot, share, before }: Pick<BackfillRun, 'snapshot' | 'share' | 'before'>,
  ) {
    this.#state = state
    this.#record = {
      state: 'running',
      pid: process.pid,
      snapshot,
      share,
      startedAt: new Date().toISOString(),
      endedAt: null,
      error: null,
      before,
      waiting: null,
    }
  }

  get waiting(): BackfillRun['waiting'] {
    return this.#record.waiting
  }

  /** The run begins. */
  async begin(): Promise<void> {
    await this.#put()
  }

  async end(error?: unknown): Promise<void> {
    const state = error === undefined ? 'done' : isStop(error) ? 'stopped' : 'failed'
    this.#record = {
      ...this.#record,
      state,
      endedAt: new Date().toISOString(),
      waiting: null,
      error: state === 'failed' ? errorRecord(error) : null,
    }
    await this.#put([dropStop])
  }

  waits({ what, sinceMs }: BulkWait): void {
    this.#record.waiting = { on: what, since: new Date(Date.now() - sinceMs).toISOString() }
  }

  moves(): void {
    this.#record.waiting = null
  }

  /** True when somebody has asked to stop. Tells others what the run waits for, if that has changed. */
  async look(): Promise<boolean> {
    const { waiting } = this.#record
    if (waiting?.on !== this.#toldWaiting?.on) {
      this.#toldWaiting = waiting
      await this.#put()
    }
    return isStopAsked(this.#state)
  }

  async #put(also: Change[] = []): Promise<void> {
    await this.#state.commit([
      ...also,
      { op: 'put', kind: backfillRunKind, key: 'run', value: this.#record },
    ])
  }
}

const dropStop: Change = { op: 'delete', kind: stopRequestKind, key: 'stop' }

/** The first thing of a run: a request to stop that is there already was meant for an earlier one. */
export async function forgetStop(state: StateStore): Promise<void> {
  await state.commit([dropStop])
}

/** True when somebody has asked to stop since forgetStop(). */
export async function isStopAsked(state: StateStore): Promise<boolean> {
  return (await state.get(stopRequestKind, 'stop')) !== undefined
}

/** True for the error of a run that was stopped: nothing is wrong. */
export function isStop(error: unknown): boolean {
  return error instanceof MigrationError && error.code === 'MA_STOPPED'
}
