import { createHash } from 'node:crypto'
import { sourceIndexOf } from '../base/document-types.ts'
import type { Json } from '../base/json.ts'
import { liveMetadata } from '../metadata/live-metadata.ts'
import { objectOf } from '../metadata/json-objects.ts'
import {
  sourceIncarnationKind,
  targetIndexKind,
  type SourceIncarnation,
  type TargetIndex,
} from '../state/records.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { Doubts } from './doubts.ts'
import { followObjects, hashOfGlobal } from './follow-objects.ts'
import { followIndices, type FollowedIndices } from './follow-indices.ts'
import { incarnationOf, isSameIncarnation, snapshotIncarnation } from './incarnations.ts'
import type { Translation } from './plan-names.ts'
import type { Place, Places, PlacesOfIndex, Waiting } from './places.ts'
import { removeIndices } from './remove-index.ts'
import { requireSameSource } from './same-source.ts'
import type { SourceIndex } from './source-index.ts'
import type { SourceView } from './source-view.ts'
import type { IndexChange, ViewChange } from './view-change.ts'

/**
 * Keeps the metadata of the target in step with the source's: the set of indices, mappings, aliases, settings, data streams,
 * templates, pipelines. It does not replay what clients asked for; it looks at what the source is, and brings the target
 * there through the translation that `metadata migrate` uses. So what lifecycle policies and cron jobs do is followed, too.
 *
 *   view changes → pending names → doubts → removals → plan of these names → made, mapping, settings → aliases of all at once
 *
 * What cannot be done of one index is named and waits: it is tried again when it changes, and with each reconcile('all').
 */
export interface ReconcilerInput extends Translation {
  readonly view: SourceView
  /** The ends of all streams of the capture log as they are now. */
  readonly streamEnds: () => Promise<Json>
  /** The target index is made anew, and empty: what counted as written to it does no more. Called before and after. */
  readonly onRefill: (index: string) => Promise<void>
  /** The index is gone on the source, and its target index is, too. */
  readonly onGone?: (index: string) => Promise<void>
  readonly now?: () => Date
}

/** What the reconciler could not do, for people. */
export interface NotInStep {
  /** Indices that cannot be written to until it is mended. */
  readonly waiting: readonly (Waiting & { readonly index: string })[]
  /** What is otherwise than on the source and touches no document, by name. */
  readonly different: readonly { readonly name: string; readonly what: string }[]
}

/** What is otherwise and touches no document is looked at again after this time. */
const lookAgainMs = 10 * 60_000

export class Reconciler implements Places {
  readonly doubts: Doubts
  readonly #input: ReconcilerInput
  /** Part of what an index is in step with. */
  readonly #options: string
  /** What has changed and is not followed yet. */
  #pending = new Map<string, Set<IndexChange>>()
  /** What is being followed. */
  #current: ReadonlyMap<string, unknown> = new Map()
  readonly #waiting = new Map<string, Waiting>()
  readonly #different = new Map<string, { readonly what: string; readonly at: string }>()
  /** By a person, in a plan file. */
  readonly #leftOut = new Set<string>()
  #objects: ReadonlyMap<string, string> = new Map()
  #globalHash: string | undefined
  readonly #places = new Map<string, readonly Place[]>()
  /** Why indices are made anew that are the same on the source. */
  readonly #whys = new Map<string, string>()
  #turn: Promise<void> = Promise.resolve()

