import { isDeepStrictEqual } from 'node:util'
import { sourceIndexOf } from '../base/document-types.ts'
import { eachAtOnce } from '../base/each-at-once.ts'
import { applyMetadata, isNotAsWanted } from '../metadata/apply.ts'
import { objectOf } from '../metadata/json-objects.ts'
import type { MetadataPlan, PlannedIndex } from '../metadata/plan.ts'
import { renamed } from '../metadata/rename.ts'
import { openEntries } from '../state/ledger.ts'
import { targetIndexKind, type LedgerEntry } from '../state/records.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { followAliases, removeAliases, type IndexAliases } from './follow-aliases.ts'
import { followIndex } from './follow-index.ts'
import { planIndices, type Translation } from './plan-names.ts'
import type { SourceView } from './source-view.ts'

export interface FollowIndicesInput extends Translation {
  readonly view: SourceView
  readonly onRefill: (index: string) => Promise<void>
}

/** By name of the source's index. */
export interface FollowedIndices {
  /** Why no document can be written to it. */
  readonly waiting: ReadonlyMap<string, string>
  /** Left out by a person in a plan file. */
  readonly leftOut: ReadonlySet<string>
  /** What is otherwise than wanted, and touches no document. */
  readonly different: ReadonlyMap<string, string>
}

/** So many are planned at once: the list of the source's indices is read for each time. */
const namesAtOnce = 200
const indicesAtOnce = 4

/**
 * Makes these indices on the target, or brings them in step there. An alias may go from one to another, and an index may get
 * the name that an alias had: so those that are there come first, then those that are made, and aliases last, in one
 * request.
 */
export async function followIndices(
  input: FollowIndicesInput,
  names: readonly string[],
): Promise<FollowedIndices> {
  const step = new Step(input, await openEntries(input.state).then((all) => all.map(valueOf)))
  const there: string[] = []
  const lacking: string[] = []
  for (const name of names) {
    const records = await targetPartsOf(input.state, name)
    const isThere = records.length > 0 && records.every(({ targetUuid }) => targetUuid !== '')
    if (isThere) there.push(name)
    else lacking.push(name)
  }
  for (const some of chunks(there)) await step.follow(some)
  await step.freeNames(lacking)
  for (const some of chunks(withWholeStreams(input.view, lacking))) await step.follow(some)
  await step.finish()
  return step
}

function valueOf({ value }: { readonly value: LedgerEntry }): LedgerEntry {
  return value
}

function chunks(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / namesAtOnce)
  return Array.from({ length: count }, (_, i) =>
    names.slice(i * namesAtOnce, (i + 1) * namesAtOnce),
  )
}

/** Indices of a data stream are made in their order, so that the plan must know all of them. */
function withWholeStreams(view: SourceView, names: readonly string[]): string[] {
  const wanted = new Set(names)
  for (const { indices } of view.streams()) {
    if (indices.some((index) => wanted.has(index))) for (const index of indices) wanted.add(index)
  }
  return [...wanted].filter((name) => view.index(name) !== undefined)
}

/** What is found out while one set of names is followed. */
class Step implements FollowedIndices {
  readonly waiting = new Map<string, string>()
  readonly different = new Map<string, string>()
  readonly leftOut = new Set<string>()
  readonly #input: FollowIndicesInput
  readonly #changedMeanwhile: readonly LedgerEntry[]
  readonly #aliases = new Map<string, IndexAliases>()

  constructor(input: FollowIndicesInput, changedMeanwhile: readonly LedgerEntry[]) {
    this.#input = input
    this.#changedMeanwhile = changedMeanwhile
  }

  async follow(names: readonly string[]): Promise<void> {
    const { view } = this.#input
    const streams = view
      .streams()
      .filter(({ indices }) => indices.some((one) => names.includes(one)))
    const plan = await planIndices(this.#input, {
      indices: names,
      streams: streams.map(({ name }) => name),
    })
    for (const { kind, name, reason } of plan.notCarried) {
      if (kind === 'index' && names.includes(name)) await this.#unreadable(name, reason)
    }
    for (const name of plan.notSelected) if (names.includes(name)) this.leftOut.add(name)
    await this.#make(plan)
    await eachAtOnce(plan.indices, indicesAtOnce, (planned) => this.#bringInStep(planned))
  }

  /** An index that is there can be written to, whatever is not told of it now (a closed one's routing shards). */
  async #unreadable(name: string, reason: string): Promise<void> {
    const isThere = (await targetPartsOf(this.#input.state, name)).length > 0
    if (isThere) this.different.set(name, reason)
    else this.waiting.set(name, reason)
  }

  /** Without aliases: these are set when all indices are there. */
  async #make(plan: MetadataPlan): Promise<void> {
    const { target, state, onRefill, signal } = this.#input
    const isMade = ({ action }: PlannedIndex): boolean => action === 'create' || action === 'adopt'
    for (const { name } of plan.indices.filter(isMade)) await onRefill(sourceIndexOf(name))
    const indices = plan.indices.map((planned) =>
      isMade(planned) ? { ...planned, body: { ...planned.body, aliases: {} } } : planned,
    )
    const { objects } = await applyMetadata(
      { ...plan, indices },
      { target, state, keepGoing: true, ...(signal && { signal }) },
    )
    for (const { name, outcome, reason } of objects) {
      const index = sourceIndexOf(name)
      if (isNotAsWanted(outcome)) this.waiting.set(index, reason ?? outcome)
      else if (outcome !== 'unchanged') await onRefill(index)
    }
  }

  async #bringInStep(planned: PlannedIndex): Promise<void> {
    const index = sourceIndexOf(planned.name)
    if (this.waiting.has(index)) return
    const { target, state, signal } = this.#input
    const record = (await state.get(targetIndexKind, planned.name))?.value
    if (record === undefined) return
    const { targetIndex } = record
    const { waiting, differs, existing } = await followIndex(
      { ...planned, targetIndex },
      { target, changedMeanwhile: this.#changedMeanwhile, ...(signal && { signal }) },
    )
    if (waiting !== undefined) this.waiting.set(index, waiting)
    if (differs.length > 0) this.different.set(index, differs.join(', '))
    if (existing && !planned.stream) {
      const { aliases: found } = existing
      const wanted = objectOf(planned.body.aliases)
      this.#aliases.set(planned.name, { index, targetIndex, found, wanted })
    }
    const last = (await state.get(targetIndexKind, planned.name))?.value
    if (!last || isDeepStrictEqual(last.withheld, { ...planned.withheld })) return
    const value = { ...last, withheld: { ...planned.withheld } }
    await state.commit([{ op: 'put', kind: targetIndexKind, key: planned.name, value }])
  }

  /** Takes aliases off whose names indices are about to get. */
  async freeNames(names: readonly string[]): Promise<void> {
    const { target, options, signal } = this.#input
    const wanted = names.flatMap((name) => [name, renamed(name, options.rename)])
    await removeAliases(target, [...this.#aliases.values()], new Set(wanted), signal)
  }

  async finish(): Promise<void> {
    const { target, signal } = this.#input
    const refused = await followAliases(target, [...this.#aliases.values()], signal)
    for (const [index, why] of refused) {
      const other = this.different.get(index)
      this.different.set(index, other === undefined ? why : `${other}; ${why}`)
    }
  }
}
