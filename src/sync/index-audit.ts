import { MigrationError, type ErrorCode } from '../base/errors.ts'
import type { TargetIndex } from '../state/records.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import type { Account } from './account.ts'
import { countSnapshot } from './accounts.ts'
import { AheadCheck } from './ahead-check.ts'
import type { AuditInput } from './audit-input.ts'
import type { AuditIndex, Findings } from './audit-records.ts'
import { AuditWrites } from './audit-writes.ts'
import type { Change } from './change.ts'
import { compareIds, type DifferingId, type IdComparisonInput } from './id-comparison.ts'
import { IntervalSet, type Interval } from './interval-set.ts'
import { documentsByNumber, refreshIndex, type NumberedDocument } from './number-query.ts'
import type { Place } from './places.ts'
import { Readings } from './readings.ts'
import type { SourceIndex, SourceShard } from './source-index.ts'

/** A comparison of ids takes a tenth of the time at most, however often numbers are lost. */
const comparisonShare = 9
const changesAtOnce = 500
/** Of documents that are ahead, in the state. */
const aheadNamed = 20

/** What a look may do. */
export interface Look {
  /** Epoch ms: all that capture recorded up to then is settled. */
  readonly settledAt: number
  /** Nothing is put off. */
  readonly drain: boolean
}

/** What a look knows of an index as it is now. */
export interface Told {
  readonly index: SourceIndex
  readonly shards: readonly SourceShard[]
  readonly places: readonly Place[]
}

/** The audit of one index of the source, in one life of it. */
export class IndexAudit {
  readonly #input: AuditInput
  readonly accounts: readonly Account[]
  readonly readings: readonly Readings[]
  readonly found: Findings
  comparison: AuditIndex['comparison'] = null
  waiting: string | null = null
  /** What the last look asked of the clusters. */
  cost = { searches: 0, comparisons: 0 }
  /** Something is missing that a look shortly after this one will settle. */
  isSoon = false
  /** Of each shard, what was searched for: what no document holds, none ever will. */
  readonly #searched: readonly IntervalSet[]
  #told: Told | undefined
  /** Clients give the versions, as far as was known at the last look. */
  #isByClients = false
  #compareAfter = 0
  /** Epoch ms of the look that first saw it so. */
  #doubtfulSince: number | undefined
  readonly #writes: AuditWrites

  constructor(
    input: AuditInput,
    about: { accounts: readonly Account[]; found: Findings | undefined },
  ) {
    this.#input = input
    this.accounts = about.accounts
    this.readings = about.accounts.map(() => new Readings())
    this.#searched = about.accounts.map(() => new IntervalSet())
    this.found = about.found ?? nothingFound()
    this.#writes = new AuditWrites(input.applier)
  }

  get index(): SourceIndex {
    return this.#told!.index
  }

  get shards(): readonly SourceShard[] {
    return this.#told!.shards
  }

  get targets(): TargetIndex[] {
    return this.#told!.places.map(({ target }) => target)
  }

  /** Its numbers do not tell all: one comparison follows. */
  doubt(at: number): void {
    for (const account of this.accounts) account.isDoubtful = account.isDirty = true
    this.#doubtfulSince ??= at
  }

