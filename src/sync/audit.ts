import { setTimeout as wait } from 'node:timers/promises'
import { eachAtOnce } from '../base/each-at-once.ts'
import { MigrationError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { isSince } from '../cluster/version.ts'
import { placesAsComputed } from '../metadata/routing-shards.ts'
import type { Change as StateChange } from '../state/store.ts'
import type { AuditInput } from './audit-input.ts'
import {
  auditIndexKind,
  auditVerdictKind,
  type AuditIndex,
  type AuditVerdict,
} from './audit-records.ts'
import { indexVerdict, wholeVerdict } from './audit-verdict.ts'
import { concernsOneIndex, IndexAudit, type Look } from './index-audit.ts'
import type { SourceIndex, SourceShard } from './source-index.ts'

/** Where the log ended at a time. */
interface Mark {
  readonly at: number
  readonly ends: Json
}

const marksMax = 64
const indicesAtOnce = 4
const lookAgainMs = 100

/**
 * The proof that nothing is missing: every number that the source's shards give must come to be accounted for, whoever
 * wrote, and by whatever way. It looks all the time:
 *
 *     numbers of all primaries → missing ones below the global checkpoint, once the log is read as far as it was then
 *     → search by number → written by the applier → acknowledged
 *     → what no document holds → one comparison of ids and numbers → what differs is read and written → settled
 *
 * Where nothing is captured it follows a source by itself. Memory: the accounts, a few readings of each shard that is
 * behind, 16 MB for each comparison under way, four at most.
 */
export class Audit {
  readonly #input: AuditInput
  readonly #byIndex = new Map<string, IndexAudit>()
  readonly #known = new Map<string, AuditIndex>()
  #marks: Mark[] = []
  #settledAt = -1
  #verdict: AuditVerdict | undefined
  #passing: Promise<AuditVerdict> | undefined
  #wake: (() => void) | undefined
  #isWanted = false
  #isDrainWanted = false

  constructor(input: AuditInput) {
    this.#input = input
  }

  /** Looks once per interval, and when it is asked to, until the signal ends it. Throws what is no passing trouble. */
  async run(): Promise<void> {
    const { options, signal, lateMs, onWait } = this.#input
    while (!signal.aborted) {
      const startedAt = Date.now()
      try {
        const drain = this.#isDrainWanted
        this.#isDrainWanted = false
        await this.pass({ drain })
        onWait?.('audit', undefined)
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof MigrationError) || !error.retryable) throw error
        onWait?.('audit', error.message)
      }
      const isSoon = [...this.#byIndex.values()].some((audit) => audit.isSoon)
      await this.#rest(isSoon ? lateMs : startedAt + options.everyMs - Date.now())
    }
  }

  /** The next look begins at once. `drain`: it puts off no comparison. */
  want({ drain = false }: { drain?: boolean } = {}): void {
    this.#isWanted = true
    this.#isDrainWanted ||= drain
    this.#wake?.()
  }

  /** One look at all indices. `drain`: no comparison is put off. Several callers at once share one. */
  pass({ drain = false }: { drain?: boolean } = {}): Promise<AuditVerdict> {
    if (this.#passing !== undefined) {
      return this.#passing.then(
        () => this.pass({ drain }),
        () => this.pass({ drain }),
      )
    }
    this.#passing = this.#pass(drain).finally(() => (this.#passing = undefined))
    return this.#passing
  }

  /** Of the last look; undefined: there was none. */
  verdict(): AuditVerdict | undefined {
    return this.#verdict
  }

  /** Epoch ms of the newest look whose every number, as it was told then, is accounted for; undefined: none. */
  lookedAt(index: string): number | undefined {
    return this.#byIndex.get(index)?.coveredAt
  }

  async #pass(drain: boolean): Promise<AuditVerdict> {
    const { view, log } = this.#input
    await this.#loadKnown()
    await view.refresh()
    const at = Date.now()
    const indices = [...view.indices()]
    const open = indices.filter(({ isOpen }) => isOpen)
    const shards = await view.shards(open.map(({ name }) => name))
    this.#marks.push({ at, ends: await log.ends() })
    this.#forgetGone(indices)
    const verdicts: AuditIndex[] = []
    const audits: IndexAudit[] = []
    for (const index of indices) {
      const audit = await this.#read(index, at, shards.get(index.name))
      if (typeof audit === 'string') verdicts.push(this.#without(index, audit))
      else if (audit !== undefined) audits.push(audit)
    }
    await this.#lookForOthers(audits, at)
    const look = { settledAt: await this.#settled(at, audits), drain }
    await eachAtOnce(audits, indicesAtOnce, (audit) => this.#look(audit, look))
    verdicts.push(...audits.map((audit) => indexVerdict(audit)))
    this.#verdict = wholeVerdict(verdicts, {
      streamsRead: look.settledAt >= at,
      ms: Date.now() - at,
      searches: audits.reduce((sum, { cost }) => sum + cost.searches, 0),
      comparisons: audits.reduce((sum, { cost }) => sum + cost.comparisons, 0),
    })
    await this.#store(verdicts)
    return this.#verdict
  }

  /** The audit of an index with what its primaries told; a text: why there is none now; undefined: it takes no part. */
  async #read(
    index: SourceIndex,
    at: number,
    told: readonly SourceShard[] | undefined,
  ): Promise<IndexAudit | string | undefined> {
    const places = await this.#input.places.placesOf(index.name)
    if (places === 'left-out') return undefined
    if ('waiting' in places) return places.waiting
    if (!index.isOpen) return 'it is closed on the source, so that nobody can look into it'
    const shards = isSince(this.#input.source.version, [6, 0]) ? told : index.shards
    if (shards === undefined) return 'not all of its primaries are started'
    const isSameHistory = shards.every(
      ({ historyUuid }, shard) => historyUuid === index.shards[shard]?.historyUuid,
    )
    if (!isSameHistory) return 'its history on the source has just changed'
    const { accounts } = this.#input
    const targets = places.map(({ target }) => target.targetUuid).join()
    const opened = accounts.open(index, targets)
    if (
      !accounts.isPlaced(index) &&
      (await placesAsComputed(this.#input.source, index.name, index))
    )
      accounts.notePlaced(index)
    let audit = this.#byIndex.get(index.name)
    if (audit === undefined || audit.accounts !== opened.accounts) {
      const found = audit?.found ?? this.#known.get(index.name)?.found
      audit = new IndexAudit(this.#input, { accounts: opened.accounts, found })
      this.#byIndex.set(index.name, audit)
    }
    await audit.read(at, { index, shards, places })
    return audit
  }

  /** An index that somebody else has written to is compared, as far as the backfill has ended. */
  async #lookForOthers(audits: readonly IndexAudit[], at: number): Promise<void> {
    const { foreign, isFilled, onWait } = this.#input
    if (foreign === undefined) return
    const filled: IndexAudit[] = []
    for (const audit of audits) if (await isFilled(audit.index.name)) filled.push(audit)
    try {
      const doubtful = await foreign.look(
        filled.map(({ index, targets }) => ({ index: index.name, targets })),
      )
      for (const audit of filled) if (doubtful.has(audit.index.name)) audit.doubt(at)
      onWait?.('target', undefined)
    } catch (error) {
      if (!(error instanceof MigrationError) || error.retryable) throw error
      onWait?.('target', `what somebody else writes there is not seen: ${error.message}`)
    }
  }

  async #look(audit: IndexAudit, look: Look): Promise<void> {
    try {
      await audit.look(look)
    } catch (error) {
      if (!concernsOneIndex(error)) throw error
      audit.waiting = error.message
    }
  }

  /**
   * Up to when the log is settled. Where something is missing it is waited for a while: it is most likely on its way, and
   * a write round the proxy is to be found by this look and not by the next one.
   */
  async #settled(at: number, audits: readonly IndexAudit[]): Promise<number> {
    const { options, signal } = this.#input
    const until = Date.now() + options.everyMs / 2
    for (;;) {
      this.#passMarks()
      const isBehind = audits.some((audit) => audit.isBehind)
      if (this.#settledAt >= at || !isBehind || Date.now() >= until) return this.#settledAt
      await wait(lookAgainMs, undefined, { signal })
    }
  }

  #passMarks(): void {
    const { log } = this.#input
    const passed = this.#marks.findLastIndex(({ ends }) => log.hasPassed(ends))
    if (passed >= 0) this.#settledAt = this.#marks[passed]!.at
    this.#marks = this.#marks.slice(passed + 1)
    if (this.#marks.length > marksMax) {
      this.#marks = this.#marks.filter((_, i) => i % 2 === 1 || i === 0)
    }
  }

  /** Who asks for a look gets it soon; that many ask does not make it look without a pause. */
  async #rest(ms: number): Promise<void> {
    const { options, signal } = this.#input
    const woken = new AbortController()
    const pauseMs = options.everyMs / 10
    await wait(pauseMs, undefined, { signal }).catch(() => {})
    this.#wake = () => woken.abort()
    if (!this.#isWanted) {
      const either = AbortSignal.any([signal, woken.signal])
      await wait(Math.max(0, ms - pauseMs), undefined, { signal: either }).catch(() => {})
    }
    this.#isWanted = false
    this.#wake = undefined
  }

  #forgetGone(indices: readonly SourceIndex[]): void {
    const { accounts } = this.#input
    const names = new Set(indices.map(({ name }) => name))
    for (const name of [...accounts.indices()]) if (!names.has(name)) accounts.forget(name)
    for (const name of [...this.#byIndex.keys()]) if (!names.has(name)) this.#byIndex.delete(name)
  }

  async #loadKnown(): Promise<void> {
    if (this.#verdict !== undefined || this.#known.size > 0) return
    for await (const { value } of this.#input.state.each(auditIndexKind)) {
      this.#known.set(value.index, value)
    }
  }

  /** Of an index that cannot be looked at now: as it was known, and why. */
  #without({ name: index }: SourceIndex, waiting: string): AuditIndex {
    const known = this.#known.get(index)
    return {
      ...{ index, verdict: 'open', asOf: null, shards: [], comparison: null },
      found: { search: 0, missing: 0, extra: 0, other: 0, lastAt: null, ahead: [] },
      ...known,
      ...{ at: new Date().toISOString(), waiting },
      ...(known?.verdict === 'caught-up' && { verdict: 'open' }),
    }
  }

  async #store(verdicts: readonly AuditIndex[]): Promise<void> {
    const names = new Set(verdicts.map(({ index }) => index))
    const changes: StateChange[] = []
    for (const index of [...this.#known.keys()]) {
      if (names.has(index)) continue
      this.#known.delete(index)
      changes.push({ op: 'delete', kind: auditIndexKind, key: index })
    }
    for (const value of verdicts) {
      const known = this.#known.get(value.index)
      this.#known.set(value.index, value)
      if (known !== undefined && isSaid(known, value)) continue
      changes.push({ op: 'put', kind: auditIndexKind, key: value.index, value })
    }
    changes.push({ op: 'put', kind: auditVerdictKind, key: 'audit', value: this.#verdict! })
    await this.#input.state.commit(changes)
  }
}

/** The same but for the time. */
function isSaid(known: AuditIndex, now: AuditIndex): boolean {
  return (
    JSON.stringify({ ...known, at: '', asOf: '' }) === JSON.stringify({ ...now, at: '', asOf: '' })
  )
}