  private constructor(input: ReconcilerInput, doubts: Doubts) {
    this.#input = input
    this.doubts = doubts
    const { select, options, allowPartialSource, transform } = input
    const text = JSON.stringify([select, options, allowPartialSource, transform?.spec ?? null])
    this.#options = createHash('sha256').update(text).digest('base64').slice(0, 12)
    input.view.onChange((change) => this.#note(change))
  }

  /**
   * Finds what is not known to be in step; nothing is changed on the target before the first ready() or reconcile(). The
   * view was opened just before.
   */
  static async open(input: ReconcilerInput): Promise<Reconciler> {
    await requireSameSource(input)
    const reconciler = new Reconciler(input, await Doubts.load(input.state))
    for (const index of input.view.indices()) await reconciler.#noteUnknown(index)
    await reconciler.#noteLost()
    return reconciler
  }

  /** Before a batch is applied: what the source's metadata is by now the target's is, too, or the index waits. */
  async ready(): Promise<void> {
    await this.#input.view.refresh()
    await this.#inTurn(() => this.#follow())
  }

  /** Once per interval and on a signal: looks again at all that waits or is lost, and at templates and pipelines. */
  async reconcile(_what: 'all' = 'all'): Promise<void> {
    await this.#input.view.refresh()
    await this.#inTurn(async () => {
      this.#noteAgain()
      await this.#noteLost()
      await this.#followGlobal()
      await this.#follow()
    })
  }

  /**
   * Makes the target index anew, with another fence, since documents in it cannot be explained by the source; the audit
   * fills it. Done before this resolves, unless the index waits.
   */
  async refill(index: string, why: string): Promise<void> {
    const { state } = this.#input
    await this.#inTurn(async () => {
      const known = (await state.get(sourceIncarnationKind, index))?.value
      if (known === undefined) return
      await this.#putIncarnations([{ ...known, life: known.life + 1, followed: null }])
      this.#whys.set(index, why)
      this.#noteOne(index, ['mapping'])
      await this.#follow()
      this.#whys.delete(index)
    })
  }

  async placesOf(index: string): Promise<PlacesOfIndex> {
    const { view, state } = this.#input
    if (this.#pending.has(index) || this.#current.has(index)) {
      return this.#wait(index, 'its metadata is being brought in step')
    }
    if (view.index(index) === undefined) return 'left-out'
    const waiting = this.#waiting.get(index)
    if (waiting) return waiting
    if (!view.isSettled(index)) {
      return this.#wait(index, 'a primary shard of it is not started on the source')
    }
    const known = this.#places.get(index)
    if (known) return known
    const places = (await targetPartsOf(state, index)).map((target) => ({ target }))
    if (places.length === 0 && this.#leftOut.has(index)) return 'left-out'
    if (places.length === 0) return this.#wait(index, 'no index was made for it on the target')
    this.#places.set(index, places)
    return places
  }

  forget(index: string): void {
    this.#places.delete(index)
  }

  notInStep(): NotInStep {
    return {
      waiting: [...this.#waiting].map(([index, waiting]) => ({ index, ...waiting })),
      different: [
        ...[...this.#different].map(([name, { what }]) => ({ name, what })),
        ...[...this.#objects].map(([name, what]) => ({ name, what })),
      ],
    }
  }

  #wait(index: string, waiting: string): Waiting {
    return this.#waiting.get(index) ?? { waiting, since: this.#now() }
  }

  #now(): string {
    return (this.#input.now?.() ?? new Date()).toISOString()
  }

  /** One at a time; what is told meanwhile is followed by the next. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  #note(change: ViewChange): void {
    for (const [name, changes] of change) this.#noteOne(name, changes)
  }

  #noteOne(name: string, changes: Iterable<IndexChange>): void {
    this.#pending.set(name, new Set([...(this.#pending.get(name) ?? []), ...changes]))
  }

  /** At the start: whether the index is the one that the state knows, and in step. */
  async #noteUnknown(index: SourceIndex): Promise<void> {
    const { state } = this.#input
    const { name } = index
    const seen = (await state.get(sourceIncarnationKind, name))?.value
    const known = seen ?? (await snapshotIncarnation(state, name))
    const now = incarnationOf(index, seen)
    const isOther = known !== undefined && !isSameIncarnation(known, now)
    if (isOther) this.#noteOne(name, [known.uuid === now.uuid ? 'other-history' : 'made-anew'])
    else if (seen === undefined) this.#noteOne(name, ['added'])
    const records = await targetPartsOf(state, name)
    if (records.some((record) => !isOf(record, now)) || seen?.followed !== this.#stamp(name)) {
      this.#noteOne(name, ['mapping'])
    }
  }

  /** What an index is in step with: its metadata, and by which options it was translated. */
  #stamp(name: string): string {
    return `${this.#input.view.stamp(name) ?? ''} ${this.#options}`
  }

  /** Indices of the target whose source is gone, and those that have lost their fence or are gone themselves. */
  async #noteLost(): Promise<void> {
    const { view, state, target, signal } = this.#input
    const { body } = await target.request('GET', '/_alias/osmigrate-*', {
      query: { expand_wildcards: 'all' },
      accept: [404],
      ...(signal && { signal }),
    })
    for await (const { key, value } of state.each(targetIndexKind)) {
      const index = sourceIndexOf(key)
      const isFenced = value.fenceAlias in objectOf(objectOf(body[value.targetIndex]).aliases)
      if (!view.has(index)) this.#noteOne(index, ['removed'])
      else if (view.index(index) && !isFenced && !value.stream) this.#noteOne(index, ['mapping'])
    }
  }

  #noteAgain(): void {
    const { view } = this.#input
    const before = Date.parse(this.#now()) - lookAgainMs
    const stale = [...this.#different].filter(([, { at }]) => Date.parse(at) < before)
    for (const [name] of [...this.#waiting, ...stale]) {
      if (view.index(name)) this.#noteOne(name, ['mapping'])
      else if (view.has(name)) this.#forget(name)
      else this.#noteOne(name, ['removed'])
    }
  }

  async #followGlobal(): Promise<void> {
    const { source, options, signal } = this.#input
    if (!options.templates && !options.pipelines) return
    const global = await (await liveMetadata(source, signal)).readGlobalMetadata()
    const hash = hashOfGlobal(global)
    if (hash === this.#globalHash && this.#objects.size === 0) return
    this.#objects = await followObjects(this.#input, global)
    this.#globalHash = hash
  }

  /** Follows all that is pending; what fails as a whole is pending again. */
  async #follow(): Promise<void> {
    while (this.#pending.size > 0) {
      this.#input.signal?.throwIfAborted()
      const changes = this.#pending
      this.#pending = new Map()
      this.#current = changes
      try {
        await this.#followNames(changes)
      } catch (error) {
        this.#note(changes)
        throw error
      } finally {
        this.#current = new Map()
      }
    }
  }

  async #followNames(changes: Map<string, Set<IndexChange>>): Promise<void> {
    const { view } = this.#input
    const incarnations = await this.#noteIncarnations(changes)
    const gone = [...changes.keys()].filter((name) => !view.has(name))
    const others = await this.#recordsOfOthers(incarnations)
    for (const name of changes.keys()) this.#places.delete(name)
    for (const { index } of others) await this.#input.onRefill(sourceIndexOf(index))
    const removed = await removeIndices(
      { ...this.#input, at: this.#now() },
      { gone, others, whys: this.#whys },
    )
    const present = [...changes.keys()].filter(
      (name) => view.index(name) !== undefined && isMetadata(changes.get(name)!),
    )
    const stamps = new Map(present.map((name) => [name, this.#stamp(name)]))
    const followed = await followIndices(this.#input, present)
    const late = await removed.afterMaking()
    this.#keep([...changes.keys()], followed, new Map([...removed.left, ...late]))
    await this.#keepStamps(incarnations, stamps)
    await this.#forgetGone(gone)
  }

  /** Doubts stand before anything else is done, and before the state knows the new incarnation. */
  async #noteIncarnations(
    changes: Map<string, Set<IndexChange>>,
  ): Promise<Map<string, SourceIncarnation>> {
    const { view, state, streamEnds } = this.#input
    const found = new Map<string, SourceIncarnation>()
    const doubtful: string[] = []
    for (const [name, what] of changes) {
      const index = view.index(name)
      if (index === undefined) continue
      const before = (await state.get(sourceIncarnationKind, name))?.value
      const now = incarnationOf(index, before)
      const isOtherHistory = what.has('other-history')
      found.set(name, isOtherHistory ? { ...now, life: now.life + 1, followed: null } : now)
      if (isOtherLife(what)) doubtful.push(name)
    }
    if (doubtful.length > 0) {
      const ends = await streamEnds()
      const since = this.#now()
      await this.doubts.add(doubtful.map((index) => ({ index, since, ends })))
    }
    await this.#putIncarnations(found.values())
    // Told once: what fails after this must not begin another life.
    for (const name of found.keys()) {
      const what = changes.get(name)!
      if (isOtherLife(what)) what.add('mapping')
      for (const one of otherLives) what.delete(one)
    }
    return found
  }

  async #putIncarnations(incarnations: Iterable<SourceIncarnation>): Promise<void> {
    await this.#input.state.commit(
      [...incarnations].map((value) => {
        return { op: 'put', kind: sourceIncarnationKind, key: value.index, value }
      }),
    )
  }

  /** Records of target indices that were made for another incarnation of their source than there is. */
  async #recordsOfOthers(
    incarnations: ReadonlyMap<string, SourceIncarnation>,
  ): Promise<TargetIndex[]> {
    const others: TargetIndex[] = []
    for (const [name, incarnation] of incarnations) {
      const records = await targetPartsOf(this.#input.state, name)
      others.push(...records.filter((record) => !isOf(record, incarnation)))
    }
    return others
  }

  #keep(
    names: readonly string[],
    { waiting, different, leftOut }: FollowedIndices,
    left: ReadonlyMap<string, string>,
  ): void {
    for (const name of names) {
      const why = left.get(name) ?? waiting.get(name)
      const since = this.#waiting.get(name)?.since ?? this.#now()
      if (why === undefined) this.#waiting.delete(name)
      else this.#waiting.set(name, { waiting: why, since })
      if (leftOut.has(name)) this.#leftOut.add(name)
      else this.#leftOut.delete(name)
      const what = different.get(name)
      if (what === undefined) this.#different.delete(name)
      else this.#different.set(name, { what, at: this.#now() })
    }
  }

  async #keepStamps(
    incarnations: ReadonlyMap<string, SourceIncarnation>,
    stamps: ReadonlyMap<string, string>,
  ): Promise<void> {
    const inStep = [...stamps].filter(([name]) => {
      return !this.#waiting.has(name) && !this.#different.has(name)
    })
    await this.#putIncarnations(
      inStep.map(([name, followed]) => ({ ...incarnations.get(name)!, followed })),
    )
  }

  async #forgetGone(gone: readonly string[]): Promise<void> {
    const { state, view, onGone } = this.#input
    for (const name of gone) {
      if (view.has(name) || this.#waiting.has(name)) continue
      await onGone?.(name)
      await state.commit([{ op: 'delete', kind: sourceIncarnationKind, key: name }])
      this.#forget(name)
    }
  }

  #forget(name: string): void {
    this.#waiting.delete(name)
    this.#different.delete(name)
    this.#places.delete(name)
  }
}

function isOf({ sourceUuid, life = 0 }: TargetIndex, incarnation: SourceIncarnation): boolean {
  return sourceUuid === incarnation.uuid && life === incarnation.life
}

/** After these what was recorded before may be of another index. */
const otherLives = ['added', 'made-anew', 'other-history'] as const

function isOtherLife(changes: ReadonlySet<IndexChange>): boolean {
  return otherLives.some((one) => changes.has(one))
}

/** Whether more than the numbers of the index has changed. */
function isMetadata(changes: ReadonlySet<IndexChange>): boolean {
  return [...changes].some((change) => change !== 'primary-term')
}