  /** Notes what the primaries told. `at`: before they were asked. */
  async read(at: number, told: Told): Promise<void> {
    this.#told = told
    const parts = await targetPartsOf(this.#input.state, this.index.name)
    const names = parts.map(({ index }) => index)
    for (const [shard, primary] of told.shards.entries()) {
      const { maxSeqNo, globalCheckpoint, primaryTerm } = primary
      if (maxSeqNo === null || globalCheckpoint === null) continue
      const account = this.accounts[shard]!
      const isOther = account.primaryTerm !== null && account.primaryTerm !== primaryTerm
      if (isOther) {
        this.readings[shard]!.clear()
        this.#searched[shard]!.removeAbove(-1)
      }
      account.seen(primaryTerm, globalCheckpoint)
      this.readings[shard]!.add({ at, maxSeqNo, globalCheckpoint })
    }
    await countSnapshot(this.#input.state, this.accounts, names)
    this.#doubtNumbers(told, at)
    if (this.accounts.some(({ isDoubtful }) => isDoubtful)) this.#doubtfulSince ??= at
  }

  /** What the backfill wrote by numbers, before it was known that clients give the versions, is written by those. */
  #doubtNumbers({ places }: Told, at: number): void {
    const isByClients = places.some(({ target }) => target.clientVersions === true)
    if (isByClients && !this.#isByClients) this.doubt(at)
    this.#isByClients = isByClients
  }

  /** True when a number up to the newest checkpoint is not accounted for. */
  get isBehind(): boolean {
    return this.accounts.some((account, shard) => {
      const newest = this.readings[shard]!.newest
      return newest !== undefined && account.numbers.completeTo < newest.globalCheckpoint
    })
  }

  /** Looks for what is missing; what is found is written; what cannot be found is settled by a comparison of ids. */
  async look(look: Look): Promise<void> {
    this.waiting = null
    this.isSoon = false
    this.cost = { searches: 0, comparisons: 0 }
    const { name } = this.index
    const { isFilled, source, signal, applier } = this.#input
    const stopped = applier.tryAgain(name)
    if (stopped !== undefined) {
      this.waiting = `nothing is written to it: ${stopped}`
      return
    }
    const filled = await isFilled(name)
    if (this.#writes.open > 0) {
      this.waiting = `${this.#writes.open} documents that were found are not on the target yet`
      return
    }
    const wanted = this.#missing(look.settledAt, filled)
    if (wanted.size > 0) {
      if (!(await refreshIndex(source, name, signal))) {
        this.waiting = 'not all of its shards could be refreshed'
        return
      }
      for (const [shard, ranges] of wanted) await this.#search(shard, ranges)
      if (await this.#writes.settled(this.#input)) this.#noteSearched(wanted)
    }
    this.#forgetReadings()
    await this.#compareWhereNeeded(look, filled)
    this.#forgetReadings()
  }

  /** Epoch ms of the newest reading whose every number is accounted for; undefined: none. */
  get coveredAt(): number | undefined {
    let covered = Infinity
    for (const [shard, account] of this.accounts.entries()) {
      const at = this.readings[shard]!.coveredAt(account.numbers.completeTo)
      if (at === undefined) return undefined
      covered = Math.min(covered, at)
    }
    return covered
  }

  /** By shard: what is missing of the numbers that captured writes should have accounted for. */
  #missing(settledAt: number, filled: boolean): Map<number, Interval[]> {
    const missing = new Map<number, Interval[]>()
    for (const [shard, account] of this.accounts.entries()) {
      // The snapshot will tell what it holds of this shard once the backfill opens it.
      if (!filled && !account.isOpened) {
        this.waiting = 'the backfill has not come to all of its shards yet'
        continue
      }
      const checkpoint = this.readings[shard]!.checkpointAt(settledAt)
      const searched = this.#searched[shard]!
      const ranges = [...account.numbers.missing(0, checkpoint)].flatMap(({ from, to }) => [
        ...searched.missing(from, to),
      ])
      if (ranges.length > 0) missing.set(shard, ranges)
    }
    return missing
  }

  #noteSearched(wanted: ReadonlyMap<number, readonly Interval[]>): void {
    for (const [shard, ranges] of wanted) {
      for (const { from, to } of ranges) this.#searched[shard]!.addRange(from, to)
    }
  }

  async #search(shard: number, ranges: readonly Interval[]): Promise<void> {
    const { source, signal } = this.#input
    const account = this.accounts[shard]!
    account.forgetFound()
    const query = { source, index: this.index.name, shard, ranges, signal }
    for await (const page of documentsByNumber(query)) {
      this.cost.searches++
      for (const { seqNo } of page) account.noteFound(seqNo)
      this.#note('search', page.length)
      const changes = page.map((found) => this.#changeOf(found, shard))
      await this.#writes.add(changes, (taken) => {
        if (taken) for (const { seqNo } of page) account.settle(seqNo, seqNo, 'search')
      })
      await this.#input.budget.take(page.length, signal)
    }
  }

  #changeOf(found: NumberedDocument, shard: number): Change {
    const { id, routing, type, seqNo, version, primaryTerm, source } = found
    return {
      ...{ index: this.index.name, id, routing, seqNo, shard },
      ...(source === undefined ? { what: 'read' } : { what: 'write', source }),
      ...(type !== undefined && { type }),
      ...(version !== undefined && { version }),
      ...(primaryTerm !== undefined && { primaryTerm }),
    }
  }

  /**
   * Numbers that no document holds: overwritten, deleted, refused by Lucene. A comparison of ids that begins now settles
   * those that were missing when all that was asked of the source before is settled, so that nothing older comes after it.
   */
  async #compareWhereNeeded(look: Look, filled: boolean): Promise<void> {
    const before = look.settledAt - this.#input.lateMs
    const isMissing = this.#isMissing(before)
    this.isSoon = !isMissing && this.#isMissing(look.settledAt)
    const isDoubtful = this.#doubtfulSince !== undefined && this.#doubtfulSince <= before
    const isAsked = isDoubtful || (look.drain && !this.#hasNumbers)
    if (!isMissing && !isAsked) return
    if (!filled) {
      this.waiting =
        'what was deleted since the snapshot is compared when the backfill of it has ended'
      return
    }
    if (!look.drain && Date.now() < this.#compareAfter) {
      this.waiting = `ids of both sides are compared after ${new Date(this.#compareAfter).toISOString()}`
      return
    }
    const obstacle = this.#obstacle()
    if (obstacle === undefined) await this.#compare(before)
    else this.waiting = obstacle
  }

  get #hasNumbers(): boolean {
    return this.shards.every(({ maxSeqNo }) => maxSeqNo !== null)
  }

  #obstacle(): string | undefined {
    const [place, ...others] = this.#told!.places
    if (place === undefined) return 'it has no target index'
    if (others.length === 0 && place.target.types === undefined) return undefined
    return 'its mapping types were taken apart, so that ids of both sides cannot be compared: numbers that no document holds any more stay open'
  }

  /** Whether something is that was below the checkpoint of a shard at this time. */
  #isMissing(time: number): boolean {
    return this.accounts.some(
      ({ numbers }, shard) => numbers.completeTo < this.readings[shard]!.checkpointAt(time),
    )
  }

  /** Settles what was missing at `before`. */
  async #compare(before: number): Promise<void> {
    const checkpoints = this.readings.map((readings) => readings.checkpointAt(before))
    const startedAt = Date.now()
    this.cost.comparisons++
    const { source, target, options, budget, signal } = this.#input
    const { name: index } = this.index
    const { targetIndex } = this.#told!.places[0]!.target
    const numbered = this.#numbered()
    const common = { source, target, signal, ...numbered }
    const check = new AheadCheck({ ...common, indices: { source: index, target: targetIndex } })
    let batch: DifferingId[] = []
    const outcome = await compareIds({
      ...{ ...common, index, targetIndex, slices: options.slices, budget },
      differs: async (document) => {
        this.#noteDifference(document)
        check.add(document)
        if (batch.push(document) < changesAtOnce) return
        await this.#readAgain(batch)
        batch = []
      },
    })
    await this.#readAgain(batch)
    const ms = Date.now() - startedAt
    this.#compareAfter = Date.now() + comparisonShare * ms
    if (outcome === undefined) {
      this.waiting = 'it was deleted while its ids were compared'
      return
    }
    const taken = await this.#writes.settled(this.#input)
    const at = new Date(startedAt).toISOString()
    const { source: onSource, target: onTarget, differing } = outcome
    this.comparison = { at, ms, source: onSource, target: onTarget, differing }
    if (await this.#isAhead(check)) return
    if (!taken || !outcome.isComplete) {
      this.waiting = 'not all documents that differ are on the target yet'
      return
    }
    this.#doubtfulSince = undefined
    for (const [shard, account] of this.accounts.entries()) {
      if (account.isDoubtful) account.isDirty = true
      account.isDoubtful = false
      account.settle(0, checkpoints[shard]!, 'comparison')
    }
  }

  /** By what both sides are numbered. */
  #numbered(): Pick<IdComparisonInput, 'numbers' | 'numberOf'> {
    const { epochBase, stream, clientVersions } = this.#told!.places[0]!.target
    if (stream !== undefined) return { numbers: 'none', numberOf: () => -1 }
    if (clientVersions === true) {
      return { numbers: 'version', numberOf: (version) => version }
    }
    if (!this.#hasNumbers) {
      return { numbers: 'version', numberOf: (version) => version - epochBase }
    }
    return { numbers: 'seqNo', numberOf: (version) => version - epochBase - 1 }
  }

  async #readAgain(documents: readonly DifferingId[]): Promise<void> {
    if (documents.length === 0) return
    const changes = documents.map(({ id, routing, type, target }): Change => ({
      ...{ index: this.index.name, id, routing, what: 'read' },
      ...(type !== undefined && { type }),
      // Where versions are no numbers of the source a delete has to be told what it comes after.
      ...((this.#isByClients || !this.#hasNumbers) && target !== undefined && { version: target }),
    }))
    await this.#writes.add(changes)
  }

  /** A document that was deleted on the source after it was read seems ahead, too, until it is read once more. */
  async #isAhead(check: AheadCheck): Promise<boolean> {
    if ((await check.stillAhead()).length > 0) {
      await this.#readAgain(check.suspects)
      await this.#writes.settled(this.#input)
    }
    const ahead = await check.stillAhead()
    this.found.ahead = ahead.slice(0, aheadNamed).map((one) => ({ ...one }))
    if (ahead.length === 0) return false
    this.waiting = `${ahead.length} documents of the target are newer than the source's: they were not written by this migration, or the source has lost writes`
    await this.#input.onAhead?.(this.index.name, ahead)
    return true
  }

  #noteDifference({ source, target }: DifferingId): void {
    if (target === undefined) this.#note('missing', 1)
    else if (source === undefined) this.#note('extra', 1)
    else this.#note('other', 1)
  }

  #note(what: 'search' | 'missing' | 'extra' | 'other', count: number): void {
    this.found[what] += count
    this.found.lastAt = new Date().toISOString()
  }

  #forgetReadings(): void {
    for (const [shard, account] of this.accounts.entries()) {
      this.readings[shard]!.passed(account.numbers.completeTo)
    }
  }
}

function nothingFound(): Findings {
  return { search: 0, missing: 0, extra: 0, other: 0, lastAt: null, ahead: [] }
}

/** True for what concerns one index: it is gone, closed, or not all of it can be read now. */
export function concernsOneIndex(error: unknown): error is MigrationError {
  return error instanceof MigrationError && codesOfOneIndex.has(error.code)
}

const codesOfOneIndex: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MA_CLUSTER_RESPONSE',
  'MA_CORRUPT_DATA',
  'MA_SOURCE_INDEX',
  'MA_TARGET_INDEX',
])
